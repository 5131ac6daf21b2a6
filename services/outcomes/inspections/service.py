"""What inspections are to a school, its trust and its contract."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes import identifiers
from services.outcomes import queries as register
from services.outcomes.inspections import queries, schemas
from services.outcomes.inspections.queries import Held
from services.outcomes.models import RingFence
from services.outcomes.rules.inspection import Inspection, below_good, graded, in_order, standing, stuck
from services.outcomes.rules.ringfence import ContractRole, Term, breaks_of, contract_role
from services.outcomes.rules.ringfence import Membership as Time
from services.outcomes.schemas import ReleaseName
from services.outcomes.schools import Establishment, Membership


async def told(session: AsyncSession, school: Establishment) -> schemas.InspectionsOut:
    """All inspections of a school, the latest first, with what follows from them."""
    urns = await queries.lives(session, school)
    found = await queries.held(session, urns)
    members, fences = await register.memberships(session, urns), await queries.ring_fences(session, urns)
    releases = {each.id: each for each in await register.releases(session, {each.release_id for each in found})}
    history = [each.inspection for each in found]
    now = standing(history)
    ordered = sorted(found, key=lambda each: each.inspection.started_on, reverse=True)
    return schemas.InspectionsOut(
        urn=str(school.urn),
        stuck=stuck(history) if len(in_order(history)) > 1 else None,
        concern=now.concern,
        safeguarding=now.safeguarding,
        strong=now.strong,
        data=[shown(each, members, fences, ReleaseName.of(releases[each.release_id])) for each in ordered],
    )


async def standings(session: AsyncSession, urns: Sequence[int]) -> list[schemas.StandingOut]:
    """Where inspections leave schools, of those that the register knows."""
    schools = await register.establishments(session, urns)
    lives: dict[UUID, set[int]] = {}
    for school_id, urn in await identifiers.urns_of(session, [each.school_id for each in schools]):
        lives.setdefault(school_id, set()).add(urn)
    own = {each.urn: lives.get(each.school_id, set()) | {each.urn} for each in schools}
    found = [each.inspection for each in await queries.held(session, sorted(set().union(*own.values())))]
    return [
        standing_of(urn, [each for each in found if each.urn in mine or each.listed_under in mine])
        for urn, mine in own.items()
    ]


def standing_of(urn: int, history: Sequence[Inspection]) -> schemas.StandingOut:
    """Where its inspections leave one school."""
    now = standing(history)
    return schemas.StandingOut(
        urn=str(urn),
        stuck=stuck(history) if len(in_order(history)) > 1 else None,
        concern=now.concern,
        strong=now.strong,
        latest_on=max((each.started_on for each in history), default=None),
    )


def shown(
    held: Held, members: Sequence[Membership], fences: Sequence[RingFence], release: ReleaseName
) -> schemas.InspectionOut:
    """An inspection with the trust and the contract of the day on which it started."""
    one = held.inspection
    inside = (each for each in members if Time(each.joined_on, each.left_on).holds(one.started_on))
    contract_id, role = role_on(one.started_on, fences)
    judged = [
        schemas.JudgementOut(
            area=area, scale=grade.scale, grade_code=grade.code, grade=grade.words, ordinal=grade.ordinal
        )
        for area, grade in one.judgements
    ]
    return schemas.InspectionOut(
        urn=str(one.urn),
        number=one.number,
        kind=one.kind,
        started_on=one.started_on,
        published_on=one.published_on,
        framework=one.framework,
        category_of_concern=one.concern,
        safeguarding=one.safeguarding,
        outcome=one.outcome,
        judgements=judged,
        below_good=below_good(one) if graded(one) else None,
        trust_uid=next((each.trust_uid for each in inside), None),
        contract_id=contract_id,
        contract_role=role,
        release=release,
    )


def role_on(day: date, fences: Sequence[RingFence]) -> tuple[UUID | None, ContractRole]:
    """The contract in whose term a day lies, and what it is to it: a visit has no census, so it counts in full."""
    for each in fences:
        term = Term(each.starts_on, each.ends_on, breaks_of(each.breaks))
        role = contract_role(term, day, day)
        if role is not ContractRole.NONE:
            return each.contract_id, role
    return None, ContractRole.NONE
