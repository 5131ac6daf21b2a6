"""What can be done with a contract: load, decide by the rules, write rows, events and jobs."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts import queries
from services.contracts.calls import Facts
from services.contracts.models import AppliedRecord, Contract, Event, Job, Milestone, Outcome, Payment, Signature
from services.contracts.rules import money, terms
from services.contracts.rules.life import PARTIES, Move, Role, Status, all_signed, may_sign, moved
from services.contracts.rules.milestones import Applied, MilestoneStatus, all_decided, apply_record, payment_after
from services.contracts.schemas import ContractIn, RecordIn, SignatureIn
from services.kernel.auth import Caller, Kind
from services.kernel.events import record
from services.kernel.jobs import enqueue
from services.kernel.types import day_after, london_date, start_of_day, uuid7

ROLES = {
    Kind.COMMISSIONER: Role.COMMISSIONER,
    Kind.SUPPLIER: Role.SUPPLIER,
    Kind.RESPONSIBLE_BODY: Role.RESPONSIBLE_BODY,
    Kind.DFE: Role.DFE,
    Kind.SERVICE: Role.CLOCK,
}


def tell(session: AsyncSession, row: Contract, kind: str, caller: Caller, now: datetime, **data: Any) -> None:
    """Write the event of a change, and count the contract's version on."""
    row.version += 1
    row.updated_at = now
    facts = {"status": row.status, "version": row.version, "reference": row.reference, **data}
    record(session, Event, kind=kind, subject_id=row.id, actor=caller.actor(), data=facts, now=now)


def check(body: ContractIn, facts: Facts, caller: Caller) -> tuple[terms.School, terms.Trust]:
    """Raise unless these terms may be drafted by this caller."""
    school, trust = terms.check_parties(body.school_urn, facts.school, body.supplier_uid, facts.trust)
    terms.check_area(school, caller.regions, caller.la_codes)
    terms.check_term(body.term.starts_on, body.term.ends_on)
    terms.check_codes("outcomes", [each.code for each in body.outcomes])
    terms.check_codes("milestones", [each.code for each in body.milestones])
    terms.check_milestones([each.due_on for each in body.milestones], body.term.starts_on, body.term.ends_on)
    agreed = [
        terms.AgreedOutcome(each.code, each.measure, facts.measures[each.measure]["domain"], each.weight)
        for each in body.outcomes
    ]
    terms.check_outcomes(agreed, body.outcomes_rationale)
    return school, trust


async def draft(session: AsyncSession, *, body: ContractIn, facts: Facts, caller: Caller, now: datetime) -> Contract:
    """A new draft, commissioned by the caller's organisation."""
    if caller.kind is not Kind.COMMISSIONER:
        moved(Status.DRAFT, Move.OFFER, ROLES[caller.kind])
    school, trust = check(body, facts, caller)
    row = Contract(
        id=uuid7(),
        reference=await queries.next_reference(session, london_date(now).year),
        status=Status.DRAFT,
        organisation=caller.organisation,
        commissioner={"organisation": caller.organisation, "name": caller.name},
        created_at=now,
        updated_at=now,
        **columns(body, school, trust),
    )
    session.add(row)
    await session.flush()
    write_terms(session, row, body, facts)
    record(
        session,
        Event,
        kind="contract.drafted",
        subject_id=row.id,
        actor=caller.actor(),
        data={"status": row.status, "version": row.version, "reference": row.reference, "value_pence": row.value_pence},
        now=now,
    )
    return row


async def redraft(
    session: AsyncSession, *, row: Contract, body: ContractIn, facts: Facts, caller: Caller, now: datetime
) -> Contract:
    """Replace the terms of a draft."""
    moved(Status(row.status), Move.OFFER, ROLES[caller.kind])
    school, trust = check(body, facts, caller)
    for old in [*await queries.outcomes(session, [row.id]), *await queries.milestones(session, [row.id])]:
        await session.delete(old)
    await session.flush()
    for name, value in columns(body, school, trust).items():
        setattr(row, name, value)
    write_terms(session, row, body, facts)
    tell(session, row, "contract.redrafted", caller, now, value_pence=row.value_pence)
    return row


def columns(body: ContractIn, school: terms.School, trust: terms.Trust) -> dict[str, Any]:
    """The columns of a contract that follow from its terms and parties."""
    parts = money.schedule(
        body.fee_pence,
        [(each.code, each.payment_pence) for each in body.milestones],
        [(each.code, each.payment_pence) for each in body.outcomes],
    )
    return {
        "title": body.title,
        "school_urn": school.urn,
        "supplier_uid": trust.uid,
        "region": school.region,
        "la_code": school.la_code,
        "legal_route": body.legal_route,
        "starts_on": body.term.starts_on,
        "ends_on": body.term.ends_on,
        "fee_pence": body.fee_pence,
        "value_pence": money.value_pence(parts),
        "transfer_intended": body.transfer_intended,
        "interventions": [each.model_dump() for each in body.interventions],
        "outcomes_rationale": body.outcomes_rationale,
        **parties(school, trust),
    }


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


