"""What can be done with a contract: load, decide by the rules, write rows, events and jobs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts import queries
from services.contracts.calls import Facts
from services.contracts.events import tell
from services.contracts.models import Contract, Job, Milestone, Outcome, Payment, Signature
from services.contracts.payments.service import earn
from services.contracts.rules import money, terms
from services.contracts.rules.life import PARTIES, ROLES, Move, Role, Status, all_signed, may_sign, moved
from services.contracts.rules.milestones import MilestoneStatus, all_decided
from services.contracts.schemas import SignatureIn
from services.kernel.auth import Caller
from services.kernel.jobs import enqueue
from services.kernel.types import day_after, london_date, start_of_day


def parties(school: terms.School, trust: terms.Trust) -> dict[str, Any]:
    """School, supplier and responsible body as GIAS shows them now."""
    if school.trust_uid:
        body = {"kind": "trust", "uid": school.trust_uid, "name": school.trust_name}
    else:
        body = {"kind": "local_authority", "code": school.la_code, "name": school.la_name}
    facts = {"urn": str(school.urn), "name": school.name, "region": school.region, "la_code": school.la_code}
    return {
        "school": {**facts, "la_name": school.la_name, "kind_group": school.kind_group},
        "supplier": {
            "uid": trust.uid,
            "name": trust.name,
            "companies_house_number": trust.companies_house_number,
            "ukprn": trust.ukprn,
        },
        "responsible_body": body,
    }


def agreement(row: Contract, outcomes: list[Outcome], milestones: list[Milestone]) -> dict[str, Any]:
    """Everything that the parties put their names to."""
    scalars = [
        "reference",
        "title",
        "organisation",
        "school_urn",
        "supplier_uid",
        "legal_route",
        "starts_on",
        "ends_on",
        "fee_pence",
        "value_pence",
        "transfer_intended",
        "interventions",
        "outcomes_rationale",
    ]
    promised = ("code", "title", "kind", "due_on", "required", "payment_pence")
    return {
        **{name: getattr(row, name) for name in scalars},
        "outcomes": [each.model_dump(exclude={"contract_id"}) for each in outcomes],
        "milestones": [{name: getattr(each, name) for name in promised} for each in milestones],
    }


async def offer(session: AsyncSession, *, row: Contract, caller: Caller, now: datetime) -> Contract:
    """Put the draft to the other parties; from here on its terms are frozen under their hash."""
    offered = moved(Status(row.status), Move.OFFER, ROLES[caller.kind])
    outcomes, milestones = await queries.outcomes(session, [row.id]), await queries.milestones(session, [row.id])
    row.status, row.agreed_hash = offered, terms.agreement_hash(agreement(row, outcomes, milestones))
    tell(session, row, "contract.offered", caller, now, agreed_hash=row.agreed_hash)
    return row


async def sign(
    session: AsyncSession, *, row: Contract, body: SignatureIn, facts: Facts, caller: Caller, now: datetime
) -> Contract:
    """One party's signature; with the last one the contract is agreed, with the parties as they stand now."""
    may_sign(body.party, ROLES[caller.kind], Status(row.status))
    if body.signed_on > london_date(now):
        raise terms.BadTerms("A signature cannot be dated in the future.", errors=[{"pointer": "/signed_on"}])
    urn = str(row.school_urn)
    school, trust = terms.check_parties(urn, facts.school, row.supplier_uid, facts.trust)
    given = body.model_dump()
    session.add(
        Signature(
            contract_id=row.id, agreed_hash=str(row.agreed_hash), client_id=caller.client_id, recorded_at=now, **given
        )
    )
    await session.flush()
    tell(session, row, "contract.signed", caller, now, party=body.party, agreed_hash=row.agreed_hash)
    signed = frozenset(Role(each.party) for each in await queries.signatures(session, [row.id]))
    if all_signed(signed):
        await agree(session, row=row, school=school, trust=trust, caller=caller, now=now)
    return row


