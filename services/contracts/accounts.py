"""Tables of a contract's money: its ledger, claims, invoices, and how the trust keeps its books."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.contracts.models import ContractsTable, Instant
from services.kernel.types import uuid7


class LedgerEntry(ContractsTable, table=True):
    """One side of a journal: money of a part of a contract's value that came to an account, or left it. Never updated.

    The entries of a journal sum to zero. `cause_id` is what it follows from: a record, a verdict or a claim.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (CheckConstraint("amount_pence <> 0", name="amount"),)
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    journal_id: UUID = Field(index=True)
    contract_id: UUID = Field(foreign_key="contracts.contract.id", index=True)
    kind: str = Field(max_length=20)
    code: str = Field(max_length=40)
    account: str = Field(max_length=20)
    claim_id: UUID | None = None
    amount_pence: int = Field(sa_type=BigInteger)
    occurred_on: date
    reason: str = Field(max_length=500)
    cause_id: UUID | None = None
    recorded_at: datetime = Field(sa_type=Instant)


class Claim(ContractsTable, table=True):
    """What a trust claims of a contract's money; `lines` name parts of its value and amounts in pence.

    `hands` are who prepared, certified, approved and paid it: credential, person, instant.
    """

    __tablename__ = "claim"
    __table_args__ = (
        UniqueConstraint("contract_id", "number"),
        CheckConstraint("amount_pence >= 0", name="amount"),
        CheckConstraint("(status = 'paid') = (paid_on IS NOT NULL)", name="paid"),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    contract_id: UUID = Field(foreign_key="contracts.contract.id")
    number: int
    reference: str = Field(max_length=40)
    supplier_uid: str = Field(max_length=20, index=True)
    status: str = Field(max_length=20)
    reason: str | None = None
    version: int = 1
    amount_pence: int = Field(sa_type=BigInteger)
    lines: list[dict[str, Any]] = Field(sa_type=JSONB)
    hands: dict[str, Any] = Field(sa_type=JSONB)
    disputes: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    split_from: UUID | None = None
    submitted_on: date
    certified_on: date | None = None
    due_on: date | None = None
    paid_on: date | None = None
    payment_reference: str | None = Field(default=None, max_length=100)
    updated_at: datetime = Field(sa_type=Instant)


class Invoice(ContractsTable, table=True):
    """An invoice (380) or a credit note (381), frozen as it was issued; only a credit note's repayment is added."""

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("supplier_uid", "series", "serial"),
        CheckConstraint("series IN ('INV', 'CRN')", name="series"),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    contract_id: UUID = Field(foreign_key="contracts.contract.id", index=True)
    claim_id: UUID = Field(foreign_key="contracts.claim.id", index=True)
    supplier_uid: str = Field(max_length=20)
    series: str = Field(max_length=3)
    serial: int
    number: str = Field(max_length=40)
    issued_on: date = Field(index=True)
    net_pence: int = Field(sa_type=BigInteger)
    vat_pence: int = Field(sa_type=BigInteger)
    gross_pence: int = Field(sa_type=BigInteger)
    owed_pence: int = Field(default=0, sa_type=BigInteger)
    repaid_on: date | None = None
    body: dict[str, Any] = Field(sa_type=JSONB)


class InvoiceSeries(ContractsTable, table=True):
    """The last number that a trust has given in a series; locked while the next one is given, so none is left out."""

    __tablename__ = "invoice_series"
    supplier_uid: str = Field(primary_key=True, max_length=20)
    series: str = Field(primary_key=True, max_length=3)
    last: int


class Finance(ContractsTable, table=True):
    """How a trust invoices a contract and keeps it in its books: VAT, addresses, and strings of its own."""

    __tablename__ = "finance"
    contract_id: UUID = Field(primary_key=True, foreign_key="contracts.contract.id")
    version: int = 1
    settings: dict[str, Any] = Field(sa_type=JSONB)
    updated_at: datetime = Field(sa_type=Instant)
