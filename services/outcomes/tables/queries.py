"""Every SELECT for ring-fences and tables. Tables are read under the role `tables`, from its own views only."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes.models import FullMembership, RingFence
from services.outcomes.rules.measures import KeyStage
from services.outcomes.rules.performance import Cell, School, measures_of
from services.outcomes.rules.ringfence import Membership as Time
from services.outcomes.rules.ringfence import Term, breaks_of, continued
from services.outcomes.rules.schools import mainstream
from services.outcomes.rules.series import denominator
from services.outcomes.rules.values import ValueState
from services.outcomes.schools import Establishment, Membership

Row = dict[str, Any]


STANDS = text(
    "NOT EXISTS (SELECT FROM jsonb_array_elements(outcomes.ring_fence.breaks) AS b"
    " WHERE (b ->> 'starts_on')::date <= :on"
    " AND coalesce((b ->> 'ends_on')::date, 'infinity') >= :on)"
)
"""Whether no break of a ring-fence holds a day."""


async def ring_fence(session: AsyncSession, contract_id: UUID) -> RingFence | None:
    """The contract's ring-fence, locked until the end of the transaction."""
    statement = select(RingFence).where(RingFence.contract_id == contract_id).with_for_update()
    return (await session.exec(statement)).one_or_none()


async def lives_of(session: AsyncSession, urn: int) -> list[int]:
    """The URNs that the school with this one has had."""
    school = select(Establishment.school_id).where(Establishment.urn == urn).scalar_subquery()
    return list(await session.exec(select(Establishment.urn).where(Establishment.school_id == school)))


async def ring_fences_page(
    session: AsyncSession,
    *,
    school_urn: int | None,
    supplier_uid: str | None,
    on: date | None,
    year: int | None,
    after: UUID | None,
    limit: int,
) -> list[RingFence]:
    """Ring-fences after a place, by contract, of the school with this URN or of this supplier, standing on this day, or
    in the academic year that starts in `year`.
    """
    statement = select(RingFence).order_by(col(RingFence.contract_id)).limit(limit)
    if school_urn is not None:
        statement = statement.where(col(RingFence.school_urn).in_([school_urn, *await lives_of(session, school_urn)]))
    if supplier_uid is not None:
        statement = statement.where(RingFence.supplier_uid == supplier_uid)
    if on is not None:
        statement = statement.where(col(RingFence.starts_on) <= on, col(RingFence.ends_on) >= on)
        statement = statement.where(STANDS.bindparams(on=on))
    if year is not None:
        first, last = date(year, 9, 1), date(year + 1, 8, 31)
        statement = statement.where(col(RingFence.starts_on) <= last, col(RingFence.ends_on) >= first)
    if after is not None:
        statement = statement.where(col(RingFence.contract_id) > after)
    return list(await session.exec(statement))


async def locked_ring_fences(session: AsyncSession, contract_ids: Sequence[UUID]) -> dict[UUID, RingFence]:
    """The ring-fences of contracts, locked until the end of the transaction."""
    statement = select(RingFence).where(col(RingFence.contract_id).in_(contract_ids))
    found = await session.exec(statement.order_by(col(RingFence.contract_id)).with_for_update())
    return {each.contract_id: each for each in found}


async def full_memberships(session: AsyncSession, contract_ids: Sequence[UUID]) -> dict[UUID, FullMembership]:
    """By contract: the transfers that ended these."""
    statement = select(FullMembership).where(col(FullMembership.contract_id).in_(contract_ids))
    return {each.contract_id: each for each in await session.exec(statement)}


async def open_memberships(session: AsyncSession, urns: Sequence[int]) -> dict[int, Membership]:
    """The present memberships of schools, locked until the end of the transaction."""
    present = (col(Membership.urn).in_(urns), col(Membership.left_on).is_(None))
    found = await session.exec(select(Membership).where(*present).order_by(col(Membership.urn)).with_for_update())
    return {each.urn: each for each in found}


async def rows(session: AsyncSession, statement: str, **values: Any) -> list[Row]:
    """What a statement on the views of the schema `tables` gives."""
    found = await session.execute(text(statement), values)
    return [dict(row) for row in found.mappings()]


async def trust(session: AsyncSession, uid: str) -> Row | None:
    """The trust, named."""
    found = await rows(session, "SELECT uid, name, status FROM tables.trust WHERE uid = :uid", uid=uid)
    return found[0] if found else None


LIVES = (
    "SELECT urn, school_id, name, kind, kind_group, pupils FROM tables.school WHERE school_id = ANY(:schools)"
    " ORDER BY status LIKE 'open%' OR status = 'announced', opened_on NULLS FIRST, urn"
)
"""All URNs of schools, the present one of each last."""


