"""Many contracts made of one that was brought about through the API, each with rows of its own."""

from collections.abc import Iterable

import psycopg
from psycopg import sql

from bench.ground import plain

FIRST_URN = 200_000
Rows = Iterable[tuple[str, str]]
"""Tables, and which of their rows belong to the contract."""
OF_THE_SCHOOL: Rows = (
    ("outcomes.establishment", "urn = %(urn)s"),
    ("outcomes.school_identifier", "school_id = %(school)s AND scheme = 'urn'"),
    ("outcomes.membership", "urn = %(urn)s AND left_on IS NULL"),
    ("outcomes.inspection", "urn = %(urn)s"),
    ("outcomes.judgement", "urn = %(urn)s"),
)
OF_THE_CONTRACT: Rows = (
    ("outcomes.ring_fence", "contract_id = %(contract)s"),
    ("contracts.contract", "id = %(contract)s"),
    ("contracts.outcome", "contract_id = %(contract)s"),
    ("contracts.milestone", "contract_id = %(contract)s"),
    ("contracts.signature", "contract_id = %(contract)s"),
    ("contracts.payment", "contract_id = %(contract)s"),
    ("contracts.ledger_entry", "contract_id = %(contract)s"),
    ("contracts.event", "subject_id = %(contract)s"),
    ("contracts.ocds_release", "contract_id = %(contract)s"),
    ("gateway.contract_ref", "contract_id = %(contract)s"),
)
OWN_IDS = ("id", "consent_id", "journal_id")
"""Columns that get a value of their own in every copy, where they do not hold one of the identifiers above."""


def multiply(url: str, query: str, rows: Rows, times: int) -> None:
    """Copy the rows so many times; `query` gives what they are told apart by: identifiers, and references `of_...`."""
    with psycopg.connect(plain(url)) as connection:
        found = connection.execute(query.encode())
        names = [column.name for column in found.description or ()]
        known = dict(zip(names, found.fetchone() or (), strict=True))
        for table, condition in rows:
            copy_rows(connection, table, condition, known, times)
        connection.execute("ANALYZE")


def copy_rows(
    connection: "psycopg.Connection[tuple[object, ...]]",
    table: str,
    condition: str,
    known: dict[str, object],
    times: int,
) -> None:
    """Copy the rows of a table: identifiers of the school, contract and transfer become those of each copy."""
    schema, name = table.split(".")
    columns = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
        " AND is_identity = 'NO' AND is_generated = 'NEVER'",
        [schema, name],
    ).fetchall()
    listed = sql.SQL(", ").join(sql.Identifier(str(column)) for (column,) in columns)
    whole: sql.Composable = sql.SQL("to_jsonb(r)")
    for own in (own for own in OWN_IDS if (own,) in columns):
        fresh = sql.SQL("jsonb_build_object({}, md5(r.{}::text || n)::uuid)").format(
            sql.Literal(own), sql.Identifier(own)
        )
        keep = sql.SQL("r.{}::text IN (%(transfer)s::text, %(contract)s::text, %(school)s::text)").format(
            sql.Identifier(own)
        )
        whole = sql.SQL("{} || CASE WHEN {} THEN '{{}}' ELSE {} END").format(whole, keep, fresh)
    told: sql.Composable = sql.SQL("({})::text").format(whole)
    for part in ("transfer", "contract", "school"):
        told = sql.SQL("replace({0}, %({1})s::text, md5(%({1})s::text || n)::uuid::text)").format(told, sql.SQL(part))
    told = sql.SQL("replace({}, %(urn)s::text, ({} + n)::text)").format(told, sql.Literal(FIRST_URN))
    for part in ("of_transfer", "of_contract"):
        changed = sql.SQL("left(%({0})s, 9) || '9' || lpad(n::text, 5, '0')").format(sql.SQL(part))
        told = sql.SQL("replace({0}, %({1})s, {2})").format(told, sql.SQL(part), changed)
    statement = sql.SQL(
        "INSERT INTO {table} ({listed}) SELECT {listed} FROM ("
        "SELECT (jsonb_populate_record(NULL::{table}, {told}::jsonb)).* FROM {table} r, generate_series(1, %(times)s) n"
        " WHERE {condition}) made"
    ).format(table=sql.Identifier(schema, name), listed=listed, told=told, condition=sql.SQL(condition))
    connection.execute(statement, {**known, "times": times})
