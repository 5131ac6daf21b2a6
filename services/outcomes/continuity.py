"""Which lives are of one school, and by which identifiers it was known when."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.types import uuid7
from services.outcomes import queries
from services.outcomes.copies import copy_lines, copy_rows
from services.outcomes.feeds.records import EstablishmentRecord
from services.outcomes.models import Release
from services.outcomes.rules.statements import text as written
from services.outcomes.rules.succession import conversions, first_lives, united
from services.outcomes.schools import School


async def schools_of(
    session: AsyncSession, urns: Iterable[int], known: Mapping[int, UUID], now: datetime
) -> dict[int, UUID]:
    """The schools of these URNs, which the register did not show before: those that they continue, or new ones.

    A URN that a transfer has announced is that of its school, whether or not there is a link yet.
    """
    told = {**known, **await queries.announced_urns(session)}
    new = set(urns) - told.keys()
    firsts = first_lives(new, conversions(await queries.plain_successions(session)), told)
    added = {urn: uuid7() for urn in sorted(set(firsts.values()) - told.keys())}
    await copy_rows(session, School, ("id", "created_at"), [(school, now) for school in added.values()])
    schools = {**told, **added}
    return {urn: schools[firsts.get(urn, urn)] for urn in urns}


UNITED = text(
    "UPDATE outcomes.establishment AS e SET school_id = moved.school_id"
    " FROM unnest(cast(:urns AS int[]), cast(:schools AS uuid[])) AS moved (urn, school_id) WHERE e.urn = moved.urn"
)
KNOWN_BY = text(
    "INSERT INTO outcomes.school_identifier (school_id, scheme, value, valid_from, valid_to, source)"
    " SELECT moved.school_id, i.scheme, i.value, i.valid_from, i.valid_to, i.source"
    " FROM unnest(cast(:before AS uuid[]), cast(:schools AS uuid[]), cast(:urns AS int[]))"
    " AS moved (before, school_id, urn) JOIN outcomes.school_identifier AS i ON i.school_id = moved.before"
    " WHERE i.scheme <> 'urn' OR i.value = moved.urn::text ON CONFLICT DO NOTHING"
)


async def unite(session: AsyncSession) -> None:
    """Make one school of lives that links show to have followed one another, in whatever order files came.

    A school goes by its first life. What has been one school stays one: no link that is withdrawn takes it apart.
    """
    known = await queries.school_ids(session)
    moved = united(known, conversions(await queries.plain_successions(session)))
    if not moved:
        return
    arrays = {"urns": list(moved), "schools": list(moved.values()), "before": [known[urn] for urn in moved]}
    connection = await session.connection()
    for statement in (UNITED, KNOWN_BY):
        names = statement.compile().params
        await connection.execute(statement, {name: arrays[name] for name in names})


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
