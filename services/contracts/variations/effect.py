"""What a variation does to a contract: the terms as they would stand, and making them stand."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts import queries
from services.contracts.agreements import PROMISED, SCALARS
from services.contracts.calls import Facts
from services.contracts.conduct import Variation
from services.contracts.drafts.schemas import ContractIn
from services.contracts.drafts.service import outcome_columns, worth
from services.contracts.events import tell
from services.contracts.models import Contract, Job, Milestone, Outcome
from services.contracts.payments.service import earn_by_clock, lay_out
from services.contracts.rules import variations
from services.contracts.rules.life import Status, check_in_force
from services.contracts.rules.milestones import MilestoneStatus
from services.contracts.rules.variations import VariationKind, VariationMove, VariationStatus
from services.contracts.service import await_end, give_notice
from services.kernel.auth import Caller
from services.kernel.jobs import enqueue
from services.kernel.types import day_after, london_date, plain, start_of_day

VARIABLE = (
    "title",
    "ends_on",
    "break_points",
    "fee_pence",
    "value_pence",
    "transfer_intended",
    "interventions",
    "outcomes_rationale",
)
"""The columns of a contract that a variation may change."""


async def present_terms(session: AsyncSession, row: Contract) -> dict[str, Any]:
    """The terms as they stand, in the form of a variation's."""
    outcomes, milestones = await queries.outcomes(session, [row.id]), await queries.milestones(session, [row.id])
    return {
        "contract": {name: getattr(row, name) for name in VARIABLE},
        "outcomes": [each.model_dump(exclude={"contract_id"}) for each in outcomes],
        "milestones": [{name: getattr(each, name) for name in PROMISED} for each in milestones],
    }


async def terms_of(session: AsyncSession, row: Contract, wanted: ContractIn, facts: Facts) -> dict[str, Any]:
    """The terms as they would stand; an outcome whose measure stays keeps its baseline and its comparators."""
    present = {each.code: each for each in await queries.outcomes(session, [row.id])}
    outcomes = []
    for place, each in enumerate(wanted.outcomes):
        columns, kept = outcome_columns(place, each, facts), present.get(each.code)
        if kept is not None and kept.measure == each.measure:
            columns |= {"baseline": kept.baseline, "comparators": kept.comparators}
        outcomes.append(columns)
    milestones = [each.model_dump() for each in wanted.milestones]
    return {
        "contract": {
            "title": wanted.title,
            "ends_on": wanted.term.ends_on,
            "break_points": [day.isoformat() for day in wanted.term.break_points],
            "fee_pence": wanted.fee_pence,
            "value_pence": worth(wanted),
            "transfer_intended": wanted.transfer_intended,
            "interventions": [each.model_dump() for each in wanted.interventions],
            "outcomes_rationale": wanted.outcomes_rationale,
        },
        "outcomes": outcomes,
        "milestones": sorted(milestones, key=lambda each: (each["due_on"], each["code"])),
    }


def agreement_with(row: Contract, future: dict[str, Any]) -> dict[str, Any]:
    """Everything that the parties put their names to, with these terms."""
    scalars = {name: getattr(row, name) for name in SCALARS}
    return {
        **scalars,
        **future["contract"],
        "outcomes": future["outcomes"],
        "milestones": future["milestones"],
    }


async def standing(session: AsyncSession, row: Contract) -> variations.Standing:
    """What may not be touched any more."""
    present: dict[str, Any] = plain(await present_terms(session, row))
    statuses = {each.code: each.status for each in await queries.milestones(session, [row.id])}
    return variations.Standing(
        latest_ends_on=row.latest_ends_on,
        ends_on=row.ends_on,
        fee_pence=row.fee_pence,
        outcomes={each["code"]: each for each in present["outcomes"]},
        milestones=promises(present["milestones"]),
        decided=frozenset(code for code, status in statuses.items() if status != MilestoneStatus.SCHEDULED),
        fee_earned=row.status != Status.AGREED,
        judged=row.evaluation is not None and row.evaluation["run"] == "final",
    )


