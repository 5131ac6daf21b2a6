"""Gathering what is to be booked."""

from datetime import date

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.exports import queries
from services.contracts.invoices.queries import issued_between
from services.contracts.rules.documents.exports import Booked


async def booked(
    session: AsyncSession, *, supplier_uid: str | None, first: date | None, last: date | None
) -> list[Booked]:
    """Invoices and credit notes that were issued on days from the first to the last, with when they were settled."""
    rows = await issued_between(session, supplier_uid=supplier_uid, first=first, last=last)
    paid = await queries.paid_on(session, [row.claim_id for row in rows])
    return [Booked(row.body, row.repaid_on if row.series == "CRN" else paid.get(row.claim_id)) for row in rows]
