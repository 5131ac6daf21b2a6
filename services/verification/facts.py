"""Facts against leaves: every row that the log speaks of, as it stands, and as it was written."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from types import SimpleNamespace
from typing import Any

from services.gateway.rules import facts
from services.gateway.rules.decisions import UNDECIDED, told
from services.gateway.rules.log import redacted
from services.kernel.types import plain

Connection = Any
Json = dict[str, Any]
READ = (
    "CREATE OR REPLACE FUNCTION pg_temp.facts(data bytea) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN"
    " RETURN convert_from(data, 'UTF8')::jsonb; EXCEPTION WHEN others THEN RETURN NULL; END $$"
)
"""What a leaf says; nothing of one that cannot be read, which is told of by itself."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A table whose rows the log speaks of.

    `leaves` is SQL that says which leaves (l, facts f) speak of it; `key` and `leaf_key` name a row in the table and in
    a leaf. `said` gives what its leaves say of a row, `columns` further members by the row's column; `subject` is the
    column that a leaf's subject is.
    """

    name: str
    table: str
    leaves: str
    leaf_key: str
    said: Callable[[Any], facts.Said]
    key: str = "r.id::text"
    columns: Mapping[str, str] = field(default_factory=dict)
    subject: str | None = None


def finished(row: Any) -> facts.Said:
    """A step of a transfer that is done."""
    open_facts = {"step_status": row.status, "at": row.finished_at, "by": row.finished_by["client_id"]}
    return open_facts, {"reason": row.reason}


def evented(row: Any) -> facts.Said:
    """An event of another service."""
    return told(row.source, vars(row))


def events_of(service: str) -> Kept:
    """The events of a service as far as the gateway has read them."""
    names = ", ".join(f"'{kind}'" for kind in sorted(UNDECIDED))
    read = (
        f"(SELECT e.*, c.source FROM {service}.event e JOIN gateway.cursor c ON c.source = '{service}'"  # noqa: S608
        f" AND (e.txid, e.position) <= (c.txid, c.position) WHERE e.type NOT IN ({names}))"
    )
    leaves = f"f ->> 'source' = '{service}'"
    return Kept(f"event of {service}", read, leaves, "f ->> 'event_id'", evented, subject="subject_id")


KEPT = (
    Kept(
        "milestone record",
        "gateway.milestone_record",
        "kind IN ('milestone.recorded', 'milestone.erased')",
        "f ->> 'record_id'",
        facts.recorded,
        subject="contract_id",
    ),
    Kept(
        "withdrawal",
        "gateway.withdrawal",
        "kind IN ('milestone.withdrawn', 'withdrawal.erased')",
        "f ->> 'withdrawal_id'",
        facts.withdrawn,
        subject="contract_id",
    ),
    Kept("consent", "gateway.consent", "kind = 'transfer.consent'", "f ->> 'consent_id'", facts.consented),
    Kept(
        "transfer",
        "gateway.transfer",
        "kind LIKE 'transfer.%'",
        "f ->> 'transfer_id'",
        facts.proposed,
        columns={name: name for name in ("reference", "status", "version", "effective_on")} | {"updated_at": "at"},
        subject="contract_id",
    ),
    Kept(
        "step",
        "(SELECT * FROM gateway.transfer_step WHERE status <> 'open' AND finished_by ? 'client_id')",
        "kind = 'transfer.step'",
        "(f ->> 'transfer_id') || '/' || (f ->> 'step')",
        finished,
        key="r.transfer_id || '/' || r.key",
    ),
    Kept(
        "client",
        "gateway.client",
        "kind LIKE 'client.%'",
        "f ->> 'client_id'",
        facts.registered,
        key="r.id",
    ),
    Kept(
        "API key",
        "gateway.api_key",
        "kind LIKE 'api_key.%'",
        "f ->> 'key_id'",
        facts.issued,
        subject="id",
    ),
)


def pairs(connection: Connection, kept: Kept) -> Iterator[tuple[str, Json | None, list[Json]]]:
    """By key, the row, and the leaves that speak of it in the order of their writing; either may be missing."""
    query = (
        f"SELECT coalesce({kept.key}, l.named) AS _key, _there, _leaf, r.*"  # noqa: S608
        f" FROM (SELECT true AS _there, t.* FROM {kept.table} t) r FULL JOIN ("
        f"  SELECT {kept.leaf_key} AS named, id, jsonb_build_object('id', id, 'facts', f, 'salt', salt,"
        "   'subject', subject_id, 'hash', leaf_hash) AS _leaf"
        "  FROM (SELECT *, pg_temp.facts(data) -> 'facts' AS f FROM gateway.leaf) read"
        f"  WHERE {kept.leaves} AND {kept.leaf_key} IS NOT NULL"
        f" ) l ON l.named = {kept.key} ORDER BY 1, l.id"
    )
    with connection.cursor(f"facts of {kept.name}") as cursor:
        for key, found in groupby(cursor.execute(query), lambda row: row["_key"]):
            rows = list(found)
            row = {name: value for name, value in rows[0].items() if name not in {"_key", "_there", "_leaf"}}
            yield key, row if rows[0]["_there"] else None, [each["_leaf"] for each in rows if each["_leaf"]]


def check_facts(connection: Connection, kept: Kept) -> Iterator[str]:
    """Every row of a table that was edited, removed or inserted behind the log's back, in words."""
    connection.execute(READ)
    for key, row, leaves in pairs(connection, kept):
        if row is None:
            yield f"{kept.name} {key}: was removed; leaf {leaves[0]['id']} tells of it"
        elif not leaves:
            yield f"{kept.name} {key}: no leaf tells of it; it was inserted, or its leaf removed"
        else:
            for what in differences(kept, SimpleNamespace(**row), leaves):
                yield f"{kept.name} {key}: {what}"


