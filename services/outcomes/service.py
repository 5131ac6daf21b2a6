"""What a release does to the register: trusts, links, establishments, and who belongs to which trust."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.events import record
from services.kernel.types import uuid7
from services.outcomes import progress, queries
from services.outcomes.feeds.records import (
    EstablishmentLinkRecord,
    EstablishmentRecord,
    GroupLinkRecord,
    TrustRecord,
)
from services.outcomes.models import (
    EstablishmentLink,
    Event,
    Membership,
    OutcomesTable,
    Release,
    RingFence,
    School,
    Trust,
)
from services.outcomes.rules.membership import Member, Sight, one_trust, reconcile
from services.outcomes.rules.statements import lines
from services.outcomes.rules.statements import text as written
from services.outcomes.rules.succession import conversions, first_lives

GONE = "gone"


async def copy_rows(
    session: AsyncSession, table: type[OutcomesTable], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Add many rows in the session's transaction, by COPY, after all that the session was told before."""
    await session.flush()
    connection = await (await session.connection()).get_raw_connection()
    driver: Any = connection.driver_connection
    name = table.__table__.fullname  # type: ignore[attr-defined]
    async with driver.cursor() as cursor, cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            await copy.write_row(row)
            progress.add(1)


AT_ONCE = 5_000


async def copy_lines(session: AsyncSession, name: str, columns: Sequence[str], lines: Sequence[str]) -> None:
    """Add many rows that are written as COPY takes them to a table, in the session's transaction."""
    await session.flush()
    connection = await (await session.connection()).get_raw_connection()
    driver: Any = connection.driver_connection
    async with driver.cursor() as cursor, cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
        for start in range(0, len(lines), AT_ONCE):
            batch = lines[start : start + AT_ONCE]
            await copy.write("\n".join(batch) + "\n")
            progress.add(len(batch))


async def apply(
    session: AsyncSession, *, row: Release, records: Sequence[Any], said: Sequence[str], caller: Caller, now: datetime
) -> None:
    """Bring the register to what a release of reference data shows; `said` is a line of text for each record."""
    kind = type(records[0])
    if kind is TrustRecord:
        await replace_trusts(session, row, records)
    elif kind is EstablishmentLinkRecord:
        await replace_links(session, row, records)
    elif kind is EstablishmentRecord:
        ended = await queries.ended_by_succession(session, row.published_on)
        told = [with_status(each, ended.get(each.urn)) for each in records]
        said = said if told == list(records) else lines(told, ESTABLISHMENT)
        await upsert_establishments(session, row, told, said, now)
        await settle_memberships(session, establishment_sights(row, told), caller, now)
    elif kind is GroupLinkRecord:
        await settle_memberships(session, await group_sights(session, row, records), caller, now)
    else:
        raise TypeError(f"{row.feed} gives {kind.__name__}, which is no reference data.")


async def upsert(session: AsyncSession, table: type[OutcomesTable], key: str, rows: list[dict[str, Any]]) -> None:
    """Add rows, or bring those with the same key up to date."""
    statement = insert(table)
    changed = {name: statement.excluded[name] for name in rows[0] if name != key}
    await session.exec(statement.on_conflict_do_update(index_elements=[key], set_=changed), params=rows)


async def replace_trusts(session: AsyncSession, row: Release, records: Sequence[TrustRecord]) -> None:
    """The trusts as the release has them; one that vanished is deleted, or `gone` where something names it."""
    await upsert(session, Trust, "uid", [{**asdict(each), "release_id": row.id} for each in records])
    named = exists().where(col(Membership.trust_uid) == col(Trust.uid))
    fenced = exists().where(col(RingFence.supplier_uid) == col(Trust.uid))
    vanished = col(Trust.release_id) != row.id
    for statement in (
        delete(Trust).where(vanished, ~named, ~fenced),
        update(Trust).where(vanished).values(status=GONE),
    ):
        await session.exec(statement.execution_options(synchronize_session=False))


async def replace_links(session: AsyncSession, row: Release, records: Sequence[EstablishmentLinkRecord]) -> None:
    """The links between establishments as the release has them."""
    await session.exec(delete(EstablishmentLink))
    columns = ("urn", "linked_urn", "kind", "established_on", "release_id")
    rows = [(each.urn, each.linked_urn, each.kind, each.established_on, row.id) for each in records]
    await copy_rows(session, EstablishmentLink, columns, rows)


