"""Every SELECT and lock of the contracts service. Row-level security bounds them all to the caller."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, String, Uuid, any_, bindparam, func, literal, text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from services.contracts.conduct import Variation
from services.contracts.models import LISTED_BY, Contract, ContractsTable, Event, Milestone, Outcome, Signature
from services.contracts.rules.life import Status
from services.contracts.rules.variations import OPEN
from services.kernel.auth import Caller
from services.kernel.errors import NotFound
from services.kernel.types import Kind

Row = TypeVar("Row", bound=ContractsTable)


async def rows_after(
    session: AsyncSession, table: type[Row], *, after: UUID | None, limit: int, **values: Any
) -> list[Row]:
    """Rows after a place, oldest first, that have the given values in the given columns; None asks for nothing."""
    key = col(table.id)  # type: ignore[attr-defined]
    wanted = [getattr(table, name) == value for name, value in values.items() if value is not None]
    statement = select(table).where(*wanted, *([key > after] if after is not None else [])).order_by(key).limit(limit)
    return list(await session.exec(statement))


async def contract(session: AsyncSession, contract_id: UUID) -> Contract:
    """The contract; raises NotFound when it does not exist or is not the caller's to see."""
    found = (await session.exec(select(Contract).where(Contract.id == contract_id))).one_or_none()
    if found is None:
        raise NotFound("No such contract.")
    return found


async def contracts(session: AsyncSession, contract_ids: Sequence[UUID], *, locked: bool = False) -> list[Contract]:
    """Contracts in the order of their ids, on request locked until the end of the transaction; raises NotFound."""
    statement = select(Contract).where(col(Contract.id).in_(contract_ids)).order_by(col(Contract.id))
    if locked:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = list(await session.exec(statement))
    if len(found) < len(set(contract_ids)):
        raise NotFound("No such contract.")
    return found


