"""What a shortlist is made from: the school, and each trust's schools beside it."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes import queries as register
from services.outcomes.evaluations.facts import school_facts
from services.outcomes.rules.places import distance_km, place
from services.outcomes.rules.schools import phase_code
from services.outcomes.schools import Establishment, Trust
from services.outcomes.shortlists import queries
from services.outcomes.shortlists.schemas import NearTrust, NeedingSchool, ShortlistIn, ShortlistOut


async def shortlist(session: AsyncSession, *, body: ShortlistIn) -> ShortlistOut:
    """The school and the trusts as the register shows them now; trusts by UID."""
    row, facts = await register.establishment(session, int(body.urn)), await school_facts(session, int(body.urn))
    if row is None or facts is None:
        return ShortlistOut(school=None, trusts=[])
    code = phase_code(row.phase, row.kind)
    members = await queries.present_members(session, body.trust_uids)
    found = await register.trusts(session, body.trust_uids)
    return ShortlistOut(
        school=NeedingSchool(**facts.model_dump(), phase_code=code),
        trusts=[beside(row, trust, members.get(trust.uid, [])) for trust in found],
    )


def beside(school: Establishment, trust: Trust, members: Sequence[Establishment]) -> NearTrust:
    """The trust beside the school: how many of its schools are of the same phase, and which is the nearest."""
    code, here = phase_code(school.phase, school.kind), place(school.easting, school.northing)
    others = [each for each in members if each.urn != school.urn]
    distances = [
        (distance_km(here, there), each.urn)
        for each in others
        if here is not None and (there := place(each.easting, each.northing)) is not None
    ]
    nearest = min(distances, default=None)
    return NearTrust(
        uid=trust.uid,
        name=trust.name,
        kind=trust.kind,
        status=trust.status,
        schools=len(others),
        same_phase_schools=sum(code is not None and phase_code(each.phase, each.kind) is code for each in others),
        nearest_km=round(nearest[0], 1) if nearest else None,
        nearest_urn=nearest[1] if nearest else None,
    )
