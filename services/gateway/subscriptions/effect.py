"""Announcing events: exactly once, in their order, and put on their way to whoever may be told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.models import ContractRef, Cursor
from services.gateway.rules.announcements import place, subject, thin
from services.gateway.subscribers import Announcement
from services.gateway.subscriptions import queries
from services.kernel.events import locked_cursor

BOUNDS = ("contract_id", "organisation", "region", "la_code", "supplier_uid", "responsible_uid", "school_urn")
"""By what an announcement is its contract's parties' to see; a release has none of it."""
FAN_OUT = text(
    "WITH made AS (INSERT INTO gateway.dispatch (subscription_id, subject_id, position)"
    "  SELECT s.id, coalesce(a.contract_id, a.release_id), a.position FROM gateway.announcement a"
    "  JOIN gateway.subscription s ON s.status = 'active'"
    "   AND s.types ?| ARRAY[a.type, split_part(a.type, '.', 1) || '.*', '*']"
    "   AND (s.contract_ids = '[]' OR s.contract_ids ? a.contract_id::text)"
    "   AND (s.regions = '[]' OR s.regions ? a.region) AND (s.trust_uids = '[]' OR s.trust_uids ? a.supplier_uid)"
    "  JOIN gateway.client c ON c.id = s.client_id AND c.disabled_at IS NULL"
    "   AND gateway.concerns(a, c.kind, c.organisation, c.regions, c.la_codes, c.trust_uid, c.urns)"
    "  WHERE a.position > :position ORDER BY a.position RETURNING subscription_id, subject_id)"
    " INSERT INTO gateway.line AS line (subscription_id, subject_id)"
    " SELECT DISTINCT subscription_id, subject_id FROM made ORDER BY 1, 2"
    " ON CONFLICT (subscription_id, subject_id) DO UPDATE SET fence = line.fence"
)
"""Writing to a line that exists waits for the worker that is about to empty and remove it."""


async def announce(
    session: AsyncSession,
    *,
    after: Mapping[str, tuple[int, int]],
    events: Sequence[tuple[str, dict[str, Any]]],
) -> None:
    """Announce a batch of events exactly once, and put them on their way, in one transaction with the cursors.

    `events` come with their source in the order in which they are to be told; those that are about no release, and no
    contract that the gateway knows, are passed over. The cursors' lock makes this the only writer of announcements.
    """
    cursors = {source: await locked_cursor(session, Cursor, source) for source in sorted(after)}
    if any((cursor.txid, cursor.position) != after[source] for source, cursor in cursors.items()):
        return
    about = [subject(source, event) for source, event in events]
    contracts = await queries.transferring(session, {each for kind, each in about if kind == "transfer"})
    refs = await queries.contract_refs(session, {contracts.get(each, each) for _kind, each in about})
    told = []
    for (source, event), (kind, subject_id) in zip(events, about, strict=True):
        cursors[source].txid, cursors[source].position = place(event)
        ref = refs.get(contracts.get(subject_id, subject_id))
        if kind == "release":
            told.append(announcement(event, None, subject_id))
        elif ref is not None:
            told.append(announcement(event, ref, None))
    if told:
        before = await queries.last_position(session)
        await session.execute(insert(Announcement), told)
        await session.execute(FAN_OUT, {"position": before})


def announcement(event: dict[str, Any], ref: ContractRef | None, release_id: UUID | None) -> dict[str, Any]:
    """The row of an event about this contract, or about this release."""
    occurred_at = event["occurred_at"]
    about = ("contract", ref.contract_id) if ref else ("release", release_id)
    return {
        "id": UUID(str(event["id"])),
        "type": event["type"],
        "occurred_at": datetime.fromisoformat(occurred_at) if isinstance(occurred_at, str) else occurred_at,
        "release_id": release_id,
        "data": thin(about[0], str(about[1]), event["data"]),
        "offered": ref is None or event["data"].get("status") != "draft",
        **{name: getattr(ref, name, None) for name in BOUNDS},
    }