async def agree(
    session: AsyncSession, *, row: Contract, school: terms.School, trust: terms.Trust, caller: Caller, now: datetime
) -> None:
    """All parties have signed: keep them as they stand, lay out the payments, wait for the first day."""
    row.status = moved(Status(row.status), Move.AGREE, ROLES[caller.kind])
    for name, value in parties(school, trust).items():
        setattr(row, name, value)
    outcomes, milestones = await queries.outcomes(session, [row.id]), await queries.milestones(session, [row.id])
    parts = money.schedule(
        row.fee_pence,
        [(each.code, each.payment_pence) for each in milestones],
        [(each.code, each.payment_pence) for each in outcomes],
    )
    for part in parts:
        session.add(
            Payment(
                contract_id=row.id,
                kind=part.kind,
                code=part.code,
                amount_pence=part.amount_pence,
                status=money.PaymentStatus.SCHEDULED,
                updated_at=now,
            )
        )
    tell(session, row, "contract.agreed", caller, now, parties=[each.value for each in PARTIES])
    await enqueue(session, Job, kind="activate", key=str(row.id), run_at=start_of_day(row.starts_on))


async def move(
    session: AsyncSession, *, row: Contract, step: Move, reason: str, caller: Caller, now: datetime
) -> Contract:
    """Cancel, suspend, resume or terminate, for a reason that is kept."""
    row.status = moved(Status(row.status), step, ROLES[caller.kind])
    row.reason_code = step.value
    if step is Move.TERMINATE:
        row.ended_on = min(row.ends_on, london_date(now))
        await enqueue(session, Job, kind="ring_fence", key=str(row.id))
    tell(session, row, f"contract.{row.status}", caller, now, reason=reason)
    return row


async def activate(session: AsyncSession, *, contract_id: UUID, caller: Caller, now: datetime) -> None:
    """The first day has come: the contract is active, the fee is earned, the ring-fence is to be opened."""
    row = await queries.locked_contract(session, contract_id)
    if row.status != Status.AGREED or row.starts_on > london_date(now):
        return
    row.status = moved(Status(row.status), Move.ACTIVATE, Role.CLOCK)
    await earn(
        session, row=row, kind=money.PaymentKind.FEE, code="FEE", earned_on=row.starts_on, caller=caller, now=now
    )
    tell(session, row, "contract.active", caller, now)
    await enqueue(session, Job, kind="ring_fence", key=str(row.id))
    await enqueue(session, Job, kind="close", key=str(row.id), run_at=start_of_day(day_after(row.ends_on)))


async def close(session: AsyncSession, *, contract_id: UUID, caller: Caller, now: datetime) -> None:
    """The last day has passed: completed when every required milestone was decided, else expired."""
    row = await queries.locked_contract(session, contract_id)
    if row.status not in {Status.ACTIVE, Status.SUSPENDED} or row.ends_on >= london_date(now):
        return
    decided = await required_decided(session, row)
    step = Move.COMPLETE if decided and row.status == Status.ACTIVE else Move.EXPIRE
    if step is Move.EXPIRE:
        row.reason_code = "suspended_at_end" if row.status == Status.SUSPENDED else "milestones_undecided"
    row.status = moved(Status(row.status), step, Role.CLOCK)
    row.ended_on = row.ends_on
    tell(session, row, f"contract.{row.status}", caller, now, reason=row.reason_code)


async def transfer(
    session: AsyncSession, *, contract_id: UUID, transfer_id: UUID, caller: Caller, now: datetime
) -> Contract:
    """The school has become a full member: the contract is frozen. Saying so again changes nothing."""
    row = await queries.locked_contract(session, contract_id)
    if row.status == Status.TRANSFERRED and row.transfer_id == transfer_id:
        return row
    row.status = moved(Status(row.status), Move.TRANSFER, Role.GATEWAY)
    row.transfer_id = transfer_id
    tell(session, row, "contract.transferred", caller, now, transfer_id=transfer_id)
    return row


async def note_ring_fence(
    session: AsyncSession, *, contract_id: UUID, body: dict[str, Any], caller: Caller, now: datetime
) -> None:
    """The ring-fence stands in outcomes with these days; noting it twice changes nothing."""
    row = await queries.locked_contract(session, contract_id)
    days = {"starts_on": body["starts_on"], "ends_on": body["ends_on"]}
    noted = await queries.last_event(session, contract_id, "contract.ring_fenced")
    if noted is not None and {name: noted.data[name] for name in days} == days:
        return
    tell(session, row, "contract.ring_fenced", caller, now, **days)


async def required_decided(session: AsyncSession, row: Contract) -> bool:
    """Whether every required milestone of the contract has been decided."""
    required = [each for each in await queries.milestones(session, [row.id]) if each.required]
    return all_decided([MilestoneStatus(each.status) for each in required])
