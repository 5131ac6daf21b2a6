"""Publishing what has happened to a contract, once, in order."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts import queries as contracts
from services.contracts.conduct import OcdsRelease
from services.contracts.history import Moment, moments
from services.contracts.publication import queries
from services.contracts.rules.ocds.parties import Publisher
from services.contracts.rules.ocds.releases import TAGS, Told, release
from services.contracts.schemas import ContractOut
from services.kernel.types import plain

EXTRAS = {
    "payments": "payment",
    "claims": "claim",
    "invoices": "invoice",
    "kpi_assessments": "kpi_assessment",
    "findings": "finding",
    "notices": "notice",
    "variations": "variation",
}
"""What is published besides the contract itself, and the table that each comes from."""


async def publish(session: AsyncSession, *, contract_ids: Sequence[UUID], publisher: Publisher, now: datetime) -> int:
    """Publish what has not been published yet of contracts; gives how many releases that made.

    What was published stands, whatever is said later; doing it again publishes nothing.
    """
    rows = await contracts.contracts(session, contract_ids, locked=True)
    before, events = await queries.releases_of(session, contract_ids), await contracts.events(session, contract_ids)
    made = 0
    for row in rows:
        published = [each for each in before if each.contract_id == row.id]
        story = moments([each for each in events if each.subject_id == row.id])
        for found in releases(row.id, published, story, publisher, now):
            session.add(found)
            made += 1
    return made


def releases(
    contract_id: UUID, before: Sequence[OcdsRelease], story: Iterable[Moment], publisher: Publisher, now: datetime
) -> Iterator[OcdsRelease]:
    """The releases of a contract that follow those before, from its story."""
    published, last = [each.body for each in before], max((each.version for each in before), default=0)
    at = plain(max([now, *(each.published_at for each in before)]))
    for moment in story:
        if moment.version <= last or moment.type not in TAGS or "contract" not in moment.rows:
            continue
        body = release(told(moment, at), published, publisher)
        if body is None:
            continue
        published.append(body)
        yield OcdsRelease(
            contract_id=contract_id,
            version=moment.version,
            ocid=body["ocid"],
            release_id=body["id"],
            tags=body["tag"],
            published_at=datetime.fromisoformat(at),
            body=body,
        )


def told(moment: Moment, published_at: str) -> Told:
    """The contract right after an event, as the public may see it: without names of persons."""
    extras: dict[str, list[dict[str, Any]]] = {
        name: [row for key, row in moment.rows.items() if key.partition("/")[0] == table]
        for name, table in EXTRAS.items()
    }
    view = ContractOut.at(moment).model_dump(mode="json")
    return Told(moment.type, moment.version, plain(moment.at), published_at, view, extras)
