"""Every SELECT for evaluations: verdicts of before, and where their figures were published."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import exists, text
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.errors import NotFound
from services.outcomes.disclosure import Result, Results
from services.outcomes.models import Evaluation
from services.outcomes.rules.agreement import METHOD_VERSION
from services.outcomes.schools import Establishment, Membership

OF_SCHOOL = text(
    "SELECT DISTINCT ON (o.measure, o.academic_year) o.measure, o.academic_year,"
    " o.value::float8, o.denominator FROM outcomes.establishment AS school JOIN outcomes.establishment AS life"
    " USING (school_id) JOIN outcomes.observation AS o ON o.urn = life.urn"
    " JOIN outcomes.release AS r ON r.id = o.release_id"
    " WHERE school.urn = :urn AND o.measure = ANY(:measures) AND o.state = 'ok'"
    " AND (r.id = ANY(:used) OR (r.status IN ('current', 'superseded')"
    " AND r.number <= (SELECT max(number) FROM outcomes.release WHERE id = ANY(:used))))"
    " ORDER BY o.measure, o.academic_year, (r.id = ANY(:used)) DESC, (life.urn = school.urn) DESC,"
    " array_position(ARRAY['provisional', 'revised', 'final'], r.release_status::text) DESC,"
    " r.confirmed_on DESC, r.number DESC"
)


async def known(session: AsyncSession, urn: int, measures: Collection[str], used: Collection[UUID]) -> Results:
    """The results of a school under any of its URNs, from the releases of a verdict or what was there beside them."""
    rows = await session.execute(OF_SCHOOL, {"urn": urn, "measures": list(measures), "used": list(used)})
    return {(each.measure, each.academic_year): each for each in (Result(*row) for row in rows)}


async def present_urn(session: AsyncSession, row: Establishment) -> int | None:
    """The URN under which the school is open now; None when it is under none."""
    alive = (Establishment.school_id == row.school_id, col(Establishment.status).startswith("open", autoescape=True))
    found = sorted(await session.exec(select(Establishment.urn).where(*alive)))
    return row.urn if row.urn in found else max(found, default=None)


async def membership(session: AsyncSession, urn: int) -> Membership | None:
    """The school's present membership."""
    open_ones = select(Membership).where(Membership.urn == urn, col(Membership.left_on).is_(None))
    return (await session.exec(open_ones)).one_or_none()


async def evaluation(session: AsyncSession, evaluation_id: UUID) -> Evaluation:
    """A verdict; raises a 404 where there is none."""
    row = await session.get(Evaluation, evaluation_id)
    if row is None:
        raise NotFound(f"No evaluation {evaluation_id}.")
    return row


async def lock_evaluations(session: AsyncSession, contract_id: UUID) -> None:
    """Wait until no other evaluation of this contract is being made: the same question has one verdict."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('evaluation:' || :id, 0))")
    await session.execute(lock, {"id": str(contract_id)})


async def latest_evaluation(session: AsyncSession, contract_id: UUID, year: int, run: str) -> Evaluation | None:
    """The last verdict on a contract as of a year."""
    where = (Evaluation.contract_id == contract_id, Evaluation.academic_year == year, Evaluation.run == run)
    statement = select(Evaluation).where(*where).order_by(col(Evaluation.id).desc()).limit(1)
    return (await session.exec(statement)).one_or_none()


async def evaluations(session: AsyncSession, contract_id: UUID) -> list[Evaluation]:
    """All verdicts on a contract, newest first."""
    statement = select(Evaluation).where(Evaluation.contract_id == contract_id)
    return list(await session.exec(statement.order_by(col(Evaluation.id).desc())))


async def by_this_method(session: AsyncSession, *, after: UUID | None, limit: int) -> list[Evaluation]:
    """Verdicts of the present method after one, oldest first; those of earlier ones are kept as they were."""
    statement = select(Evaluation).where(Evaluation.method_version == METHOD_VERSION)
    if after is not None:
        statement = statement.where(Evaluation.id > after)
    return list(await session.exec(statement.order_by(col(Evaluation.id)).limit(limit)))


async def resting_on(session: AsyncSession, release_id: UUID) -> list[UUID]:
    """The verdicts that stand and rest on this release, oldest first."""
    later = aliased(Evaluation)
    statement = (
        select(Evaluation.id)
        .where(col(Evaluation.releases).contains([release_id]))
        .where(~exists().where(col(later.supersedes_id) == col(Evaluation.id)))
    )
    return list(await session.exec(statement.order_by(col(Evaluation.id))))


async def inspected_since(session: AsyncSession, release_id: UUID) -> list[UUID]:
    """The verdicts that stand on schools of which a release added an inspection of their time, oldest first."""
    statement = text(
        "WITH lives AS NOT MATERIALIZED (SELECT school_id, urn FROM outcomes.establishment UNION ALL"
        " SELECT school_id, value::int FROM outcomes.school_identifier WHERE scheme = 'urn')"
        " SELECT DISTINCT e.id FROM outcomes.inspection AS i"
        " JOIN lives AS was ON was.urn IN (i.urn, i.listed_under)"
        " JOIN lives AS fenced ON fenced.school_id = was.school_id"
        " JOIN outcomes.ring_fence AS f ON f.school_urn = fenced.urn"
        " JOIN outcomes.evaluation AS e ON e.contract_id = f.contract_id"
        " WHERE i.release_id = :release AND i.started_on < make_date(e.academic_year + 1, 9, 1)"
        " AND NOT EXISTS (SELECT FROM outcomes.evaluation AS later WHERE later.supersedes_id = e.id) ORDER BY e.id"
    )
    return list((await session.execute(statement, {"release": release_id})).scalars())


async def these(session: AsyncSession, evaluation_ids: Collection[UUID]) -> list[Evaluation]:
    """These verdicts, oldest first."""
    statement = select(Evaluation).where(col(Evaluation.id).in_(evaluation_ids))
    return list(await session.exec(statement.order_by(col(Evaluation.id))))