def with_status(each: EstablishmentRecord, succeeded_on: date | None) -> EstablishmentRecord:
    """The establishment with a status: where its layout has none, it is open unless another has succeeded it."""
    if each.status is not None:
        return each
    if succeeded_on is None:
        return each._replace(status="open")
    return each._replace(status="closed", closed_on=each.closed_on or succeeded_on)


ESTABLISHMENT = tuple(name for name in EstablishmentRecord._fields if name != "says_trust")
KEPT_ON = ("school_id", "release_id")
"""What an establishment has beside what a release says of it: its school, and the release that last changed it."""


async def upsert_establishments(
    session: AsyncSession,
    row: Release,
    records: Sequence[EstablishmentRecord],
    said: Sequence[str],
    now: datetime,
) -> None:
    """The establishments as the release has them; those that it lacks, or says nothing new of, stay as they were."""
    known = await queries.school_ids(session)
    urns = {each.urn for each in records} - known.keys()
    firsts = first_lives(urns, conversions(await queries.plain_successions(session)), known)
    schools = {**known, **{urn: uuid7() for urn in sorted(set(firsts.values()) - known.keys())}}
    added = [(schools[urn], now) for urn in sorted(schools.keys() - known.keys())]
    await copy_rows(session, School, ("id", "created_at"), added)
    schools.update({urn: schools[first] for urn, first in firsts.items()})
    whole = [f"{line}\t{schools[each.urn]}\t{row.id}" for each, line in zip(records, said, strict=True)]
    new = [line for each, line in zip(records, whole, strict=True) if each.urn in urns]
    await copy_lines(session, "outcomes.establishment", (*ESTABLISHMENT, *KEPT_ON), new)
    if len(new) < len(records):
        again = [line for each, line in zip(records, whole, strict=True) if each.urn not in urns]
        await change_establishments(session, again, says_trust=records[0].says_trust)
    await identify(session, row, records, schools, {school for school, _now in added}, urns)


async def change_establishments(session: AsyncSession, again: Sequence[str], *, says_trust: bool) -> None:
    """Bring establishments that were known before to what is said of them now, where that is something else."""
    said = [name for name in ESTABLISHMENT if name not in ({"urn"} if says_trust else {"urn", "trust_uid"})]
    connection = await session.connection()
    await connection.execute(
        text("CREATE TEMPORARY TABLE again (LIKE outcomes.establishment INCLUDING DEFAULTS) ON COMMIT DROP")
    )
    await copy_lines(session, "again", (*ESTABLISHMENT, *KEPT_ON), again)
    old, new = (", ".join(f"{table}.{name}" for name in said) for table in ("e", "again"))
    changed = ", ".join(f"{name} = again.{name}" for name in (*said, "release_id"))
    await connection.execute(
        text(
            f"UPDATE outcomes.establishment AS e SET {changed} FROM again"  # noqa: S608
            f" WHERE e.urn = again.urn AND ({old}) IS DISTINCT FROM ({new})"
        )
    )


async def identify(
    session: AsyncSession,
    row: Release,
    records: Sequence[EstablishmentRecord],
    schools: dict[int, UUID],
    added: set[UUID],
    new_urns: set[int],
) -> None:
    """Add the identifiers that a school did not have before; a URN holds from opening to closing.

    `schools` are the schools by URN; `added` those that are new, `new_urns` the URNs that are.
    """
    seen = await queries.identifiers_of(session, list({schools[each.urn] for each in records} - added))
    rows = []
    for each in records:
        laestab = f"{each.la_code}{each.establishment_number}" if each.establishment_number else None
        found = (("urn", str(each.urn)), ("laestab", laestab), ("ukprn", each.ukprn))
        since = each.opened_on if each.urn in new_urns else row.published_on
        for scheme, value in found:
            if value is None or (schools[each.urn], scheme, value) in seen:
                continue
            seen.add((schools[each.urn], scheme, value))
            until = each.closed_on if scheme == "urn" else None
            rows.append(f"{schools[each.urn]}\t{scheme}\t{value}\t{written(since)}\t{written(until)}\t{row.feed}")
    columns = ("school_id", "scheme", "value", "valid_from", "valid_to", "source")
    await copy_lines(session, "outcomes.school_identifier", columns, rows)
    if len(new_urns) < len(records):
        await date_identifiers(session, row)


