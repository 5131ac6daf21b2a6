"""What can be done with a draft: made, made anew, and what its parties will put their names to."""

from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts import queries
from services.contracts.agreements import parties_of
from services.contracts.calls import Facts
from services.contracts.drafts.schemas import ContractIn, OutcomeIn
from services.contracts.events import tell
from services.contracts.models import Contract, Milestone, Outcome
from services.contracts.rules import parties, terms
from services.contracts.rules.life import ROLES, Move, Status, moved
from services.contracts.rules.milestones import MilestoneStatus
from services.kernel.auth import Caller
from services.kernel.types import Kind, london_date, uuid7


def check(body: ContractIn, facts: Facts, caller: Caller) -> tuple[parties.School, parties.Trust]:
    """Raise unless these terms may be drafted by this caller."""
    school, trust = parties.check_parties(body.school_urn, facts.school, body.supplier_uid, facts.trust)
    parties.check_area(school, caller.regions, caller.la_codes)
    check_terms(body, facts)
    return school, trust


def check_terms(body: ContractIn, facts: Facts) -> None:
    """Raise unless these terms make sense together, whoever the parties are."""
    term = body.term
    terms.check_route(body.legal_route, body.legal_route_detail)
    terms.check_term(term.starts_on, term.ends_on)
    terms.check_leaving(term.starts_on, term.ends_on, term.latest_ends_on or term.ends_on, term.break_points)
    terms.check_codes("outcomes", [each.code for each in body.outcomes])
    terms.check_codes("milestones", [each.code for each in body.milestones])
    promises = [terms.Promise(each.code, each.due_on, each.depends_on) for each in body.milestones]
    terms.check_milestones(promises, term.starts_on, term.ends_on)
    for place, each in enumerate(body.outcomes):
        terms.check_payment(place, each.payment_pence, each.floor, each.full)
    agreed = [
        terms.AgreedOutcome(each.code, each.measure, facts.measures[each.measure]["domain"], each.weight)
        for each in body.outcomes
    ]
    terms.check_outcomes(agreed, body.outcomes_rationale)


async def draft(session: AsyncSession, *, body: ContractIn, facts: Facts, caller: Caller, now: datetime) -> Contract:
    """A new draft, commissioned by the caller's organisation."""
    if caller.kind is not Kind.COMMISSIONER:
        moved(Status.DRAFT, Move.OFFER, ROLES[caller.kind])
    school, trust = check(body, facts, caller)
    await queries.lock_school(session, str(school.school_id or school.urn))
    row = Contract(
        id=uuid7(),
        reference=await queries.next_reference(session, london_date(now).year),
        status=Status.DRAFT,
        organisation=caller.organisation,
        commissioner={"organisation": caller.organisation, "name": caller.name},
        version=0,
        created_at=now,
        updated_at=now,
        **columns(body, school, trust, facts),
    )
    session.add(row)
    await session.flush()
    write_terms(session, row, body, facts)
    await tell(session, row, "contract.drafted", caller, now, value_pence=row.value_pence)
    return row


async def redraft(
    session: AsyncSession, *, row: Contract, body: ContractIn, facts: Facts, caller: Caller, now: datetime
) -> Contract:
    """Replace the terms of a draft."""
    moved(Status(row.status), Move.OFFER, ROLES[caller.kind])
    school, trust = check(body, facts, caller)
    await queries.lock_school(session, str(school.school_id or school.urn))
    for old in [*await queries.outcomes(session, [row.id]), *await queries.milestones(session, [row.id])]:
        await session.delete(old)
    await session.flush()
    for name, value in columns(body, school, trust, facts).items():
        setattr(row, name, value)
    write_terms(session, row, body, facts)
    await tell(session, row, "contract.redrafted", caller, now, value_pence=row.value_pence)
    return row


def worth(body: ContractIn) -> int:
    """What a contract on these terms is worth at most, in pence."""
    promised = sum(each.payment_pence for each in body.milestones)
    return body.fee_pence + promised + sum(each.payment_pence for each in body.outcomes)


def columns(body: ContractIn, school: parties.School, trust: parties.Trust, facts: Facts) -> dict[str, Any]:
    """The columns of a contract that follow from its terms and parties."""
    return {
        "title": body.title,
        "supplier_uid": trust.uid,
        "legal_route": body.legal_route,
        "legal_route_detail": body.legal_route_detail,
        "starts_on": body.term.starts_on,
        "ends_on": body.term.ends_on,
        "latest_ends_on": body.term.latest_ends_on or body.term.ends_on,
        "break_points": [day.isoformat() for day in body.term.break_points],
        "notice_days": body.term.notice_days,
        "fee_pence": body.fee_pence,
        "value_pence": worth(body),
        "pupils": school.pupils,
        "method": facts.method,
        "transfer_intended": body.transfer_intended,
        "interventions": [each.model_dump() for each in body.interventions],
        "outcomes_rationale": body.outcomes_rationale,
        **parties_of(school, trust),
    }


def outcome_columns(place: int, agreed: OutcomeIn, facts: Facts) -> dict[str, Any]:
    """The columns of an agreed outcome: its terms, and what evidence says of its measure now."""
    measure = facts.measures[agreed.measure]
    return {
        "place": place,
        "domain": measure["domain"],
        "target_mode": agreed.target.mode,
        "target_value": agreed.target.value,
        "baseline": measure["baseline"],
        "comparators": measure.get("comparators"),
        **agreed.model_dump(exclude={"target"}),
    }


def write_terms(session: AsyncSession, row: Contract, body: ContractIn, facts: Facts) -> None:
    """The rows of the agreed outcomes and milestones."""
    for place, each in enumerate(body.outcomes):
        session.add(Outcome(contract_id=row.id, **outcome_columns(place, each, facts)))
    for milestone in body.milestones:
        session.add(Milestone(contract_id=row.id, status=MilestoneStatus.SCHEDULED, **milestone.model_dump()))
