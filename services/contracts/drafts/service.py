"""What can be done with a draft: made, made anew, and what its parties will put their names to."""

from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts import queries
from services.contracts.calls import Facts
from services.contracts.drafts.schemas import ContractIn
from services.contracts.events import tell
from services.contracts.models import Contract, Event, Milestone, Outcome
from services.contracts.rules import money, terms
from services.contracts.rules.life import ROLES, Move, Status, moved
from services.contracts.rules.milestones import MilestoneStatus
from services.contracts.service import parties
from services.kernel.auth import Caller
from services.kernel.events import record
from services.kernel.types import Kind, london_date, uuid7


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
