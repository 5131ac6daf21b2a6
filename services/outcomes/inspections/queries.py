"""Every SELECT for inspections and trusts' published figures: of what releases say of the same, the latest counts."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, case, or_
from sqlalchemy import select as sa_select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes import queries as register
from services.outcomes.evidence import Inspection, Judgement, TrustObservation
from services.outcomes.identifiers import urns_of
from services.outcomes.models import CurrentRelease, Release, RingFence
from services.outcomes.queries import among
from services.outcomes.rules import inspection as rules
from services.outcomes.rules.grades import Area, Grade, Scale
from services.outcomes.rules.releases import Part
from services.outcomes.schools import Establishment

FIRST_HAND = case((col(Release.feed) == "ofsted", 1), else_=0)
"""What Ofsted publishes itself, before what others gathered of it."""
ONE_EACH = (col(Inspection.urn), col(Inspection.started_on))


class Held(NamedTuple):
    """An inspection as it counts, and the release that says so."""

    inspection: rules.Inspection
    release_id: UUID


async def held(session: AsyncSession, urns: Sequence[int] | None = None) -> list[Held]:
    """The inspections of these lives, or listed under them, as they count; of every school for None.

    In the order of URN and day.
    """
    statement = select(Inspection).join(Release, col(Release.id) == col(Inspection.release_id))
    if urns is not None:
        statement = statement.where(or_(among(Inspection.urn, urns), among(Inspection.listed_under, urns)))
    order = (*ONE_EACH, FIRST_HAND.desc(), col(Release.confirmed_on).desc(), col(Release.number).desc())
    rows = list(await session.exec(statement.ext(distinct_on(*ONE_EACH)).order_by(*order)))
    judged = await judgements(session, None if urns is None else sorted({row.urn for row in rows}))
    return [
        Held(as_ruled(row, judged.get((row.release_id, row.urn, row.started_on), [])), row.release_id) for row in rows
    ]


async def judgements(
    session: AsyncSession, urns: Sequence[int] | None
) -> dict[tuple[UUID, int, date], list[tuple[Area, Grade]]]:
    """The judgements on these lives by release, URN and day."""
    names = ("release_id", "urn", "started_on", "area", "scale", "grade_code")
    statement = sa_select(*(col(getattr(Judgement, name)) for name in names))
    if urns is not None:
        statement = statement.where(among(Judgement.urn, urns))
    found: dict[tuple[UUID, int, date], list[tuple[Area, Grade]]] = {}
    for release_id, urn, started_on, area, scale, code in await session.execute(statement):
        grade = Grade(Scale(scale), code)
        found.setdefault((release_id, urn, started_on), []).append((Area(area), grade))
    return found


def as_ruled(row: Inspection, judged: Sequence[tuple[Area, Grade]]) -> rules.Inspection:
    """The inspection as the rules see it."""
    areas = list(Area)
    return rules.Inspection(
        urn=row.urn,
        started_on=row.started_on,
        framework=rules.Framework(row.framework),
        concern=rules.Concern(row.concern) if row.concern else None,
        safeguarding=rules.Safeguarding(row.safeguarding),
        judgements=tuple(sorted(judged, key=lambda each: areas.index(each[0]))),
        published_on=row.published_on,
        number=row.number,
        kind=row.kind,
        outcome=row.outcome,
        listed_under=row.listed_under,
    )


async def lives(session: AsyncSession, school: Establishment) -> list[int]:
    """The URNs of all lives of a school."""
    return sorted({urn for _school, urn in await urns_of(session, [school.school_id])} | {school.urn})


async def until(session: AsyncSession, urn: int, year: int) -> list[Held]:
    """What is known of a school's inspections that started before the end of an academic year, by day."""
    school = await register.establishment(session, urn)
    found = await held(session, await lives(session, school)) if school else []
    in_time = [each for each in found if each.inspection.started_on < date(year + 1, 9, 1)]
    return sorted(in_time, key=lambda each: (each.inspection.started_on, each.inspection.urn))


async def ring_fences(session: AsyncSession, urns: Sequence[int]) -> list[RingFence]:
    """The ring-fences of a school, whatever URN they were opened for."""
    statement = select(RingFence).where(among(RingFence.school_urn, urns))
    return list(await session.exec(statement.order_by(col(RingFence.contract_id))))


async def trust_observations(session: AsyncSession, uid: str) -> list[tuple[TrustObservation, Release]]:
    """What current releases say of a trust."""
    counts = (col(CurrentRelease.release_id) == col(Release.id), col(CurrentRelease.feed) == col(Release.feed))
    of = [col(getattr(CurrentRelease, name)) == col(getattr(TrustObservation, name)) for name in Part._fields]
    statement = (
        select(TrustObservation, Release)
        .join(Release, col(Release.id) == col(TrustObservation.release_id))
        .join(CurrentRelease, and_(*counts, *of))
        .where(TrustObservation.trust_uid == uid)
    )
    order = ("academic_year", "measure", "pupil_group")
    rows = await session.exec(statement.order_by(*(col(getattr(TrustObservation, name)) for name in order)))
    return [(observation, release) for observation, release in rows]