async def date_identifiers(session: AsyncSession, row: Release) -> None:
    """URNs hold from opening to closing, as the release now dates these."""
    dated = text(
        "UPDATE outcomes.school_identifier AS i SET valid_from = coalesce(e.opened_on, i.valid_from),"
        " valid_to = e.closed_on FROM outcomes.establishment AS e"
        " WHERE e.release_id = :release AND i.scheme = 'urn' AND i.school_id = e.school_id AND i.value = e.urn::text"
        " AND (coalesce(e.opened_on, i.valid_from), e.closed_on) IS DISTINCT FROM (i.valid_from, i.valid_to)"
    )
    await (await session.connection()).execute(dated, {"release": row.id})


def establishment_sights(row: Release, records: Sequence[EstablishmentRecord]) -> dict[int, Sight]:
    """What the register's establishments say about trusts: no joining days; a closed school has left on closing."""
    sights = {}
    for each in records:
        if not each.says_trust:
            continue
        closed = each.status == "closed" or (each.closed_on is not None and each.closed_on <= row.published_on)
        uid, left = (None, each.closed_on) if closed else (each.trust_uid, None)
        sights[each.urn] = Sight(uid, None, row.published_on, row.feed, left)
    return sights


async def group_sights(session: AsyncSession, row: Release, records: Sequence[GroupLinkRecord]) -> dict[int, Sight]:
    """What the register's group links say; a school that they lack is not thereby without a trust."""
    trusts = await queries.trusts(session, list({each.trust_uid for each in records}))
    closed = {each.uid for each in trusts if each.closed_on is not None and each.closed_on <= row.published_on}
    shown: dict[int, list[tuple[str, date | None]]] = {}
    for each in records:
        if each.trust_uid not in closed:
            shown.setdefault(each.urn, []).append((each.trust_uid, each.joined_on))
    return {urn: Sight(*one_trust(found), row.published_on, row.feed) for urn, found in shown.items()}


async def settle_memberships(session: AsyncSession, sights: dict[int, Sight], caller: Caller, now: datetime) -> None:
    """Bring the memberships of these schools to what a snapshot shows of them."""
    known: dict[int, list[Membership]] = {}
    looked_for: list[tuple[Membership, Sight, str]] = []
    for row in await queries.memberships(session, list(sights)):
        known.setdefault(row.urn, []).append(row)
    opened = []
    for urn, sight in sights.items():
        rows = known.get(urn, [])
        if not rows and sight.trust_uid is None:
            continue
        changes = reconcile([member(row) for row in rows], sight)
        changed = {each.id: each for each in changes.changed}
        for row in rows:
            if row.id in changed:
                each = changed[row.id]
                row.joined_on, row.joined_inferred = each.joined_on, each.joined_inferred
                row.left_on, row.left_inferred = each.left_on, each.left_inferred
                session.add(row)
        for each in changes.opened:
            opened.append((uuid7(), urn, each.trust_uid, each.joined_on, each.joined_inferred, False, each.source))
        if changes.unconfirmed or changes.confirmed:
            told = "confirmed" if changes.confirmed else "unconfirmed"
            looked_for.append((max(rows, key=lambda each: each.joined_on), sight, f"membership.{told}"))
    columns = ("id", "urn", "trust_uid", "joined_on", "joined_inferred", "left_inferred", "source")
    await copy_rows(session, Membership, columns, opened)
    last = await queries.last_events(session, [row.id for row, _sight, _kind in looked_for])
    for row, sight, kind in looked_for:
        if kind != "membership.confirmed" or last.get(row.id) != kind:
            flag(session, row, sight, kind, caller, now)


def member(row: Membership) -> Member:
    """The membership as the rules see it."""
    return Member(row.id, row.trust_uid, row.joined_on, row.joined_inferred, row.left_on, row.left_inferred, row.source)


def flag(session: AsyncSession, present: Membership, sight: Sight, kind: str, caller: Caller, now: datetime) -> None:
    """A later snapshot shows a transfer that was carried out, or does not: note it, and keep the transfer."""
    facts = {
        "urn": present.urn,
        "trust_uid": present.trust_uid,
        "transfer_id": present.transfer_id,
        "shown_trust_uid": sight.trust_uid,
        "shown_on": sight.on,
    }
    record(session, Event, kind=kind, subject_id=present.id, actor=caller.actor(), data=facts, now=now)