async def lock_school(session: AsyncSession, school: str) -> None:
    """Contracts of one school are drafted one after another: at once, the database could only end all but one."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('school:' || :school, 0))")
    await session.execute(lock, {"school": school})


async def locked_contract(session: AsyncSession, contract_id: UUID) -> Contract:
    """The contract, locked until the end of the transaction: moves of one contract happen one after another."""
    statement = select(Contract).where(Contract.id == contract_id).with_for_update()
    found = (await session.exec(statement.execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound("No such contract.")
    return found


def parts(table: type[Row], *order: Any) -> SelectOfScalar[Row]:
    """The rows of a table that belong to the contracts `ids`, in an order."""
    among = table.contract_id.in_(bindparam("ids", expanding=True))  # type: ignore[attr-defined]
    return select(table).where(among).order_by(*order)


OUTCOMES = parts(Outcome, Outcome.place)
MILESTONES = parts(Milestone, Milestone.due_on, Milestone.code)
SIGNATURES = parts(Signature, Signature.recorded_at, Signature.document, Signature.party)
VARIATIONS = parts(Variation, Variation.number)
"""Made once: they are what every reading of a contract asks for, and to make one takes as long as to send it."""


async def outcomes(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[Outcome]:
    """Agreed outcomes in the order in which they were agreed."""
    return list(await session.exec(OUTCOMES, params={"ids": contract_ids}))


async def milestones(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[Milestone]:
    """Milestones by due date."""
    return list(await session.exec(MILESTONES, params={"ids": contract_ids}))


async def signatures(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[Signature]:
    """Signatures in the order in which they were given."""
    return list(await session.exec(SIGNATURES, params={"ids": contract_ids}))


async def variations(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[Variation]:
    """Variations in the order in which they were proposed."""
    return list(await session.exec(VARIATIONS, params={"ids": contract_ids}))


async def open_variation(session: AsyncSession, contract_id: UUID) -> Variation | None:
    """The variation that may still take effect."""
    statement = select(Variation).where(Variation.contract_id == contract_id, col(Variation.status).in_(OPEN))
    return (await session.exec(statement)).one_or_none()


def scope(caller: Caller) -> dict[str, Any]:
    """What contracts that row-level security lets this caller see have in common, by column: an index finds them.

    A policy holds for every kind of caller, so by itself it could only be asked of row after row.
    """
    match caller.kind:
        case Kind.COMMISSIONER:
            return {"organisation": caller.organisation}
        case Kind.SUPPLIER:
            return {"supplier_uid": caller.trust_uid}
        case Kind.RESPONSIBLE_BODY:
            return {"id": any_(select(func.contracts.of_body()).scalar_subquery().cast(ARRAY(Uuid)))}
        case _:
            return {}


def those_with(values: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """The condition that contracts have these values in these columns."""
    return [getattr(Contract, name) == value for name, value in values.items()]


async def contracts_page(
    session: AsyncSession,
    *,
    caller: Caller,
    filters: dict[str, Any],
    ends_before: date | None,
    after: Sequence[Any] | None,
    limit: int,
) -> list[Contract]:
    """Contracts after a place, oldest first, that have the given values in the given columns.

    With `ends_before` those that end first come first, and a place is a last day and an id. The columns that narrow
    the list are in the order too, so that no index serves but theirs: along another one those that are wanted could
    all come last, which the planner does not know. An array, since what is equal to one value is left out of an order.
    """
    alike = scope(caller) | {name: value for name, value in filters.items() if value is not None}
    few = alike.keys() & {"id", "school_urn", "supplier_uid"}
    by = () if few else max((each for each in LISTED_BY if alike.keys() >= set(each)), key=len, default=())
    key = [col(Contract.id)] if ends_before is None else [col(Contract.ends_on), col(Contract.id)]
    narrowed = [col(getattr(Contract, name)) for name in by]
    one = {name: any_(literal([str(alike[name])], ARRAY(String))) for name in by}
    statement = select(Contract).where(*those_with(alike | one)).order_by(*narrowed, *key).limit(limit)
    if ends_before is not None:
        statement = statement.where(Contract.ends_on < ends_before)
    if after is not None:
        statement = statement.where(tuple_(*key) > tuple(after))
    return list(await session.exec(statement))


async def events_page(
    session: AsyncSession, contract_id: UUID, *, after: tuple[int, int] | None, limit: int
) -> list[Event]:
    """A contract's events after a place, oldest first."""
    statement = select(Event).where(Event.subject_id == contract_id)
    if after is not None:
        statement = statement.where(tuple_(col(Event.txid), col(Event.position)) > after)
    return list(await session.exec(statement.order_by(col(Event.txid), col(Event.position)).limit(limit)))


async def events(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[Event]:
    """All events of contracts, oldest first."""
    statement = select(Event).where(col(Event.subject_id).in_(contract_ids))
    return list(await session.exec(statement.order_by(col(Event.txid), col(Event.position))))


async def overlaps(session: AsyncSession, row: Contract, ends_on: date) -> bool:
    """Whether another contract for the school covers days after this one's last and up to `ends_on`."""
    other = select(Contract.id).where(
        Contract.id != row.id,
        Contract.status != Status.CANCELLED,
        (col(Contract.school_urn) == row.school_urn) | (col(Contract.school_id) == row.school_id),
        Contract.starts_on <= ends_on,
        func.coalesce(Contract.ended_on, Contract.ends_on) > row.ends_on,
    )
    return (await session.exec(other.limit(1))).first() is not None


async def last_event(session: AsyncSession, contract_id: UUID, kind: str) -> Event | None:
    """The latest event of one kind about a contract."""
    statement = select(Event).where(Event.subject_id == contract_id, Event.type == kind)
    latest = statement.order_by(col(Event.txid).desc(), col(Event.position).desc()).limit(1)
    return (await session.exec(latest)).one_or_none()


async def next_reference(session: AsyncSession, year: int) -> str:
    """The next public reference of a contract, such as CTR-2023-000001."""
    number = (await session.execute(select(func.nextval(text("'contracts.reference'"))))).scalar_one()
    return f"CTR-{year}-{number:06d}"
