"""Old and new values of every change, and how a contract stood at any moment, from them.

Every flush notes what changes in the tables of a contract; `events.tell` writes it into the event of the change. A
change that nobody tells of does not commit. Names of persons stay out of events, which are kept for ever.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import BaseModel, create_model
from sqlalchemy import event, inspect
from sqlalchemy.orm import Session as SyncSession
from sqlalchemy.orm.attributes import get_history
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import Claim, Finance, Invoice
from services.contracts.conduct import Finding, KpiAssessment, Notice, Review, Variation
from services.contracts.models import Contract, ContractsTable, Event, Milestone, Outcome, Payment, Signature
from services.contracts.register import Supplier
from services.kernel.types import plain

KEYS: Mapping[type[ContractsTable], tuple[str, ...]] = {
    Contract: (),
    Outcome: ("code",),
    Milestone: ("code",),
    Payment: ("kind", "code"),
    Signature: ("document", "party"),
    Variation: ("number",),
    Review: ("number",),
    KpiAssessment: ("number",),
    Finding: ("number",),
    Notice: ("number",),
    Claim: ("number",),
    Invoice: ("number",),
    Finance: (),
    Supplier: (),
}
"""The tables of a contract, and what tells its rows apart there; and the register of suppliers."""
LEFT_OUT = frozenset({"version", "updated_at", "signed_by", "role", "client_id", "reviewer", "hands", "body"})
"""What the event itself says, names of persons, and documents that are kept as they are."""

Row = TypeVar("Row", bound=ContractsTable)
Values = dict[str, Any]
Rows = dict[str, Values]
Change = tuple[Values | None, Values | None]
"""Columns of a row before and after: all of them where it was not there before, or is not there any more."""


class UntoldChangeError(RuntimeError):
    """A transaction would change a contract without an event; it is rolled back."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A contract right after an event: `rows` are all its rows by key, as JSON carries them."""

    type: str
    at: datetime
    version: int
    rows: Rows
    facts: Values


def key_of(row: ContractsTable) -> str:
    """What the row is called in events, such as `contract` or `milestone/M1`."""
    parts = [str(getattr(row, name)) for name in KEYS[type(row)]]
    return "/".join([str(type(row).__tablename__), *parts])


@cache
def columns(table: type[ContractsTable]) -> frozenset[str]:
    """The columns of a table of which events tell."""
    return frozenset(attribute.key for attribute in inspect(table).attrs) - LEFT_OUT


def values(row: ContractsTable, *, before: bool = False) -> Values:
    """The columns of a row as JSON carries them; `before` gives those that the database still has."""
    was = altered(row)[0] if before else {}
    return {name: was[name] if name in was else plain(getattr(row, name)) for name in columns(type(row))}


def altered(row: ContractsTable) -> tuple[Values, Values]:
    """The columns that were set since the row was read or flushed: as the database has them, and as they are."""
    was, now = {}, {}
    for name in columns(type(row)) - inspect(row).unmodified:
        old, now[name] = get_history(row, name).deleted, plain(getattr(row, name))
        was[name] = plain(old[0]) if old else now[name]
    return was, now


def owner_of(row: ContractsTable) -> Any:
    """What the row belongs to, where rows of several are changed together: its contract, if any."""
    return row.id if isinstance(row, Contract) else getattr(row, "contract_id", None)


def changes(session: SyncSession | AsyncSession, rows: Sequence[ContractsTable]) -> dict[str, Values]:
    """What has changed of these rows of a contract since it was last told, though nothing was flushed."""
    told, found = session.info.setdefault("told", {}), {}
    for row in rows:
        (was, now), (_, last) = altered(row), told.get(id(row), (row, {}))
        told[id(row)] = (row, last | now)
        if change := difference(was | last, now):
            found[key_of(row)] = change
    return found


@event.listens_for(SyncSession, "before_flush")
def note(session: SyncSession, _context: Any, _instances: Any) -> None:
    """Keep what this flush changes in the tables of a contract: as it was told last, and as it is."""
    noted: dict[tuple[Any, str], Change] = session.info.setdefault("changes", {})
    told = session.info.get("told", {})
    for row in [*session.deleted, *session.dirty, *session.new]:
        if type(row) not in KEYS:
            continue
        change: Change
        if row in session.new:
            change = (None, values(row))
        elif row in session.deleted:
            change = (values(row, before=True), None)
        else:
            was, now = altered(row)
            change = (was | told.pop(id(row), (row, {}))[1], now)
        key = (owner_of(row), key_of(row))
        noted[key] = joined(noted[key], change) if key in noted else change


def joined(first: Change, second: Change) -> Change:
    """Two changes of a row, one after the other, as one."""
    was = None if first[0] is None else (second[0] or {}) | first[0]
    return was, None if second[1] is None else (first[1] or {}) | second[1]


@event.listens_for(SyncSession, "before_commit")
def nothing_untold(session: SyncSession) -> None:
    """Raise UntoldChangeError when something changed that no event tells of."""
    session.flush()
    if untold := taken(session):
        raise UntoldChangeError(f"No event tells of the change of {', '.join(sorted(untold))}.")


def taken(session: SyncSession | AsyncSession) -> dict[str, Values]:
    """What has changed since the last call: rows `added` or `removed` whole, others `changed` by column."""
    noted: dict[tuple[Any, str], Change] = session.info.pop("changes", {})
    return {key: found for (_, key), (was, now) in noted.items() if (found := difference(was, now))}


def difference(was: Values | None, now: Values | None) -> Values:
    """How a row came to be another; empty when it did not."""
    if was is None or now is None:
        return {"added": now} if now is not None else {"removed": was} if was is not None else {}
    changed = {name: {"old": was[name], "new": now[name]} for name in now if was[name] != now[name]}
    return {"changed": changed} if changed else {}


def after(rows: Rows, changes: Mapping[str, Values]) -> Rows:
    """The rows after these changes."""
    found = dict(rows)
    for key, change in changes.items():
        if "removed" in change:
            del found[key]
        else:
            changed = {name: each["new"] for name, each in change.get("changed", {}).items()}
            found[key] = {**found.get(key, {}), **change.get("added", {}), **changed}
    return found


def moments(events: Sequence[Event]) -> Iterator[Moment]:
    """A contract's story: how it stood after each of its events, which come in order."""
    rows: Rows = {}
    for each in events:
        rows = after(rows, each.data.get("changes", {}))
        yield Moment(each.type, each.occurred_at, each.data["version"], rows, each.data)


def standing(found: Sequence[Moment], until: datetime) -> Moment | None:
    """The last moment before an instant; None when the contract was not there yet."""
    return next((moment for moment in reversed(found) if moment.at < until), None)


def rebuilt(moment: Moment, table: type[Row], **more: Any) -> list[Row]:
    """The rows of a table as they stood at a moment, with `more` columns that events leave out."""
    name, plainly = str(table.__tablename__), cast(type[Row], without_database(table))
    found = [row for key, row in moment.rows.items() if key.partition("/")[0] == name]
    return [plainly.model_validate({**row, **more}) for row in found]


@cache
def without_database(table: type[ContractsTable]) -> type[BaseModel]:
    """A model with the fields of a table whose rows no session knows: these are made many times faster."""
    fields: dict[str, Any] = {name: (each.annotation, each) for name, each in table.model_fields.items()}
    return create_model(table.__name__, **fields)
