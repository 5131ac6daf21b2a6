"""Tables of the register of suppliers: what trusts declare that they can do, and what stands against them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.contracts.models import ContractsTable, Instant
from services.kernel.types import uuid7


class Supplier(ContractsTable, table=True):
    """A trust's entry: who it is as GIAS had it when the entry was written, and what it can carry at once."""

    __tablename__ = "supplier"
    __table_args__ = (
        UniqueConstraint("id"),
        CheckConstraint("status IN ('registered', 'suspended')", name="status"),
        CheckConstraint("(status = 'suspended') = (suspension IS NOT NULL)", name="suspension"),
        CheckConstraint("max_contracts >= 0 AND max_pupils >= 0", name="capacity"),
    )
    uid: str = Field(primary_key=True, max_length=20)
    id: UUID = Field(default_factory=uuid7)
    version: int = 1
    status: str = Field(max_length=20)
    suspension: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    name: str
    group_id: str | None = Field(default=None, max_length=20)
    ukprn: str | None = Field(default=None, max_length=8)
    companies_house_number: str | None = Field(default=None, max_length=8)
    max_contracts: int
    max_pupils: int
    phases: list[str] = Field(sa_type=JSONB)
    interventions: list[dict[str, Any]] = Field(sa_type=JSONB)
    registered_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class SupplierMatter(ContractsTable, table=True):
    """A concern about a supplier, or a conflict of interest, with one school or with all; live until resolved."""

    __tablename__ = "supplier_matter"
    __table_args__ = (
        CheckConstraint("kind IN ('concern', 'conflict')", name="kind"),
        CheckConstraint("school_urn IS NULL OR kind = 'conflict'", name="school"),
        CheckConstraint(
            "(resolved_on IS NULL) = (resolution IS NULL) AND (resolved_on IS NULL) = (resolved_by IS NULL)",
            name="resolved",
        ),
        CheckConstraint("resolved_on >= raised_on", name="days"),
        Index("supplier_matter_live_idx", "school_urn", postgresql_where=text("resolved_on IS NULL")),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    supplier_uid: str = Field(foreign_key="contracts.supplier.uid", index=True, max_length=20)
    kind: str = Field(max_length=20)
    school_urn: int | None = None
    details: str
    raised_on: date
    raised_by: dict[str, Any] = Field(sa_type=JSONB)
    resolved_on: date | None = None
    resolution: str | None = None
    resolved_by: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