def nothing(_value: Any) -> None:
    """What an erasure leaves of a text."""


def hashes_only(value: Any) -> list[Json]:
    """What an erasure leaves of a list of documents."""
    return [{"sha256": each["sha256"]} for each in value]


EMPTY: Mapping[str, Callable[[Any], Any]] = {"note": nothing, "reason": nothing, "documents": hashes_only}


def differences(kept: Kept, row: Any, leaves: list[Json]) -> Iterator[str]:
    """What a row says that its leaves do not; a later leaf counts before an earlier one."""
    said: Json = {}
    hashes: dict[str, tuple[str | None, str | None]] = {}
    for leaf in leaves:
        said |= leaf["facts"]
        hashes |= {name: (value, leaf["salt"]) for name, value in leaf["facts"].items() if name.endswith("_hash")}
        if kept.subject is not None and leaf["subject"] != str(getattr(row, kept.subject)):
            yield f"{kept.subject} was edited; leaf {leaf['id']} is about {leaf['subject']}"
    if hasattr(row, "leaf_hash") and row.leaf_hash != leaves[0]["hash"]:
        yield f"leaf_hash was edited; its leaf is {leaves[0]['id']}"
    open_facts, private = kept.said(row)
    for name, value in open_facts.items():
        if name in said and plain(value) != said[name]:
            yield f"{name} was edited; it was written as {said[name]!r} and is {plain(value)!r}"
    for column, name in kept.columns.items():
        if plain(getattr(row, column)) != said.get(name):
            yield f"{column} was edited; it was written as {said.get(name)!r} and is {plain(getattr(row, column))!r}"
    for name, value in private.items():
        if f"{name}_hash" not in hashes:
            continue
        digest, salt = hashes[f"{name}_hash"]
        if "erased_at" in said and name in EMPTY and value != EMPTY[name](value):
            yield f"{name} was erased, and stands there again"
        elif salt is not None and redacted(value, salt) != digest:
            yield f"{name} was edited; it has not the hash that leaf {leaves[0]['id']} holds"
        elif salt is None and "erased_at" not in said:
            yield f"{name} cannot be checked: the salt was removed, and no leaf tells of an erasure"
    if "erased_at" in said and any(salt is not None for _, salt in hashes.values()):
        yield "was erased, and a salt stands there again"