def write_terms(session: AsyncSession, row: Contract, body: ContractIn, facts: Facts) -> None:
    """The rows of the agreed outcomes and milestones."""
    for place, each in enumerate(body.outcomes):
        session.add(
            Outcome(
                contract_id=row.id,
                place=place,
                domain=facts.measures[each.measure]["domain"],
                target_mode=each.target.mode,
                target_value=each.target.value,
                baseline=facts.measures[each.measure]["baseline"],
                **each.model_dump(exclude={"target"}),
            )
        )
    for milestone in body.milestones:
        session.add(Milestone(contract_id=row.id, status=MilestoneStatus.SCHEDULED, **milestone.model_dump()))


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


async def required_decided(session: AsyncSession, row: Contract) -> bool:
    """Whether every required milestone of the contract has been decided."""
    required = [each for each in await queries.milestones(session, [row.id]) if each.required]
    return all_decided([MilestoneStatus(each.status) for each in required])


async def earn(
    session: AsyncSession,
    *,
    row: Contract,
    kind: money.PaymentKind,
    code: str,
    earned_on: date,
    caller: Caller,
    now: datetime,
) -> None:
    """A part of the contract's value was earned on a day and falls due; a part earned before stays as it was."""
    payment = await queries.payment(session, row.id, kind, code)
    if payment is None or payment.status != money.PaymentStatus.SCHEDULED:
        return
    payment.status = money.PaymentStatus.EARNED
    payment.earned_on = earned_on
    payment.due_on = money.due_on(earned_on)
    payment.updated_at = now
    facts = {"part": kind.value, "code": code, "amount_pence": payment.amount_pence, "due_on": payment.due_on}
    tell(session, row, "payment.earned", caller, now, payment_id=payment.id, **facts)


async def apply(
    session: AsyncSession, *, record_id: UUID, body: RecordIn, caller: Caller, now: datetime
) -> AppliedRecord:
    """Apply a milestone record of the gateway, once: the same record again gives the first answer."""
    row = await queries.locked_contract(session, body.contract_id)
    before = await queries.applied_record(session, record_id)
    if before is not None:
        return before
    milestone = await queries.milestone(session, row.id, body.milestone_code)
    present = MilestoneStatus(milestone.status) if milestone else None
    result = apply_record(Status(row.status), present, body.status)
    applied = AppliedRecord(
        record_id=record_id,
        contract_id=row.id,
        milestone_code=body.milestone_code,
        result=result,
        applied_at=now,
    )
    session.add(applied)
    if milestone is not None and result is Applied.APPLIED:
        milestone.status, milestone.decided_on, milestone.record_id = body.status, body.occurred_on, record_id
        facts = {"code": milestone.code, "milestone_status": body.status.value, "record_id": record_id}
        tell(session, row, "milestone.decided", caller, now, **facts)
        if payment_after(body.status) is money.PaymentStatus.EARNED:
            kind, day = money.PaymentKind.MILESTONE, london_date(body.recorded_at)
            await earn(session, row=row, kind=kind, code=milestone.code, earned_on=day, caller=caller, now=now)
        late = row.status == Status.EXPIRED and row.reason_code == "milestones_undecided"
        if late and await required_decided(session, row):
            row.status, row.reason_code = moved(Status.EXPIRED, Move.COMPLETE, Role.CLOCK), "decided_late"
            tell(session, row, "contract.completed", caller, now, reason=row.reason_code)
    return applied


async def note_evaluation(
    session: AsyncSession, *, row: Contract, evaluation: dict[str, Any], caller: Caller, now: datetime
) -> None:
    """Keep the latest verdict on the contract, for those who decide on it; noting it twice changes nothing."""
    kept = ("id", "academic_year", "run", "overall", "score", "release_status", "vetoes", "kpi_rating", "flags")
    summary = {name: evaluation[name] for name in kept}
    summary["critical_not_met"] = evaluation["critical_not_met"]
    if row.evaluation == summary:
        return
    row.evaluation = summary
    tell(session, row, "contract.evaluated", caller, now, evaluation=summary)


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
    """The ring-fence stands in outcomes with these days."""
    row = await queries.locked_contract(session, contract_id)
    days = {"starts_on": body["starts_on"], "ends_on": body["ends_on"]}
    tell(session, row, "contract.ring_fenced", caller, now, **days)
