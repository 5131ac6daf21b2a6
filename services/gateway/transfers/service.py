"""What can be done with a transfer as a whole: opened and withdrawn by the gateway itself, decided on by people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.joining import Consent, Discrepancy, EffectiveDay, Fulfilment, Transfer, TransferStep
from services.gateway.log.service import append_leaf
from services.gateway.models import Event, Job
from services.gateway.rules.circumstances import Circumstance, Known
from services.gateway.rules.facts import Said, consented, proposed
from services.gateway.rules.ground import Condition, gone
from services.gateway.rules.steps import MEMBERSHIP, Step, prefilled
from services.gateway.rules.templates import TEMPLATE_VERSION, TEMPLATES
from services.gateway.rules.transfer import (
    ROLES,
    Body,
    Decision,
    Move,
    NotOnHold,
    Role,
    Route,
    Status,
    TransferNotAllowed,
    all_approved,
    blocking,
    check_consent,
    check_decision,
    check_effective_date,
    check_way_back,
    moved,
)
from services.gateway.transfers import queries
from services.gateway.transfers.schemas import ConsentIn, EffectiveDateIn, FulfilmentIn
from services.kernel.auth import Caller, service_caller
from services.kernel.errors import NotFound, Unprocessable
from services.kernel.events import record
from services.kernel.jobs import enqueue
from services.kernel.types import london_date, plain, start_of_day, uuid7

SYSTEM = service_caller("gateway")
ENDED = frozenset({Status.COMPLETED, Status.CANCELLED})


async def tell(
    session: AsyncSession,
    row: Transfer,
    kind: str,
    caller: Caller,
    now: datetime,
    *,
    said: Said = ({}, {}),
    **data: Any,
) -> None:
    """Event and leaf of a change, and the transfer's version counted on; `said` is what only the leaf speaks of."""
    row.version += 1
    row.updated_at = now
    facts = {"transfer_id": row.id, "reference": row.reference, "status": row.status, **data}
    record(session, Event, kind=kind, subject_id=row.contract_id, actor=caller.actor(), data=facts, now=now)
    more, private = said
    leaf = {**facts, **more, "by": caller.client_id, "at": now, "version": row.version}
    await append_leaf(session, kind=kind, subject_id=row.contract_id, facts=leaf, private=private, now=now)


