"""Publishing what has happened to a contract, once, in order."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts import queries as contracts
from services.contracts.conduct import OcdsRelease
from services.contracts.history import Moment, moments
from services.contracts.publication import queries
from services.contracts.rules.ocds.parties import Publisher
from services.contracts.rules.ocds.releases import Told, release
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


async def publish(session: AsyncSession, *, contract_id: UUID, publisher: Publisher, now: datetime) -> int:
    """Publish what has not been published yet of a contract; gives how many releases that made.

    What was published stands, whatever is said later; doing it again publishes nothing.
    """
    row = await contracts.locked_contract(session, contract_id)
    before = await queries.releases_of(session, row.id)
    published, last = [each.body for each in before], max((each.version for each in before), default=0)
    at = plain(max([now, *(each.published_at for each in before)]))
    made = 0
    for moment in moments(await contracts.events(session, row.id)):
        if moment.version <= last or "contract" not in moment.rows:
            continue
        body = release(told(moment, at), published, publisher)
        if body is None:
            continue
        published.append(body)
        made += 1
        session.add(
            OcdsRelease(
                contract_id=row.id,
                version=moment.version,
                ocid=body["ocid"],
                release_id=body["id"],
                tags=body["tag"],
                published_at=datetime.fromisoformat(at),
                body=body,
            )
        )
    return made


def told(moment: Moment, published_at: str) -> Told:
    """The contract right after an event, as the public may see it: without names of persons."""
    extras: dict[str, list[dict[str, Any]]] = {
        name: [row for key, row in moment.rows.items() if key.partition("/")[0] == table]
        for name, table in EXTRAS.items()
    }
    view = ContractOut.at(moment).model_dump(mode="json")
    return Told(moment.type, moment.version, plain(moment.at), published_at, view, extras)
