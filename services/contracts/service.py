"""What the passing of time does to a contract, and what every part of it shares: parties, terms, its end."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts import queries
from services.contracts.calls import Facts
from services.contracts.events import tell
from services.contracts.models import Contract, Job
from services.contracts.payments.effect import forgo_fees, stopped, withhold
from services.contracts.payments.service import earn_by_clock, earn_fees, earn_milestones
from services.contracts.rules import suspension, termination
from services.contracts.rules.life import IN_FORCE, Move, Role, Status, moved
from services.contracts.rules.milestones import MilestoneStatus, Timing, all_decided, next_look, timing
from services.contracts.rules.variations import VariationMove
from services.contracts.rules.variations import VariationStatus as Varying
from services.contracts.rules.variations import moved as variation_moved
from services.kernel.auth import Caller
from services.kernel.jobs import enqueue
from services.kernel.types import day_after, london_date, plain, start_of_day


async def activate(session: AsyncSession, *, contract_id: UUID, caller: Caller, now: datetime) -> None:
    """The first day has come: the contract is active, its fee begins to run, the ring-fence is to be opened."""
    row = await queries.locked_contract(session, contract_id)
    if row.status != Status.AGREED or row.starts_on > london_date(now):
        return
    row.status = moved(Status(row.status), Move.ACTIVATE, Role.CLOCK)
    await tell(session, row, "contract.active", caller, now)
    await earn_by_clock(session, row=row, caller=caller, now=now)
    for kind in ("ring_fence", "remind", "identify"):
        await enqueue(session, Job, kind=kind, key=str(row.id))
    await await_end(session, row)


def last_day(row: Contract) -> date:
    """The day after which the clock ends the contract: by notice, by its term, or late where its clock stands still."""
    stopped = row.status == Status.SUSPENDED and bool(row.suspension and row.suspension["stops"]["clock"])
    last = suspension.last_day(row.ends_on, row.latest_ends_on, clock_stopped=stopped)
    return min(last, date.fromisoformat(row.termination["ends_on"])) if row.termination else last


def fence_breaks(row: Contract) -> list[dict[str, Any]]:
    """The days on which the ring-fence rests, first and last; the last one is open while it goes on."""
    past = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in row.fence_breaks]
    rest = row.suspension
    since = date.fromisoformat(rest["since"]) if rest else None
    found = suspension.fence_breaks(past, since, fence_stopped=bool(rest and rest["stops"]["ring_fence"]))
    breaks: list[dict[str, Any]] = plain([{"starts_on": first, "ends_on": last} for first, last in found])
    return breaks


async def await_end(session: AsyncSession, row: Contract) -> None:
    """Wake up on the day after the contract's last one."""
    await enqueue(session, Job, kind="close", key=str(row.id), run_at=start_of_day(day_after(last_day(row))))


async def close(session: AsyncSession, *, contract_id: UUID, caller: Caller, now: datetime) -> None:
    """The last day has passed: terminated by notice, completed when all that is required was decided, else expired."""
    row = await queries.locked_contract(session, contract_id)
    if row.status not in IN_FORCE:
        return
    last = last_day(row)
    if last >= london_date(now):
        await await_end(session, row)
        return
    if row.termination and date.fromisoformat(row.termination["ends_on"]) < row.ends_on:
        await terminate(session, row=row, caller=caller, now=now)
        return
    await earn_fees(session, row=row, until=last, caller=caller, now=now)
    if stopped(row):
        await forgo_fees(session, row=row, on=last, caller=caller, now=now)
    decided = await required_decided(session, row)
    step = Move.COMPLETE if decided and row.status == Status.ACTIVE else Move.EXPIRE
    if step is Move.EXPIRE:
        row.reason_code = "suspended_at_end" if row.status == Status.SUSPENDED else "milestones_undecided"
    row.status = moved(Status(row.status), step, Role.CLOCK)
    row.ended_on = last
    await lapse_variation(session, row=row, now=now)
    await tell(session, row, f"contract.{row.status}", caller, now, reason=row.reason_code)


async def earn_fee(session: AsyncSession, *, contract_id: UUID, caller: Caller, now: datetime) -> None:
    """The day after the last one of an instalment has come."""
    row = await queries.locked_contract(session, contract_id)
    await earn_by_clock(session, row=row, caller=caller, now=now)


async def give_notice(
    session: AsyncSession, *, row: Contract, notice: dict[str, Any], caller: Caller, now: datetime
) -> Contract:
    """Notice is given: the contract runs until its new last day, or ends at once."""
    row.termination = notice
    facts = {name: notice[name] for name in ("ground", "reason", "ends_on")}
    await tell(session, row, "termination.notified", caller, now, **facts)
    if date.fromisoformat(notice["ends_on"]) <= london_date(now):
        await terminate(session, row=row, caller=caller, now=now)
    else:
        await await_end(session, row)
    return row