async def check_again(session: AsyncSession, row: Transfer) -> None:
    """Ask for the ground of a transfer to be checked: every gate that it passes does."""
    await enqueue(session, Job, kind="review", key=str(row.contract_id))


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a transfer begins with: the contract, its evidence, the way in, and what is known of the school."""

    contract: dict[str, Any]
    conditions: Sequence[Condition]
    route: Route
    needed: Sequence[Body]
    circumstances: Mapping[Circumstance, Known]


async def open_transfer(session: AsyncSession, *, proposal: Proposal, caller: Caller, now: datetime) -> Transfer | None:
    """Propose a transfer, with the conditions as evidence; None where one is under way, or was given up on this ground.

    What the commissioner has cancelled is proposed again once there is another verdict.
    """
    contract = proposal.contract
    if await queries.live_transfer(session, UUID(contract["id"])) is not None:
        return None
    if await queries.given_up(session, UUID(contract["id"]), contract["evaluation"]["id"]):
        return None
    row = Transfer(
        id=uuid7(),
        reference=await queries.next_reference(session, london_date(now).year),
        contract_id=UUID(contract["id"]),
        status=Status.PROPOSED,
        route=proposal.route,
        school_urn=int(contract["school"]["urn"]),
        trust_uid=contract["supplier"]["uid"],
        needed=[body.value for body in proposal.needed],
        evidence={
            "conditions": shown(proposal.conditions),
            "evaluation": contract["evaluation"],
            "circumstances": {name.value: asdict(each) for name, each in proposal.circumstances.items()},
            "template_version": TEMPLATE_VERSION,
        },
        ground=ground_of(contract, proposal.conditions, now),
        template_version=TEMPLATE_VERSION,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    await session.flush()
    for place, step in enumerate(TEMPLATES[proposal.route]):
        session.add(new_step(row.id, place, step, proposal.circumstances, now))
    await tell(session, row, "transfer.proposed", caller, now, said=proposed(row), route=row.route, needed=row.needed)
    return row


def ground_of(contract: dict[str, Any], found: Sequence[Condition], now: datetime) -> dict[str, Any]:
    """What a check of the conditions found, as it is kept."""
    return {"conditions": shown(found), "evaluation": contract["evaluation"], "checked_at": plain(now)}


def shown(found: Sequence[Condition]) -> list[dict[str, str]]:
    """Conditions as they are kept and shown."""
    return [{"code": each.code, "state": each.state, "detail": each.detail} for each in found]


def new_step(
    transfer_id: UUID, place: int, step: Step, found: Mapping[Circumstance, Known], now: datetime
) -> TransferStep:
    """A step of the list for this school: what is known not to apply is marked, with who says so."""
    alike = ("key", "title", "section", "owner", "actor", "document", "gate")
    start = prefilled(step, found)
    closed = start.known if start.status != "open" else None
    return TransferStep(
        transfer_id=transfer_id,
        place=place,
        depends_on=list(step.depends_on),
        asks=list(step.asks),
        optional=start.optional,
        status=start.status,
        known=asdict(start.known) if start.known else None,
        reason=closed.detail if closed else None,
        finished_at=now if closed else None,
        finished_by={"source": closed.source} if closed else None,
        **{name: getattr(step, name) for name in alike},
    )


async def past_return(session: AsyncSession, row: Transfer) -> bool:
    """Whether the school has joined, or is being made a member at this moment."""
    step = await queries.step(session, row.id, MEMBERSHIP)
    return step.started_at is not None or step.status == "done"


async def decisions(session: AsyncSession, row: Transfer) -> dict[str, Consent]:
    """The latest decision of each body that has decided."""
    return {each.by: each for each in await queries.consents(session, row.id)}


async def consent(session: AsyncSession, *, row: Transfer, body: ConsentIn, caller: Caller, now: datetime) -> Transfer:
    """Record the decision of one body; the latest decision of each is the one that counts."""
    role = ROLES[caller.kind]
    check_consent(row.needed, body.by, role)
    check_decision(body.decision, body.conditions, body.until, body.decided_on)
    if body.decided_on > london_date(now):
        raise Unprocessable("decided_on lies in the future.", errors=[{"pointer": "/decided_on"}])
    check_way_back(row.status != Status.COMPLETED and await past_return(session, row))
    latest = {by: Decision(each.decision) for by, each in (await decisions(session, row)).items()}
    latest[body.by.value] = body.decision
    row.reason_code = blocking(row.hold, latest)
    row.status = moved(Status(row.status), Move.BLOCK if row.reason_code else Move.CONSENT, role)
    given = Consent(transfer_id=row.id, recorded_at=now, recorded_by=caller.actor(), **body.model_dump())
    session.add(given)
    await session.flush()
    told = {"consent_by": body.by.value, "decision": body.decision.value, "until": body.until}
    await tell(session, row, "transfer.consent", caller, now, said=consented(given), **told)
    await schedule_if_ready(session, row=row, caller=caller, now=now)
    await check_again(session, row)
    return row


async def fulfil(
    session: AsyncSession, *, row: Transfer, by: Body, number: int, body: FulfilmentIn, caller: Caller, now: datetime
) -> Transfer:
    """A condition of a body's latest decision has been met; the body that made it says so."""
    check_consent(row.needed, by, ROLES[caller.kind])
    given = (await decisions(session, row)).get(by.value)
    if given is None or not 1 <= number <= len(given.conditions):
        raise NotFound("No such condition.")
    if (given.id, number) in await queries.fulfilments(session, [given.id]):
        raise TransferNotAllowed("The condition has been met already.")
    if body.fulfilled_on > london_date(now):
        raise Unprocessable("fulfilled_on lies in the future.", errors=[{"pointer": "/fulfilled_on"}])
    values = body.model_dump()
    session.add(Fulfilment(consent_id=given.id, number=number, recorded_at=now, recorded_by=caller.actor(), **values))
    said: Said = ({"fulfilled_on": body.fulfilled_on}, {"note": body.note})
    facts = {"consent_by": by.value, "condition": number}
    await tell(session, row, "transfer.condition_met", caller, now, said=said, **facts)
    await wake(session, row, now)
    return row


async def unmet_conditions(session: AsyncSession, row: Transfer) -> list[str]:
    """Conditions of the latest consents that have not been met, such as `rsc/1`; and bodies that have not consented."""
    latest = await decisions(session, row)
    met = await queries.fulfilments(session, [each.id for each in latest.values()])
    missing = [
        by for by in row.needed if by not in latest or not all_approved([by], {by: Decision(latest[by].decision)})
    ]
    return missing + [
        f"{by}/{number}"
        for by, each in latest.items()
        for number in range(1, len(each.conditions) + 1)
        if (each.id, number) not in met
    ]


async def set_effective_date(
    session: AsyncSession, *, row: Transfer, body: EffectiveDateIn, caller: Caller, now: datetime
) -> Transfer:
    """Set, change or confirm the day, for a reason that is kept."""
    check_effective_date(body.effective_on, london_date(now))
    check_way_back(row.status != Status.COMPLETED and await past_return(session, row))
    role = ROLES[caller.kind]
    moved(Status.SCHEDULED if row.status == Status.PROPOSED else Status(row.status), Move.SCHEDULE, role)
    row.effective_on, row.confirmed = body.effective_on, body.confirmed
    session.add(EffectiveDay(transfer_id=row.id, recorded_at=now, recorded_by=caller.actor(), **body.model_dump()))
    facts = {"effective_on": body.effective_on, "confirmed": body.confirmed}
    await tell(session, row, "transfer.effective_date", caller, now, said=({}, {"reason": body.reason}), **facts)
    await schedule_if_ready(session, row=row, caller=caller, now=now)
    await wake(session, row, now)
    await check_again(session, row)
    return row


