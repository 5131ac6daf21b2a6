"""What can be done with a transfer: opened by the gateway itself, consented to by people, carried out by the worker."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.log.service import append_leaf
from services.gateway.models import Consent, Event, Job, Transfer, TransferStep
from services.gateway.rules import steps as step_rules
from services.gateway.rules.facts import Said, consented, proposed
from services.gateway.rules.transfer import (
    ROLES,
    Body,
    Condition,
    Decision,
    Move,
    Role,
    Route,
    Status,
    after_consents,
    check_consent,
    check_effective_date,
    moved,
)
from services.gateway.transfers import queries
from services.gateway.transfers.schemas import CompletionIn, ConsentIn
from services.kernel.auth import Caller
from services.kernel.errors import NotFound, Unprocessable
from services.kernel.events import record
from services.kernel.jobs import enqueue
from services.kernel.types import london_date, plain, start_of_day, uuid7


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


async def open_transfer(
    session: AsyncSession,
    *,
    contract: dict[str, Any],
    conditions: Sequence[Condition],
    route: Route,
    needed: Sequence[Body],
    caller: Caller,
    now: datetime,
) -> Transfer | None:
    """Propose a transfer, with the conditions as evidence; None where one is under way already."""
    contract_id = UUID(contract["id"])
    if await queries.live_transfer(session, contract_id) is not None:
        return None
    row = Transfer(
        id=uuid7(),
        reference=await queries.next_reference(session, london_date(now).year),
        contract_id=contract_id,
        status=Status.PROPOSED,
        route=route,
        school_urn=int(contract["school"]["urn"]),
        trust_uid=contract["supplier"]["uid"],
        needed=[body.value for body in needed],
        evidence={
            "conditions": [plain({"code": c.code, "state": c.state, "detail": c.detail}) for c in conditions],
            "evaluation": contract["evaluation"],
            "template_version": step_rules.TEMPLATE_VERSION,
        },
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    await session.flush()
    for place, step in enumerate(step_rules.TEMPLATES[route]):
        names = ("key", "title", "section", "owner", "gate", "optional")
        values = {name: getattr(step, name) for name in names}
        depends_on = list(step.depends_on)
        session.add(TransferStep(transfer_id=row.id, place=place, depends_on=depends_on, status="open", **values))
    await tell(session, row, "transfer.proposed", caller, now, said=proposed(row), route=route.value, needed=row.needed)
    return row


async def consent(session: AsyncSession, *, row: Transfer, body: ConsentIn, caller: Caller, now: datetime) -> Transfer:
    """Record the decision of one body; the latest decision of each is the one that counts."""
    role = ROLES[caller.kind]
    check_consent(row.needed, body.by, role)
    if body.decided_on > london_date(now):
        raise Unprocessable("decided_on lies in the future.", errors=[{"pointer": "/decided_on"}])
    latest = {**await decisions(session, row), body.by.value: body.decision}
    declined = [by for by, decision in latest.items() if decision is Decision.DECLINED]
    row.status = moved(Status(row.status), Move.BLOCK if declined else Move.CONSENT, role)
    row.reason_code = f"declined_by_{declined[0]}" if declined else None
    given = Consent(transfer_id=row.id, recorded_at=now, recorded_by=caller.actor(), **body.model_dump())
    session.add(given)
    await session.flush()
    told = {"consent_by": body.by.value, "decision": body.decision.value}
    await tell(session, row, "transfer.consent", caller, now, said=consented(given), **told)
    await schedule_if_ready(session, row=row, caller=caller, now=now)
    return row


async def decisions(session: AsyncSession, row: Transfer) -> dict[str, Decision]:
    """The latest decision of each body that has decided."""
    return {each.by: Decision(each.decision) for each in await queries.consents(session, row.id)}


async def set_effective_date(
    session: AsyncSession, *, row: Transfer, effective_on: date, reason: str, caller: Caller, now: datetime
) -> Transfer:
    """Set or change the day, for a reason that is kept."""
    check_effective_date(effective_on, london_date(now))
    role = ROLES[caller.kind]
    if row.status != Status.PROPOSED:
        moved(Status(row.status), Move.SCHEDULE, role)
    elif role is not Role.COMMISSIONER:
        moved(Status.SCHEDULED, Move.SCHEDULE, role)
    row.effective_on = effective_on
    said: Said = ({}, {"reason": reason})
    await tell(session, row, "transfer.effective_date", caller, now, said=said, effective_on=effective_on)
    await schedule_if_ready(session, row=row, caller=caller, now=now)
    return row


async def schedule_if_ready(session: AsyncSession, *, row: Transfer, caller: Caller, now: datetime) -> None:
    """With every consent given and a day set, the day is waited for."""
    if after_consents(row.needed, await decisions(session, row)) != "approved" or row.effective_on is None:
        return
    row.status = moved(Status(row.status), Move.SCHEDULE, Role.WORKER)
    await tell(session, row, "transfer.scheduled", caller, now, effective_on=row.effective_on)
    await enqueue(session, Job, kind="carry_out", key=str(row.id), run_at=max(now, start_of_day(row.effective_on)))


async def complete_step(
    session: AsyncSession, *, row: Transfer, key: str, body: CompletionIn, caller: Caller, now: datetime
) -> Transfer:
    """The owner of a step has finished it, or says with a reason that it does not apply."""
    if row.status in {Status.COMPLETED, Status.CANCELLED}:
        moved(Status(row.status), Move.CONSENT, Role.COMMISSIONER)
    found = await queries.steps(session, row.id)
    statuses = {step.key: step.status for step in found}
    step = next((step for step in found if step.key == key), None)
    if step is None:
        raise NotFound("No such step.")
    if body.not_applicable and not body.reason:
        raise Unprocessable("Say why the step does not apply.", errors=[{"pointer": "/reason"}])
    step_rules.check_completion(
        owner=Role(step.owner),
        role=ROLES[caller.kind],
        status=step.status,
        optional=step.optional,
        applicable=not body.not_applicable,
        waiting=step_rules.waiting_for(step.depends_on, statuses),
    )
    step.status = "not_applicable" if body.not_applicable else "done"
    step.reason, step.finished_at, step.finished_by = body.reason, now, caller.actor()
    said: Said = ({}, {"reason": step.reason})
    await tell(session, row, "transfer.step", caller, now, said=said, step=key, step_status=step.status)
    if row.status == Status.SCHEDULED and row.effective_on is not None:
        run_at = max(now, start_of_day(row.effective_on))
        await enqueue(session, Job, kind="carry_out", key=str(row.id), run_at=run_at)
    return row


async def cancel(session: AsyncSession, *, row: Transfer, reason: str, caller: Caller, now: datetime) -> Transfer:
    """Give the transfer up; not possible once the membership was opened."""
    found = await queries.steps(session, row.id)
    role = ROLES[caller.kind]
    if any(step.key == "open_membership" and step.status == "done" for step in found):
        moved(Status.COMPLETED, Move.CANCEL, role)
    row.status = moved(Status(row.status), Move.CANCEL, role)
    row.reason_code = "cancelled_by_commissioner"
    await tell(session, row, "transfer.cancelled", caller, now, said=({}, {"reason": reason}))
    return row


async def next_act(session: AsyncSession, *, row: Transfer, now: datetime) -> str | None:
    """The act of the system that is due on this transfer now, or None; an open gate is noted as the reason.

    A day that was put off is waited for again.
    """
    if row.status != Status.SCHEDULED or row.effective_on is None:
        return None
    if row.effective_on > london_date(now):
        await enqueue(session, Job, kind="carry_out", key=str(row.id), run_at=start_of_day(row.effective_on))
        return None
    found = await queries.steps(session, row.id)
    gates = [step.key for step in found if step.gate and step.status == "open"]
    row.reason_code = f"waiting_for_{gates[0]}" if gates else None
    acts = [step.key for step in found if step.section == "the_day" and step.status == "open"]
    return None if gates or not acts else acts[0]


async def finish_act(
    session: AsyncSession, *, transfer_id: UUID, key: str, answer: dict[str, Any], caller: Caller, now: datetime
) -> None:
    """An act of the system has been answered by the other side; the last one completes the transfer."""
    row = await queries.locked_transfer(session, transfer_id)
    found = await queries.steps(session, row.id)
    step = next(step for step in found if step.key == key)
    if step.status != "open":
        return
    step.status, step.finished_at, step.finished_by = "done", now, caller.actor()
    if key == "open_membership":
        row.result = answer
    await tell(session, row, "transfer.step", caller, now, step=key, step_status="done")
    if all(each.status != "open" for each in found if each.section == "the_day"):
        row.status = moved(Status(row.status), Move.COMPLETE, Role.WORKER)
        await tell(session, row, "transfer.completed", caller, now, effective_on=row.effective_on)
