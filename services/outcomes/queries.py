"""Every SELECT on the register and its evidence. What is published is open to every caller of the service."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, and_, any_, case, cast, exists, or_, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes.models import CurrentRelease, Event, Observation, Release
from services.outcomes.rules.membership import TRANSFER
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.schools import Lifetime
from services.outcomes.schools import Establishment, EstablishmentLink, Membership, SchoolIdentifier, Trust

STAGE = case({stage.value: stage.rank for stage in Stage}, value=col(Release.release_status), else_=0)
"""The place of a release's stage in the order provisional, revised, final."""
IS_CURRENT = and_(
    col(CurrentRelease.release_id) == col(Release.id),
    col(CurrentRelease.feed) == col(Release.feed),
    col(CurrentRelease.academic_year) == col(Observation.academic_year),
    col(CurrentRelease.measure) == col(Observation.measure),
)
ONE_EACH = (col(Observation.urn), col(Observation.measure), col(Observation.academic_year))
LATEST_FIRST = (STAGE.desc(), col(Release.confirmed_on).desc(), col(Release.number).desc())


def among(column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    """Whether the column has one of these values, however many there are."""
    found: ColumnElement[bool] = column == any_(cast(list(values), ARRAY(column.type)))
    return found


async def establishment(session: AsyncSession, urn: int) -> Establishment | None:
    """The establishment with this URN, open or closed."""
    return await session.get(Establishment, urn)


async def establishments(session: AsyncSession, urns: Sequence[int]) -> list[Establishment]:
    """The establishments with these URNs, by URN; unknown ones are left out."""
    statement = select(Establishment).where(among(Establishment.urn, urns)).order_by(col(Establishment.urn))
    return list(await session.exec(statement))


async def establishments_page(
    session: AsyncSession,
    *,
    filters: dict[str, str | None],
    name: str | None,
    trust_uid: str | None,
    after: int | None,
    limit: int,
) -> list[tuple[Establishment, str | None]]:
    """Establishments after a URN, each with its present trust, that have these values and this text in their name."""
    present = and_(col(Membership.urn) == col(Establishment.urn), col(Membership.left_on).is_(None))
    statement = select(Establishment, Membership.trust_uid).outerjoin(Membership, present)
    for column, value in filters.items():
        if value is not None:
            statement = statement.where(getattr(Establishment, column) == value)
    if trust_uid is not None:
        statement = statement.where(col(Membership.trust_uid) == trust_uid)
    if name is not None:
        statement = statement.where(col(Establishment.name).icontains(name, autoescape=True))
    if after is not None:
        statement = statement.where(col(Establishment.urn) > after)
    rows = await session.exec(statement.order_by(col(Establishment.urn)).limit(limit))
    return [(row, uid) for row, uid in rows]


async def trust(session: AsyncSession, uid: str) -> Trust | None:
    """The trust with this GIAS group UID, open, closed or gone from the register."""
    return await session.get(Trust, uid)


async def trusts(session: AsyncSession, uids: Sequence[str]) -> list[Trust]:
    """The trusts with these UIDs; unknown ones are left out."""
    return list(await session.exec(select(Trust).where(among(Trust.uid, uids)).order_by(col(Trust.uid))))


async def trusts_page(session: AsyncSession, *, name: str | None, after: str | None, limit: int) -> list[Trust]:
    """Trusts after a UID (in the order of text) that have this text in their name."""
    statement = select(Trust).order_by(col(Trust.uid)).limit(limit)
    if name is not None:
        statement = statement.where(col(Trust.name).icontains(name, autoescape=True))
    if after is not None:
        statement = statement.where(col(Trust.uid) > after)
    return list(await session.exec(statement))


async def memberships(session: AsyncSession, urns: Sequence[int]) -> list[Membership]:
    """All memberships, past and present, of these establishments, in the order of joining."""
    statement = select(Membership).where(among(Membership.urn, urns))
    return list(await session.exec(statement.order_by(col(Membership.urn), col(Membership.joined_on))))


async def trust_members(session: AsyncSession, uid: str) -> list[Membership]:
    """All memberships, past and present, of this trust; a present one has no leaving day."""
    statement = select(Membership).where(Membership.trust_uid == uid)
    return list(await session.exec(statement.order_by(col(Membership.urn), col(Membership.joined_on))))


async def last_events(session: AsyncSession, subject_ids: Sequence[UUID]) -> dict[UUID, str]:
    """What kind of event was the last about each of these subjects."""
    statement = select(Event.subject_id, Event.type).where(col(Event.subject_id).in_(subject_ids))
    found = await session.exec(statement.order_by(col(Event.position)))
    return dict(found.all())


async def links(session: AsyncSession, urn: int) -> list[EstablishmentLink]:
    """Every link that names this establishment, on either side."""
    either = or_(col(EstablishmentLink.urn) == urn, col(EstablishmentLink.linked_urn) == urn)
    return list(await session.exec(select(EstablishmentLink).where(either).order_by(col(EstablishmentLink.id))))


async def school_observations(
    session: AsyncSession,
    urn: int,
    *,
    measure: str | None,
    academic_year: int | None,
    after: tuple[str, int] | None,
    limit: int,
) -> list[tuple[Observation, Release]]:
    """One school's observations that count, each with its release, after a measure and academic year."""
    statement = (
        select(Observation, Release)
        .join(Release, col(Release.id) == col(Observation.release_id))
        .join(CurrentRelease, IS_CURRENT)
        .where(col(Observation.urn) == urn)
    )
    if measure is not None:
        statement = statement.where(col(Observation.measure) == measure)
    if academic_year is not None:
        statement = statement.where(col(Observation.academic_year) == academic_year)
    if after is not None:
        place = (col(Observation.measure) == after[0], col(Observation.academic_year) > after[1])
        statement = statement.where(or_(col(Observation.measure) > after[0], and_(*place)))
    rows = await session.exec(statement.ext(distinct_on(*ONE_EACH)).order_by(*ONE_EACH, *LATEST_FIRST).limit(limit))
    return [(observation, release) for observation, release in rows]


async def current_observations(
    session: AsyncSession, urn: int, measures: Collection[str]
) -> dict[tuple[str, int], Observation]:
    """One school's observations that count of these measures, by measure and academic year."""
    statement = (
        select(Observation)
        .join(Release, col(Release.id) == col(Observation.release_id))
        .join(CurrentRelease, IS_CURRENT)
        .where(col(Observation.urn) == urn, among(Observation.measure, list(measures)))
    )
    rows = await session.exec(statement.ext(distinct_on(*ONE_EACH)).order_by(*ONE_EACH, *LATEST_FIRST))
    return {(row.measure, row.academic_year): row for row in rows}


PLAIN = (
    "SELECT DISTINCT CASE kind WHEN 'Predecessor' THEN linked_urn ELSE urn END,"
    " CASE kind WHEN 'Predecessor' THEN urn ELSE linked_urn END"
    " FROM outcomes.establishment_link WHERE kind IN ('Predecessor', 'Successor')"
)
NEAR = (
    "WITH RECURSIVE plain AS NOT MATERIALIZED (SELECT urn, linked_urn FROM outcomes.establishment_link"
    " WHERE kind IN ('Predecessor', 'Successor')), near(urn) AS (SELECT unnest(CAST(:urns AS int[]))"
    " UNION SELECT linked.urn FROM near, LATERAL (SELECT linked_urn FROM plain WHERE plain.urn = near.urn"
    " UNION ALL SELECT urn FROM plain WHERE linked_urn = near.urn) AS linked(urn)) "
)
"""The establishments that are linked with some, however far."""


async def plain_successions(session: AsyncSession, urns: Collection[int] | None = None) -> list[tuple[int, int]]:
    """Pairs (older, newer) of every link that says `Predecessor` or `Successor` and nothing more.

    With `urns`, of those only that these are in, or those linked to them, however far.
    """
    statement = PLAIN if urns is None else f"{NEAR}{PLAIN} AND urn IN (SELECT urn FROM near)"  # noqa: S608
    rows = await session.execute(text(statement), {} if urns is None else {"urns": list(urns)})
    return [(older, newer) for older, newer in rows]


async def ended_by_succession(session: AsyncSession, on: date) -> dict[int, date]:
    """Establishments that another one had succeeded by this day, with the day of it."""
    link = EstablishmentLink
    rows = await session.exec(select(link).where(link.kind == "Successor", col(link.established_on) <= on))
    return {row.urn: row.established_on for row in rows if row.established_on is not None}


async def lifetimes(session: AsyncSession) -> dict[int, Lifetime]:
    """Status, opening and closing of every establishment."""
    asked = text("SELECT urn, status, opened_on, closed_on, status_guessed FROM outcomes.establishment")
    return {urn: Lifetime(*told) for urn, *told in await session.execute(asked)}


async def releases(session: AsyncSession, release_ids: Collection[UUID | str]) -> list[Release]:
    """These releases, in the order of their arrival."""
    wanted = col(Release.id).in_([UUID(str(each)) for each in release_ids])
    return list(await session.exec(select(Release).where(wanted).order_by(col(Release.number))))


async def any_establishment(session: AsyncSession) -> bool:
    """Whether the register has shown any establishment yet."""
    return bool((await session.execute(text("SELECT EXISTS (SELECT FROM outcomes.establishment)"))).scalar_one())


async def school_ids(session: AsyncSession, urns: Collection[int]) -> dict[int, str]:
    """The schools, as text, of those among these URNs that the register has shown."""
    if not urns:
        return {}
    asked = text("SELECT urn, school_id::text FROM outcomes.establishment WHERE urn = ANY(CAST(:urns AS int[]))")
    rows = await session.execute(asked, {"urns": f"{{{','.join(map(str, urns))}}}"})
    return {urn: school for urn, school in rows}  # noqa: C416


async def announced_urns(session: AsyncSession) -> dict[int, str]:
    """The schools, as text, of every URN that a transfer has given and the register has not shown yet."""
    row = SchoolIdentifier
    shown = exists().where(col(row.value) == cast(col(Establishment.urn), Text))
    statement = select(row.value, row.school_id).where(row.scheme == "urn", row.source == TRANSFER, ~shown)
    return {int(value): str(school_id) for value, school_id in await session.exec(statement)}
