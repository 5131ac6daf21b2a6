"""Old and new values of every change, and how a contract stood at any moment, from them.

Every flush notes what changes in the tables of a contract; `events.tell` writes it into the event of the change. A
change that nobody tells of does not commit. Names of persons stay out of events, which are kept for ever.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session as SyncSession
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


def values(row: ContractsTable, *, before: bool = False) -> Values:
    """The columns of a row as JSON carries them; `before` gives those that the database still has."""
    found = {}
    for attribute in inspect(row).attrs:
        if attribute.key not in LEFT_OUT:
            old = attribute.history.deleted if before else ()
            found[attribute.key] = plain(old[0] if old else attribute.value)
    return found


def owner_of(row: ContractsTable) -> Any:
    """What the row belongs to, where rows of several are changed together: its contract, if any."""
    return row.id if isinstance(row, Contract) else getattr(row, "contract_id", None)


def changes(session: SyncSession | AsyncSession, rows: Sequence[ContractsTable]) -> dict[str, Values]:
    """What has changed of these rows of a contract since it was last told, whether or not it was flushed."""
    told, found = session.info.setdefault("told", {}), {}
    for row in rows:
        _, was = told.get(id(row)) or (row, values(row, before=True))
        now = values(row)
        told[id(row)] = (row, now)
        if change := difference(was, now):
            found[key_of(row)] = change
    return found


@event.listens_for(SyncSession, "before_flush")
def note(session: SyncSession, _context: Any, _instances: Any) -> None:
    """Keep what this flush changes in the tables of a contract: as it was told last, and as it is."""
    noted: dict[tuple[Any, str], list[Values | None]] = session.info.setdefault("changes", {})
    told = session.info.get("told", {})
    for row in [*session.deleted, *session.dirty, *session.new]:
        if type(row) not in KEYS:
            continue
        if id(row) in told:
            _, was = told.pop(id(row))
        else:
            was = None if row in session.new else values(row, before=True)
        entry = noted.setdefault((owner_of(row), key_of(row)), [was, None])
        entry[1] = None if row in session.deleted else values(row)


@event.listens_for(SyncSession, "before_commit")
def nothing_untold(session: SyncSession) -> None:
    """Raise UntoldChangeError when something changed that no event tells of."""
    session.flush()
    if untold := taken(session):
        raise UntoldChangeError(f"No event tells of the change of {', '.join(sorted(untold))}.")


def taken(session: SyncSession | AsyncSession) -> dict[str, Values]:
    """What has changed since the last call: rows `added` or `removed` whole, others `changed` by column."""
    noted: dict[tuple[Any, str], list[Values | None]] = session.info.pop("changes", {})
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
    name = str(table.__tablename__)
    found = [row for key, row in moment.rows.items() if key.partition("/")[0] == name]
    return [table.model_validate({**row, **more}) for row in found]