async def schools(session: AsyncSession, uid: str, key_stage: KeyStage, year: int) -> tuple[list[School], list[Row]]:
    """Every school that was ever in the trust or under contract with it, with its results of a year; the releases.

    A school has all that was told under any of its URNs, and is shown by the latest by which the trust had it.
    """
    times = "SELECT urn, joined_on, left_on FROM tables.member WHERE trust_uid = :uid ORDER BY urn, joined_on"
    members = await rows(session, times, uid=uid)
    fences = await rows(
        session,
        "SELECT contract_id, school_urn AS urn, starts_on, ends_on, breaks FROM tables.fence WHERE supplier_uid = :uid"
        " ORDER BY starts_on, contract_id",
        uid=uid,
    )
    had = {row["urn"] for row in (*members, *fences)}
    named = await rows(session, "SELECT school_id FROM tables.school WHERE urn = ANY(:urns)", urns=sorted(had))
    known = await rows(session, LIVES, schools=sorted({row["school_id"] for row in named}))
    strangers = had - {row["urn"] for row in known}
    lives: dict[Any, list[Row]] = {urn: [{"urn": urn, "name": f"URN {urn}", "pupils": None}] for urn in strangers}
    for row in known:
        lives.setdefault(row["school_id"], []).append(row)
    results, releases = await cells(session, lives.values(), key_stage, year)
    found = []
    for each in lives.values():
        urns = {life["urn"] for life in each}
        shown = [life for life in each if life["urn"] in had][-1]
        found.append(
            School(
                urn=shown["urn"],
                name=shown["name"],
                mainstream="kind" in shown and mainstream(shown["kind"], shown["kind_group"]),
                memberships=continued(Time(row["joined_on"], row["left_on"]) for row in members if row["urn"] in urns),
                contracts=tuple(
                    (row["contract_id"], Term(row["starts_on"], row["ends_on"], breaks_of(row["breaks"])))
                    for row in fences
                    if row["urn"] in urns
                ),
                results=of_school([results.get(life["urn"], {}) for life in each]),
            )
        )
    return found, releases


def of_school(lives: Iterable[Mapping[str, Cell]]) -> dict[str, Cell]:
    """The results of a school from those of its lives: of each measure the last value, else the last reason.

    DfE lists a school that has converted under both its URNs, and its results under one of them.
    """
    found: dict[str, Cell] = {}
    for results in lives:
        for code, cell in results.items():
            if code not in found or cell.state is ValueState.OK or found[code].state is not ValueState.OK:
                found[code] = cell
    return found


async def cells(
    session: AsyncSession, schools: Collection[Sequence[Row]], key_stage: KeyStage, year: int
) -> tuple[dict[int, dict[str, Cell]], list[Row]]:
    """By URN and measure: the published result with its pupils; and the releases that it comes from.

    `schools` are the lives of each, whose pupils by the census and on roll now stand in for one another's.
    """
    urns = sorted(life["urn"] for lives in schools for life in lives)
    census = await rows(
        session,
        "SELECT urn, academic_year, value FROM tables.result WHERE measure = 'CENSUS_NOR' AND state = 'ok'"
        " AND urn = ANY(:urns) ORDER BY urn, academic_year",
        urns=urns,
    )
    counted: dict[int, dict[int, int]] = {}
    for row in census:
        counted.setdefault(row["urn"], {})[row["academic_year"]] = int(row["value"])
    on_roll: dict[int, dict[int, int]] = {}
    now: dict[int, int | None] = {}
    for lives in schools:
        rolls = {at: n for life in lives for at, n in counted.get(life["urn"], {}).items()}
        present = [life["pupils"] for life in lives if life["pupils"] is not None]
        for life in lives:
            on_roll[life["urn"]], now[life["urn"]] = rolls, present[-1] if present else None
    published = await rows(
        session,
        "SELECT DISTINCT ON (urn, measure) urn, measure, state, value, denominator, decimals, release_id,"
        " release_number, feed, release_status, published_on FROM tables.result WHERE measure = ANY(:measures)"
        " AND academic_year = :year AND urn = ANY(:urns)"
        " ORDER BY urn, measure, stage DESC, confirmed_on DESC, release_number DESC",
        measures=list(measures_of(key_stage)),
        year=year,
        urns=urns,
    )
    found: dict[int, dict[str, Cell]] = {}
    for row in published:
        n, proxy = denominator(row["denominator"], on_roll[row["urn"]], now[row["urn"]], year)
        value = None if row["value"] is None else float(row["value"])
        cell = Cell(ValueState(row["state"]), value, n, proxy, row["decimals"])
        found.setdefault(row["urn"], {})[row["measure"]] = cell
    named = ("release_id", "release_number", "feed", "release_status", "published_on")
    releases = {row["release_number"]: {name: row[name] for name in named} for row in published}
    return found, [releases[number] for number in sorted(releases)]