async def schedule_if_ready(session: AsyncSession, *, row: Transfer, caller: Caller, now: datetime) -> None:
    """With every consent given and a day set, the day is waited for."""
    latest = {by: Decision(each.decision) for by, each in (await decisions(session, row)).items()}
    if row.status != Status.CONSENTING or row.effective_on is None or not all_approved(row.needed, latest):
        return
    row.status = moved(Status(row.status), Move.SCHEDULE, Role.WORKER)
    await tell(session, row, "transfer.scheduled", caller, now, effective_on=row.effective_on)
    await wake(session, row, now)


async def wake(session: AsyncSession, row: Transfer, now: datetime) -> None:
    """Have the day carried out when it comes, or now where it has come and something held it back."""
    if row.status == Status.SCHEDULED and row.effective_on is not None:
        run_at = max(now, start_of_day(row.effective_on))
        await enqueue(session, Job, kind="carry_out", key=str(row.id), run_at=run_at)


async def hold(session: AsyncSession, *, row: Transfer, reason: str, caller: Caller, now: datetime) -> Transfer:
    """Nothing moves until the transfer is taken up again; consents and steps can still be recorded."""
    check_way_back(row.status != Status.COMPLETED and await past_return(session, row))
    row.status = moved(Status(row.status), Move.HOLD, ROLES[caller.kind])
    row.hold = {"reason": reason, "since": plain(now), "by": caller.organisation}
    row.reason_code = "on_hold"
    await tell(session, row, "transfer.held", caller, now, said=({}, {"reason": reason}))
    return row


async def resume(session: AsyncSession, *, row: Transfer, reason: str, caller: Caller, now: datetime) -> Transfer:
    """Take a transfer up again; a body that declined still blocks it."""
    status = moved(Status(row.status), Move.RESUME, ROLES[caller.kind])
    if row.hold is None:
        raise NotOnHold("It is blocked by a body that declined; that body decides anew.")
    latest = {by: Decision(each.decision) for by, each in (await decisions(session, row)).items()}
    row.hold, row.reason_code = None, blocking(None, latest)
    row.status = Status.BLOCKED if row.reason_code else status
    await tell(session, row, "transfer.resumed", caller, now, said=({}, {"reason": reason}))
    await schedule_if_ready(session, row=row, caller=caller, now=now)
    await check_again(session, row)
    return row


async def cancel(session: AsyncSession, *, row: Transfer, reason: str, caller: Caller, now: datetime) -> Transfer:
    """Give the transfer up; not possible once the membership is being opened."""
    role = ROLES[caller.kind]
    moved(Status.PROPOSED, Move.CANCEL, role)
    check_way_back(await past_return(session, row))
    row.status = moved(Status(row.status), Move.CANCEL, role)
    row.reason_code = "cancelled_by_commissioner"
    await tell(session, row, "transfer.cancelled", caller, now, said=({}, {"reason": reason}))
    return row


async def note_ground(
    session: AsyncSession, *, row: Transfer, contract: dict[str, Any], found: Sequence[Condition], now: datetime
) -> bool:
    """Note what a check of the conditions found; says whether the transfer still stands.

    Ground that is gone withdraws it, with the evidence; past the point of no return a discrepancy is opened instead.
    """
    caller, past = SYSTEM, await past_return(session, row)
    missing = gone(found, joined=past)
    ground = ground_of(contract, found, now)
    if row.ground is None or row.ground | {"checked_at": ground["checked_at"]} != ground:
        row.ground, row.version, row.updated_at = ground, row.version + 1, now
    if past:
        if missing:
            words = next(each.detail for each in found if each.code == missing[0])
            await open_discrepancy(session, row=row, kind="ground_gone", detail=words, facts=ground, now=now)
        else:
            await close_discrepancy(session, row=row, kind="ground_gone", by="a later verdict", now=now)
        return True
    if not missing or row.status in ENDED:
        return row.status not in ENDED
    row.status = moved(Status(row.status), Move.WITHDRAW, Role.WORKER)
    row.reason_code = f"ground_gone:{missing[0]}"
    await tell(session, row, "transfer.withdrawn", caller, now, said=(ground, {}), gone=missing)
    return False


async def open_discrepancy(
    session: AsyncSession, *, row: Transfer, kind: str, detail: str, facts: dict[str, Any], now: datetime
) -> None:
    """Something does not agree with what was carried out; one of a kind is open at a time."""
    if any(each.kind == kind and each.closed_at is None for each in await queries.discrepancies(session, row.id)):
        return
    session.add(Discrepancy(transfer_id=row.id, kind=kind, detail=detail, facts=facts, opened_at=now))
    await tell(session, row, "transfer.discrepancy", SYSTEM, now, said=({}, {"detail": detail}), discrepancy=kind)


async def close_discrepancy(session: AsyncSession, *, row: Transfer, kind: str, by: str, now: datetime) -> None:
    """What did not agree does now."""
    for each in await queries.discrepancies(session, row.id):
        if each.kind == kind and each.closed_at is None:
            each.closed_at, each.closed_by = now, by
            session.add(each)
            await tell(session, row, "transfer.discrepancy_closed", SYSTEM, now, discrepancy=kind, closed_by=by)
