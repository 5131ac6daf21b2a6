"""Every SELECT for evaluations: what schools are, what they achieved, and what was concluded before."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select as sa_select
from sqlalchemy import text
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes import queries
from services.outcomes.models import Establishment, Evaluation, Membership, Release, RingFence
from services.outcomes.rules.matching import FEATURES, Candidate
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.ringfence import Term, breaks_of
from services.outcomes.rules.schools import mainstream, selective
from services.outcomes.rules.series import Reading, denominator
from services.outcomes.rules.values import ValueState

ON_ROLL = "CENSUS_NOR"


async def candidates(session: AsyncSession, school: Establishment, on: date) -> dict[int, Candidate]:
    """The school and every open school of its phase, by URN, with their trusts on a day; results are not in yet."""
    alike = or_(col(Establishment.urn) == school.urn, col(Establishment.status).startswith("open", autoescape=True))
    names = ("urn", "phase", "kind", "kind_group", "admissions")
    columns = sa_select(*(col(getattr(Establishment, name)) for name in names))
    rows = (await session.execute(columns.where(col(Establishment.phase) == school.phase, alike))).all()
    urns = [row.urn for row in rows]
    moves, trusts = await trust_history(session, urns, on)
    terms = await contract_terms(session, urns)
    census = await census_before(session, urns, on)
    return {
        row.urn: Candidate(
            urn=row.urn,
            phase=row.phase,
            mainstream=mainstream(row.kind, row.kind_group),
            selective=selective(row.admissions),
            trust_uid=trusts.get(row.urn),
            moves=tuple(moves.get(row.urn, ())),
            contracts=tuple(terms.get(row.urn, ())),
            features=tuple(census.get((row.urn, name)) for name in FEATURES),
            readings={},
        )
        for row in rows
    }


async def trust_history(
    session: AsyncSession, urns: Sequence[int], on: date
) -> tuple[dict[int, list[date]], dict[int, str]]:
    """By URN: the known days of joining and leaving a trust, and the trust on a day (the present one where unknown)."""
    moves: dict[int, list[date]] = {}
    trusts: dict[int, str] = {}
    for row in await queries.memberships(session, urns):
        known = [] if row.joined_inferred else [row.joined_on]
        if row.left_on is not None and not row.left_inferred:
            known.append(row.left_on)
        moves.setdefault(row.urn, []).extend(known)
        if (row.joined_inferred or row.joined_on <= on) and (row.left_on is None or row.left_on > on):
            trusts[row.urn] = row.trust_uid
    return moves, trusts


async def present_urn(session: AsyncSession, row: Establishment) -> int | None:
    """The URN under which the school is open now; None when it is under none."""
    alive = (Establishment.school_id == row.school_id, col(Establishment.status).startswith("open", autoescape=True))
    found = sorted(await session.exec(select(Establishment.urn).where(*alive)))
    return row.urn if row.urn in found else max(found, default=None)


async def contract_terms(session: AsyncSession, urns: Sequence[int]) -> dict[int, list[Term]]:
    """By URN: the terms of contracts about the school."""
    found: dict[int, list[Term]] = {}
    for row in await session.exec(select(RingFence).where(queries.among(RingFence.school_urn, urns))):
        found.setdefault(row.school_urn, []).append(Term(row.starts_on, row.ends_on, breaks_of(row.breaks)))
    return found


async def census_before(session: AsyncSession, urns: Sequence[int], on: date) -> dict[tuple[int, str], float]:
    """By URN and feature: the last census before a day, never a later one; a withheld figure is not there.

    A school that had another URN then is found under the present one.
    """
    lives = await earlier_lives(session, urns)
    years = range(on.year - 5, on.year if (on.month, on.day) > (1, 15) else on.year - 1)
    rows = await queries.current_observations(session, measures=FEATURES, years=list(years), urns=[*urns, *lives])
    latest = max((row.academic_year for row in rows), default=None)
    return {
        (lives.get(row.urn, row.urn), row.measure): float(row.value)
        for row in sorted(rows, key=lambda each: each.urn not in lives)
        if row.academic_year == latest and row.value is not None
    }


async def readings(
    session: AsyncSession, measure: str, years: Collection[int], urns: Sequence[int]
) -> dict[int, dict[int, Reading]]:
    """By URN and academic year: what current releases say of a measure, with the pupils that it speaks of.

    A school that had another URN before has its earlier results under the present one.
    """
    lives = await earlier_lives(session, urns)
    every = [*urns, *lives]
    rows = await queries.current_observations(session, measures=[measure], years=list(years), urns=every)
    stages = await stages_of(session, {row.release_id for row in rows})
    on_roll = await pupils(session, every)
    found: dict[int, dict[int, Reading]] = {}
    for row in sorted(rows, key=lambda each: each.urn not in lives):
        census, now = on_roll.get(row.urn, ({}, None))
        n, proxy = denominator(row.denominator, census, now, row.academic_year)
        value = None if row.value is None else float(row.value)
        found.setdefault(lives.get(row.urn, row.urn), {})[row.academic_year] = Reading(
            row.academic_year, ValueState(row.state), value, n, proxy, str(row.release_id), stages[row.release_id]
        )
    return found


async def earlier_lives(session: AsyncSession, urns: Sequence[int]) -> dict[int, int]:
    """Earlier URNs of these schools, each with the present one."""
    present = select(Establishment.school_id, Establishment.urn).where(queries.among(Establishment.urn, urns))
    now = dict((await session.exec(present)).all())
    every = select(Establishment.urn, Establishment.school_id).where(queries.among(Establishment.school_id, list(now)))
    known = set(urns)
    return {urn: now[school_id] for urn, school_id in await session.exec(every) if urn not in known}


async def pupils(session: AsyncSession, urns: Sequence[int]) -> dict[int, tuple[dict[int, int], int | None]]:
    """By URN: pupils on roll in each census, and by the register now."""
    statement = select(Establishment.urn, Establishment.pupils).where(queries.among(Establishment.urn, urns))
    found: dict[int, tuple[dict[int, int], int | None]] = {urn: ({}, now) for urn, now in await session.exec(statement)}
    rows = await queries.current_observations(session, measures=[ON_ROLL], years=list(range(2000, 2100)), urns=urns)
    for row in rows:
        if row.value is not None:
            found.setdefault(row.urn, ({}, None))[0][row.academic_year] = int(row.value)
    return found


async def stages_of(session: AsyncSession, release_ids: Collection[UUID]) -> dict[UUID, Stage]:
    """How settled each of these releases is."""
    return {row.id: Stage(row.release_status) for row in await releases(session, release_ids)}


async def releases(session: AsyncSession, release_ids: Collection[UUID | str]) -> list[Release]:
    """These releases, in the order of their arrival."""
    wanted = col(Release.id).in_([UUID(str(each)) for each in release_ids])
    return list(await session.exec(select(Release).where(wanted).order_by(col(Release.number))))


async def membership(session: AsyncSession, urn: int) -> Membership | None:
    """The school's present membership."""
    open_ones = select(Membership).where(Membership.urn == urn, col(Membership.left_on).is_(None))
    return (await session.exec(open_ones)).one_or_none()


async def lock_evaluations(session: AsyncSession, contract_id: UUID) -> None:
    """Wait until no other evaluation of this contract is being made: the same question has one verdict."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('evaluation:' || :id, 0))")
    await session.execute(lock, {"id": str(contract_id)})


async def same_evaluation(
    session: AsyncSession, contract_id: UUID, year: int, run: str, inputs_hash: str
) -> Evaluation | None:
    """The verdict that was reached before from the same question and the same data."""
    where = (Evaluation.contract_id == contract_id, Evaluation.academic_year == year, Evaluation.run == run)
    statement = select(Evaluation).where(*where, Evaluation.inputs_hash == inputs_hash)
    return (await session.exec(statement)).one_or_none()


async def evaluations(session: AsyncSession, contract_id: UUID) -> list[Evaluation]:
    """All verdicts on a contract, newest first."""
    statement = select(Evaluation).where(Evaluation.contract_id == contract_id)
    return list(await session.exec(statement.order_by(col(Evaluation.id).desc())))
