"""Establishments as a release of the register has them."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes import identifiers, queries
from services.outcomes.continuity import schools_of, unite
from services.outcomes.copies import copy_lines
from services.outcomes.feeds.records import EstablishmentRecord
from services.outcomes.models import Release
from services.outcomes.rules.columnar import column

ESTABLISHMENT = tuple(name for name in EstablishmentRecord._fields if name != "unsaid")
KEPT_ON = ("status_guessed", "school_id", "release_id")
"""What an establishment has beside what a release says of it: whether its status is a guess, its school, and the
release that last changed it."""

RENAMED = (
    "SELECT e.school_id, i.scheme, bool_or(i.tells IS NOT NULL) FROM again JOIN outcomes.establishment AS e USING (urn)"
    " CROSS JOIN LATERAL (VALUES ('laestab', e.la_code || e.establishment_number, again.la_code || {number}),"
    " ('ukprn', e.ukprn, {ukprn})) AS i (scheme, told, tells) WHERE (e.la_code, e.establishment_number, e.ukprn)"
    " IS DISTINCT FROM (again.la_code, {number}, {ukprn}) AND i.told IS DISTINCT FROM i.tells GROUP BY 1, 2"
)
"""Schools and schemes of which something else is told than before, and whether that is another identifier."""


async def upsert(
    session: AsyncSession,
    row: Release,
    records: Sequence[EstablishmentRecord],
    said: Sequence[str],
    guessed: Collection[int],
) -> None:
    """The establishments as the release has them; those that it lacks, or says nothing new of, stay as they were.

    Of those with the URNs `guessed` it tells no status.
    """
    urns = column(records, "urn")
    first = not await queries.any_establishment(session)
    known = {} if first else await queries.school_ids(session, urns)
    new = set(urns) - known.keys()
    schools, release = known | await schools_of(session, new, known), str(row.id)

    def lines(urns_of: Collection[int]) -> Iterator[str]:
        told = zip(urns, said, strict=True)
        return (
            f"{line}\t{'t' if urn in guessed else 'f'}\t{schools[urn]}\t{release}"
            for urn, line in told
            if urn in urns_of
        )

    if new:
        await copy_lines(session, "outcomes.establishment", (*ESTABLISHMENT, *KEPT_ON), lines(new))
    if known:
        await change(session, row, lines(known), records[0].unsaid)
    if new and not first:
        await unite(session, new)
    if not first:
        await identifiers.date_kept(session, row.id)


async def change(session: AsyncSession, row: Release, again: Iterable[str], unsaid: Collection[str]) -> None:
    """Bring establishments that were known before to what is said of them now, where that is something else.

    What the file has no column for stays as it was. Schools that get other identifiers keep, as ended, those they had.
    """
    said = [name for name in (*ESTABLISHMENT, "status_guessed") if name not in {"urn", *unsaid}]
    old, new = (", ".join(f"{table}.{name}" for name in said) for table in ("e", "again"))
    connection = await session.connection()
    await connection.execute(
        text("CREATE TEMPORARY TABLE again (LIKE outcomes.establishment INCLUDING DEFAULTS) ON COMMIT DROP")
    )
    await copy_lines(session, "again", (*ESTABLISHMENT, *KEPT_ON), again)
    number, ukprn = (f"{'again' if name in said else 'e'}.{name}" for name in ("establishment_number", "ukprn"))
    found = (await connection.execute(text(RENAMED.format(number=number, ukprn=ukprn)))).all()
    others = [(school_id, scheme) for school_id, scheme, told in found if told]
    renamed = {school_id for school_id, _scheme, _told in found}
    await identifiers.keep(session, renamed)
    changed = ", ".join(f"{name} = again.{name}" for name in (*said, "release_id"))
    await connection.execute(
        text(
            f"UPDATE outcomes.establishment AS e SET {changed} FROM again"  # noqa: S608
            f" WHERE e.urn = again.urn AND ({old}) IS DISTINCT FROM ({new})"
        )
    )
    await identifiers.keep(session, renamed, since=row.published_on)
    await identifiers.end(session, row, others)
