"""Saying how a contract is invoiced and booked."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import Finance
from services.contracts.events import tell
from services.contracts.finance import queries
from services.contracts.finance.schemas import FinanceIn
from services.contracts.models import Contract
from services.contracts.rules.life import ROLES, NotTheirMove, Role
from services.contracts.rules.vat import check_endpoint, check_vat
from services.kernel.auth import Caller
from services.kernel.errors import DomainError
from services.kernel.types import plain


class NotInvoiceable(DomainError):
    """Nobody has said yet how the contract is invoiced."""

    code = "finance_missing"
    title = "How the contract is invoiced is not known"


async def known(session: AsyncSession, contract: Contract) -> Finance:
    """How a contract is invoiced; raises NotInvoiceable."""
    found = await queries.finance(session, contract.id)
    if found is None:
        raise NotInvoiceable(f"The trust says how first: PUT /v1/contracts/{contract.id}/finance.")
    return found


async def settle(
    session: AsyncSession, *, contract: Contract, row: Finance | None, body: FinanceIn, caller: Caller, now: datetime
) -> Finance:
    """The trust says how it invoices a contract, from its next invoice on."""
    if ROLES[caller.kind] is not Role.SUPPLIER:
        raise NotTheirMove("How a contract is invoiced is for its trust to say.")
    check_vat(body.vat_category, body.vat_reason, body.vat_number)
    for pointer in ("seller_endpoint", "buyer_endpoint"):
        endpoint = getattr(body, pointer)
        check_endpoint(f"/{pointer}/id", endpoint.scheme, endpoint.id)
    settings = plain(body.model_dump())
    if row is None:
        row = Finance(contract_id=contract.id, settings=settings, updated_at=now)
        session.add(row)
    else:
        row.settings, row.version, row.updated_at = settings, row.version + 1, now
    await tell(session, contract, "finance.set", caller, now, vat_category=body.vat_category.value)
    return row
