"""Establishments as a release of the register has them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes import queries
from services.outcomes.continuity import date_identifiers, identify, schools_of, unite
from services.outcomes.copies import copy_lines
from services.outcomes.feeds.records import EstablishmentRecord
from services.outcomes.models import Release
from services.outcomes.rules.columnar import column

ESTABLISHMENT = tuple(name for name in EstablishmentRecord._fields if name != "says_trust")
KEPT_ON = ("school_id", "release_id")
"""What an establishment has beside what a release says of it: its school, and the release that last changed it."""


async def upsert(
    session: AsyncSession, row: Release, records: Sequence[EstablishmentRecord], said: Sequence[str], now: datetime
) -> None:
    """The establishments as the release has them; those that it lacks, or says nothing new of, stay as they were."""
    urns = column(records, "urn")
    known = await queries.school_ids(session, urns)
    new = set(urns) - known.keys()
    schools = known | await schools_of(session, new, known, now)
    ends = {urn: f"\t{school}\t{row.id}" for urn, school in schools.items()}
    fresh = [line + ends[urn] for urn, line in zip(urns, said, strict=True) if urn in new]
    await copy_lines(session, "outcomes.establishment", (*ESTABLISHMENT, *KEPT_ON), fresh)
    await identify(session, row, since="opened_on")
    if len(fresh) < len(records):
        again = [line + ends[urn] for urn, line in zip(urns, said, strict=True) if urn not in new]
        await change(session, again, says_trust=records[0].says_trust)
        await identify(session, row, since=f"DATE '{row.published_on.isoformat()}'")
        await date_identifiers(session, row)
    if new:
        await unite(session, new)


async def change(session: AsyncSession, again: Sequence[str], *, says_trust: bool) -> None:
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
