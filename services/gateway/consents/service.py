"""Recording what each body decides on a transfer, and that its conditions have been met."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.consents.schemas import ConsentIn, FulfilmentIn
from services.gateway.joining import Consent, Fulfilment, Transfer
from services.gateway.rules.facts import Said, consented
from services.gateway.rules.hand_over import check_told, told
from services.gateway.rules.transfer import (
    ROLES,
    Body,
    Decision,
    Move,
    Status,
    TransferNotAllowed,
    blocking,
    check_consent,
    check_decision,
    check_way_back,
    moved,
)
from services.gateway.transfers import queries
from services.gateway.transfers.effect import check_again, decisions, past_return, schedule_if_ready, tell, wake
from services.kernel.auth import Caller
from services.kernel.errors import NotFound, Unprocessable
from services.kernel.types import london_date


async def consent(session: AsyncSession, *, row: Transfer, body: ConsentIn, caller: Caller, now: datetime) -> Transfer:
    """Record the decision of one body; the latest decision of each is the one that counts."""
    role = ROLES[caller.kind]
    check_consent(row.needed, body.by, role)
    check_decision(body.decision, body.conditions, body.until, body.decided_on)
    check_told(body.by, told(body.model_dump()), london_date(now))
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
    data = {"consent_by": body.by.value, "decision": body.decision.value, "until": body.until}
    await tell(session, row, "transfer.consent", caller, now, said=consented(given), **data)
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
