"""Every SELECT on invoices, and giving the next number of a series."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import Invoice, InvoiceSeries
from services.contracts.models import Payment
from services.kernel.errors import NotFound


async def invoice(session: AsyncSession, invoice_id: UUID, *, lock: bool = False) -> Invoice:
    """The invoice or credit note; raises NotFound when there is none, or it is not the caller's to see."""
    statement = select(Invoice).where(Invoice.id == invoice_id)
    found = (await session.exec(statement.with_for_update() if lock else statement)).one_or_none()
    if found is None:
        raise NotFound("No such invoice.")
    return found


async def of_claim(session: AsyncSession, claim_id: UUID) -> Invoice:
    """The invoice of a claim that was approved."""
    statement = select(Invoice).where(Invoice.claim_id == claim_id, Invoice.series == "INV")
    return (await session.exec(statement)).one()


async def credited(session: AsyncSession, claim_id: UUID) -> list[Invoice]:
    """The credit notes to the invoice of a claim."""
    statement = select(Invoice).where(Invoice.claim_id == claim_id, Invoice.series == "CRN")
    return list(await session.exec(statement.order_by(col(Invoice.serial))))


async def issued_between(
    session: AsyncSession, *, supplier_uid: str | None, first: date | None, last: date | None
) -> Sequence[Invoice]:
    """Invoices and credit notes that were issued on days from the first to the last, by trust and number."""
    statement = select(Invoice).order_by(Invoice.supplier_uid, col(Invoice.series).desc(), col(Invoice.serial))
    if supplier_uid is not None:
        statement = statement.where(Invoice.supplier_uid == supplier_uid)
    if first is not None:
        statement = statement.where(Invoice.issued_on >= first)
    if last is not None:
        statement = statement.where(Invoice.issued_on <= last)
    return list(await session.exec(statement))


async def next_serial(session: AsyncSession, supplier_uid: str, series: str) -> int:
    """The next number of a trust's series; whoever else wants one waits until this transaction has ended."""
    counter = insert(InvoiceSeries).values(supplier_uid=supplier_uid, series=series, last=1)
    given = counter.on_conflict_do_update(
        index_elements=["supplier_uid", "series"], set_={"last": InvoiceSeries.last + 1}
    ).returning(col(InvoiceSeries.last))
    return int((await session.execute(given)).scalar_one())


async def claim_totals(session: AsyncSession, claim_id: UUID) -> tuple[int, int]:
    """What an invoice asks for with VAT, and what was credited of it before it was paid, in pence."""
    asked = select(func.sum(Invoice.gross_pence)).where(Invoice.claim_id == claim_id, Invoice.series == "INV")
    back = select(func.sum(Invoice.gross_pence - Invoice.owed_pence)).where(
        Invoice.claim_id == claim_id, Invoice.series == "CRN"
    )
    found = [(await session.exec(each)).one() or 0 for each in (asked, back)]
    return int(found[0]), int(found[1])


async def payment(session: AsyncSession, contract_id: UUID, kind: str, code: str) -> Payment:
    """The payment that a line of an invoice is for."""
    wanted = (Payment.contract_id == contract_id, Payment.kind == kind, Payment.code == code)
    return (await session.exec(select(Payment).where(*wanted))).one()
