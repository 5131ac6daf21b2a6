"""What a release does to the register: trusts, links, establishments, and who belongs to which trust."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, exists, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.types import uuid7
from services.outcomes import queries
from services.outcomes.continuity import identify, schools_of, unite
from services.outcomes.copies import copy_lines, copy_rows
from services.outcomes.feeds.records import EstablishmentLinkRecord, EstablishmentRecord, GroupLinkRecord, TrustRecord
from services.outcomes.memberships import establishment_sights, group_sights, settle_memberships
from services.outcomes.models import OutcomesTable, Release, RingFence
from services.outcomes.rules.statements import lines
from services.outcomes.schools import EstablishmentLink, Membership, RegisterChange, Trust

GONE = "gone"


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
    """The links between establishments as the release has them, and the schools that follow from them."""
    await session.exec(delete(EstablishmentLink))
    session.add(RegisterChange(id=uuid7()))
    columns = ("urn", "linked_urn", "kind", "established_on", "release_id")
    rows = [(each.urn, each.linked_urn, each.kind, each.established_on, row.id) for each in records]
    await copy_rows(session, EstablishmentLink, columns, rows)
    await unite(session)


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
    schools = known | await schools_of(session, urns, known, now)
    whole = [f"{line}\t{schools[each.urn]}\t{row.id}" for each, line in zip(records, said, strict=True)]
    new = [line for each, line in zip(records, whole, strict=True) if each.urn in urns]
    await copy_lines(session, "outcomes.establishment", (*ESTABLISHMENT, *KEPT_ON), new)
    if len(new) < len(records):
        again = [line for each, line in zip(records, whole, strict=True) if each.urn not in urns]
        await change_establishments(session, again, says_trust=records[0].says_trust)
    await identify(session, row, records, schools, set(schools.values()) - set(known.values()), urns)
    if urns:
        await unite(session)


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