async def terminate(session: AsyncSession, *, row: Contract, caller: Caller, now: datetime) -> None:
    """The contract ends by the notice that was given: what is not payable any more is withheld."""
    notice = row.termination or {}
    ground = termination.Ground(notice["ground"])
    row.status = moved(Status(row.status), Move.TERMINATE, Role.CLOCK)
    row.reason_code = ground.value
    row.ended_on = termination.ended_on(row.starts_on, date.fromisoformat(notice["ends_on"]))
    await earn_fees(session, row=row, until=row.ended_on, caller=caller, now=now)
    await earn_milestones(session, row=row, on=row.ended_on, caller=caller, now=now)
    await withhold(session, row=row, ground=ground, last_day=row.ended_on, caller=caller, now=now)
    await lapse_variation(session, row=row, now=now)
    await tell(session, row, "contract.terminated", caller, now, reason=notice["reason"], ground=ground.value)
    if row.ended_on >= row.starts_on:
        await enqueue(session, Job, kind="ring_fence", key=str(row.id))


async def lapse_variation(session: AsyncSession, *, row: Contract, now: datetime) -> None:
    """A variation that has not taken effect when the contract ends never will; the contract's end tells of it."""
    waiting = await queries.open_variation(session, row.id)
    if waiting is not None:
        waiting.status = variation_moved(Varying(waiting.status), VariationMove.LAPSE)
        waiting.reason_code, waiting.closed_on = "contract_ended", london_date(now)


async def transfer(
    session: AsyncSession, *, transfers: Mapping[UUID, UUID], caller: Caller, now: datetime
) -> list[Contract]:
    """Schools have become full members: their contracts are frozen. Saying so again changes nothing.

    `transfers` are by contract.
    """
    rows = await queries.contracts(session, list(transfers), locked=True)
    for row in rows:
        if row.status == Status.TRANSFERRED and row.transfer_id == transfers[row.id]:
            continue
        row.status = moved(Status(row.status), Move.TRANSFER, Role.GATEWAY)
        row.transfer_id = transfers[row.id]
        await tell(session, row, "contract.transferred", caller, now, transfer_id=row.transfer_id)
    return rows


async def note_ring_fence(
    session: AsyncSession, *, contract_id: UUID, body: dict[str, Any], caller: Caller, now: datetime
) -> None:
    """The ring-fence stands in outcomes with these days; noting it twice changes nothing."""
    row = await queries.locked_contract(session, contract_id)
    days = {name: body[name] for name in ("starts_on", "ends_on", "breaks")}
    noted = await queries.last_event(session, contract_id, "contract.ring_fenced")
    if noted is not None and {name: noted.data.get(name, []) for name in days} == days:
        return
    await tell(session, row, "contract.ring_fenced", caller, now, **days)


async def remind(session: AsyncSession, *, contract_id: UUID, caller: Caller, now: datetime) -> None:
    """Milestones that have come near or have passed are told of, once each; the clock of a suspension may stand."""
    row, today = await queries.locked_contract(session, contract_id), london_date(now)
    waits = row.status == Status.SUSPENDED and bool(row.suspension and row.suspension["stops"]["clock"])
    if row.status not in {Status.ACTIVE, Status.SUSPENDED} or waits:
        return
    milestones = await queries.milestones(session, [row.id])
    for each in milestones:
        near = timing(MilestoneStatus(each.status), each.due_on, today)
        if near == each.timing:
            continue
        each.timing = near
        if near in {Timing.DUE_SOON, Timing.OVERDUE}:
            facts = {"code": each.code, "due_on": each.due_on}
            await tell(session, row, f"milestone.{near}", caller, now, **facts)
        else:
            await tell(session, row, "milestone.planned", caller, now, code=each.code, due_on=each.due_on)
    undecided = [each.due_on for each in milestones if each.status == MilestoneStatus.SCHEDULED]
    look = next_look(undecided, today)
    if look is not None:
        await enqueue(session, Job, kind="remind", key=str(row.id), run_at=start_of_day(look))


async def identify(session: AsyncSession, *, row: Contract, facts: Facts, caller: Caller, now: datetime) -> None:
    """The register shows the school under these identifiers; the contract follows it, and its results with it."""
    school = facts.school
    if school is None or row.status not in IN_FORCE:
        return
    found = [dict(each) for each in school.identifiers]
    if (school.urn, found) == (row.school_urn, row.identifiers):
        return
    row.school_urn, row.identifiers = school.urn, found
    row.school = {**row.school, "urn": str(school.urn), "name": school.name}
    await tell(session, row, "school.identified", caller, now, urn=str(school.urn))
    await enqueue(session, Job, kind="ring_fence", key=str(row.id))


async def required_decided(session: AsyncSession, row: Contract) -> bool:
    """Whether every required milestone of the contract has been decided."""
    required = [each for each in await queries.milestones(session, [row.id]) if each.required]
    return all_decided([MilestoneStatus(each.status) for each in required])
