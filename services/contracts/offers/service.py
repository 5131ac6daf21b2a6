"""What can be done with an offer, until every party has signed it or it is no more."""

from datetime import date, datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts import queries
from services.contracts.agreements import agreement, parties_of
from services.contracts.calls import Facts
from services.contracts.events import tell
from services.contracts.models import Contract, Job, Signature
from services.contracts.offers.schemas import SignatureIn
from services.contracts.payments.service import lay_out
from services.contracts.rules import parties, terms
from services.contracts.rules.life import PARTIES, ROLES, Move, Role, Status, all_signed, may_sign, moved
from services.contracts.suppliers.service import check_offer
from services.kernel.auth import Caller
from services.kernel.jobs import enqueue
from services.kernel.types import day_after, london_date, start_of_day


def document(row: Contract) -> str:
    """What the signatures of the present offer stand under."""
    return f"offer/{row.offer['number']}" if row.offer else "offer/0"


async def check_supplier(session: AsyncSession, *, row: Contract, pupils: int | None, caller: Caller) -> None:
    """Raise unless the supplier may enter into the contract; its capacity is asked for up to the latest possible end.

    So neither an extension nor a suspension that stops the clock can take more than was there when it signed.
    """
    urns = {int(each["value"]) for each in row.identifiers if each["scheme"] == "urn"}
    await check_offer(
        session,
        trust=(row.supplier_uid, row.supplier["name"]),
        contract_id=row.id,
        urns=urns | {row.school_urn},
        starts_on=row.starts_on,
        ends_on=row.latest_ends_on,
        pupils=pupils,
        committed=row.committed_at is not None,
        caller=caller,
    )


async def offer(
    session: AsyncSession, *, row: Contract, lapses_on: date | None, caller: Caller, now: datetime
) -> Contract:
    """Put the draft to the other parties; from here on its terms are frozen under their hash."""
    offered, today = moved(Status(row.status), Move.OFFER, ROLES[caller.kind]), london_date(now)
    last = lapses_on or row.starts_on
    terms.check_offer(today, last, row.starts_on)
    await check_supplier(session, row=row, pupils=row.pupils, caller=caller)
    outcomes, milestones = await queries.outcomes(session, [row.id]), await queries.milestones(session, [row.id])
    row.status, row.agreed_hash = offered, terms.agreement_hash(agreement(row, outcomes, milestones))
    row.reason_code = None
    number = row.offer["number"] + 1 if row.offer else 1
    row.offer = {"number": number, "offered_on": today.isoformat(), "lapses_on": last.isoformat()}
    await tell(session, row, "contract.offered", caller, now, agreed_hash=row.agreed_hash)
    await enqueue(session, Job, kind="lapse", key=str(row.id), run_at=start_of_day(day_after(last)))
    return row


async def sign(
    session: AsyncSession, *, row: Contract, body: SignatureIn, facts: Facts, caller: Caller, now: datetime
) -> Contract:
    """One party's signature; with the last one the contract is agreed, with the parties as they stand now."""
    may_sign(body.party, ROLES[caller.kind], Status(row.status))
    offered_on = date.fromisoformat(row.offer["offered_on"]) if row.offer else body.signed_on
    terms.check_signed_on(body.signed_on, offered_on, london_date(now))
    school, trust = parties.check_parties(str(row.school_urn), facts.school, row.supplier_uid, facts.trust)
    pupils = row.pupils if school.pupils is None else school.pupils
    await check_supplier(session, row=row, pupils=pupils, caller=caller)
    if body.party is Role.SUPPLIER:
        row.committed_at, row.pupils = now, pupils
    session.add(
        Signature(
            contract_id=row.id,
            document=document(row),
            agreed_hash=str(row.agreed_hash),
            client_id=caller.client_id,
            recorded_at=now,
            **body.model_dump(),
        )
    )
    await tell(session, row, "contract.signed", caller, now, party=body.party, agreed_hash=row.agreed_hash)
    signed = [each for each in await queries.signatures(session, [row.id]) if each.document == document(row)]
    if all_signed(frozenset(Role(each.party) for each in signed)):
        row.entered_on = max(each.signed_on for each in signed)
        await agree(session, row=row, school=school, trust=trust, caller=caller, now=now)
    return row


async def agree(
    session: AsyncSession, *, row: Contract, school: parties.School, trust: parties.Trust, caller: Caller, now: datetime
) -> None:
    """All parties have signed: keep them as they stand, lay out the payments, wait for the first day."""
    row.status = moved(Status(row.status), Move.AGREE, ROLES[caller.kind])
    for name, value in parties_of(school, trust).items():
        setattr(row, name, value)
    row.pupils = row.pupils if school.pupils is None else school.pupils
    outcomes, milestones = await queries.outcomes(session, [row.id]), await queries.milestones(session, [row.id])
    await lay_out(session, row=row, promised=milestones, agreed=outcomes, on=london_date(now), now=now)
    await tell(session, row, "contract.agreed", caller, now, parties=[each.value for each in PARTIES])
    await enqueue(session, Job, kind="activate", key=str(row.id), run_at=start_of_day(row.starts_on))


async def withdraw(session: AsyncSession, *, row: Contract, reason: str, caller: Caller, now: datetime) -> Contract:
    """Take the offer back: the contract is a draft again, and signatures under the offer count no more."""
    row.status = moved(Status(row.status), Move.WITHDRAW, ROLES[caller.kind])
    row.reason_code, row.agreed_hash, row.committed_at = "withdrawn", None, None
    await tell(session, row, "contract.withdrawn", caller, now, reason=reason)
    return row


async def refuse(session: AsyncSession, *, row: Contract, reason: str, caller: Caller, now: datetime) -> Contract:
    """A party will not sign: the offer is at its end."""
    return await end(session, row=row, step=Move.REFUSE, reason=reason, caller=caller, now=now)


async def cancel(session: AsyncSession, *, row: Contract, reason: str, caller: Caller, now: datetime) -> Contract:
    """The commissioner gives the contract up before it was signed by all."""
    return await end(session, row=row, step=Move.CANCEL, reason=reason, caller=caller, now=now)


ENDS = {Move.REFUSE: "refused", Move.CANCEL: "cancelled", Move.LAPSE: "lapsed"}
"""How a contract that was never agreed came to its end."""


async def end(
    session: AsyncSession, *, row: Contract, step: Move, reason: str, caller: Caller, now: datetime
) -> Contract:
    """The contract was never agreed and never will be; why, stands in its reason code."""
    role = Role.CLOCK if step is Move.LAPSE else ROLES[caller.kind]
    row.status = moved(Status(row.status), step, role)
    row.reason_code, row.committed_at = ENDS[step], None
    await tell(session, row, "contract.cancelled", caller, now, reason=reason, reason_code=row.reason_code)
    return row


async def lapse(session: AsyncSession, *, contract_id: UUID, caller: Caller, now: datetime) -> None:
    """The last day of the offer has passed without the signatures of all."""
    row = await queries.locked_contract(session, contract_id)
    if row.status != Status.OFFERED or row.offer is None:
        return
    last = date.fromisoformat(row.offer["lapses_on"])
    if last >= london_date(now):
        await enqueue(session, Job, kind="lapse", key=str(row.id), run_at=start_of_day(day_after(last)))
        return
    reason = f"The offer stood until {last} and was not signed by all."
    await end(session, row=row, step=Move.LAPSE, reason=reason, caller=caller, now=now)