def promises(milestones: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Milestones as JSON carries them, by code, with their days as days."""
    return {each["code"]: {**each, "due_on": date.fromisoformat(each["due_on"])} for each in milestones}


def wanted(future: dict[str, Any]) -> variations.Wanted:
    """The terms as they would stand, as the rules look at them."""
    found: dict[str, Any] = plain(future)
    return variations.Wanted(
        ends_on=date.fromisoformat(found["contract"]["ends_on"]),
        fee_pence=found["contract"]["fee_pence"],
        outcomes={each["code"]: each for each in found["outcomes"]},
        milestones=promises(found["milestones"]),
    )


async def take(session: AsyncSession, *, row: Contract, variation: Variation, caller: Caller, now: datetime) -> None:
    """The variation takes effect, unless something has happened since it was signed that it would undo."""
    if variation.kind == VariationKind.TERMINATION:
        settle(variation, VariationMove.TAKE_EFFECT, now)
        await give_notice(session, row=row, notice=variation.changes["termination"], caller=caller, now=now)
        return
    future = wanted(variation.terms)
    try:
        check_in_force(Status(row.status))
        variations.check_change(await standing(session, row), future, variation.effective_on)
        if await queries.overlaps(session, row, future.ends_on):
            raise variations.Overtaken("Another contract for the school covers the longer term.")
    except (variations.TouchesThePast, variations.BeyondLatestEnd, variations.Overtaken) as error:
        settle(variation, VariationMove.OVERTAKE, now)
        variation.reason_code = error.code
        facts = {"number": variation.number, "reason": str(error)}
        await tell(session, row, "variation.overtaken", caller, now, **facts)
        return
    settle(variation, VariationMove.TAKE_EFFECT, now)
    await stand(session, row=row, variation=variation, caller=caller, now=now)


def settle(variation: Variation, step: VariationMove, now: datetime) -> None:
    """The variation has come to where nothing moves it any more."""
    variation.status = variations.moved(VariationStatus(variation.status), step)
    variation.closed_on = london_date(now)


async def stand(session: AsyncSession, *, row: Contract, variation: Variation, caller: Caller, now: datetime) -> None:
    """The terms of the variation are those of the contract from now on; its payments follow its value."""
    future, fee_earned = variation.terms, row.status != Status.AGREED
    given = Contract.model_validate({**row.model_dump(), **future["contract"]})
    for name in VARIABLE:
        setattr(row, name, getattr(given, name))
    row.agreed_hash = variation.agreed_hash
    outcomes = {each["code"]: Outcome.model_validate({**each, "contract_id": row.id}) for each in future["outcomes"]}
    await replace(session, {each.code: each for each in await queries.outcomes(session, [row.id])}, outcomes)
    scheduled = {"contract_id": row.id, "status": MilestoneStatus.SCHEDULED}
    milestones = {each["code"]: Milestone.model_validate({**each, **scheduled}) for each in future["milestones"]}
    present = {each.code: each for each in await queries.milestones(session, [row.id])}
    await replace(session, present, milestones, keep={"status", "timing", "decided_on", "record_id"})
    promised, agreed = list(milestones.values()), list(outcomes.values())
    await lay_out(session, row=row, promised=promised, agreed=agreed, on=variation.effective_on, now=now)
    facts = {"number": variation.number, "agreed_hash": row.agreed_hash, "value_pence": row.value_pence}
    await tell(session, row, "contract.varied", caller, now, **facts)
    if fee_earned:
        await earn_by_clock(session, row=row, caller=caller, now=now)
        for kind_of_job in ("ring_fence", "remind"):
            await enqueue(session, Job, kind=kind_of_job, key=str(row.id))
        await await_end(session, row)


async def replace(
    session: AsyncSession, present: dict[str, Any], wanted_rows: dict[str, Any], *, keep: set[str] | None = None
) -> None:
    """Bring rows to what is wanted, by code: new ones added, others changed, the rest removed."""
    for code, new in wanted_rows.items():
        old = present.pop(code, None)
        if old is None:
            session.add(new)
            continue
        for name in type(new).model_fields.keys() - (keep or set()):
            setattr(old, name, getattr(new, name))
    for gone in present.values():
        await session.delete(gone)


async def vary(session: AsyncSession, *, contract_id: UUID, caller: Caller, now: datetime) -> None:
    """The day of a variation has come, or has passed without every signature."""
    row, today = await queries.locked_contract(session, contract_id), london_date(now)
    variation = await queries.open_variation(session, row.id)
    if variation is None:
        return
    if variation.effective_on > today:
        await enqueue(session, Job, kind="vary", key=str(row.id), run_at=start_of_day(variation.effective_on))
    elif variation.status == VariationStatus.AGREED:
        await take(session, row=row, variation=variation, caller=caller, now=now)
    elif variation.effective_on < today:
        settle(variation, VariationMove.LAPSE, now)
        await tell(session, row, "variation.lapsed", caller, now, number=variation.number)
    else:
        await enqueue(session, Job, kind="vary", key=str(row.id), run_at=start_of_day(day_after(today)))
