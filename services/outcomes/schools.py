"""Tables of the register: schools through their lives, trusts, and who belongs to which."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, text
from sqlmodel import Field

from services.kernel.types import uuid7
from services.outcomes.models import OutcomesTable


class SchoolIdentifier(OutcomesTable, table=True):
    """An identifier of a school for a time: `scheme` is urn, laestab or ukprn; `valid_to` is not included.

    Only what differs from that which the school's establishments tell themselves (`identifiers.TOLD`).
    """

    __tablename__ = "school_identifier"
    school_id: UUID = Field(primary_key=True)
    scheme: str = Field(primary_key=True, max_length=10)
    value: str = Field(primary_key=True, max_length=20)
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = Field(max_length=40)


class Establishment(OutcomesTable, table=True):
    """One legal life of a school, as the current GIAS release has it; where it lies, in metres on the National Grid.

    `status_guessed`: no release has told the status. `school_id` is that of all lives of a school, which outlives its
    URNs. `release_id` is the release that last
    changed it.
    """

    __tablename__ = "establishment"
    urn: int = Field(primary_key=True)
    school_id: UUID = Field(index=True)
    name: str
    la_code: str = Field(max_length=3, index=True)
    la_name: str
    establishment_number: str | None = Field(default=None, max_length=4)
    region: str
    phase: str = Field(max_length=40)
    kind_code: str = Field(max_length=4)
    kind: str
    kind_group: str = Field(max_length=60)
    status: str = Field(max_length=30)
    status_guessed: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    opened_on: date | None = None
    closed_on: date | None = None
    ukprn: str | None = Field(default=None, max_length=8)
    trust_uid: str | None = Field(default=None, max_length=20)
    admissions: str | None = None
    religious_character: str | None = None
    pupils: int | None = None
    town: str | None = None
    postcode: str | None = None
    easting: int | None = None
    northing: int | None = None
    release_id: UUID


class EstablishmentLink(OutcomesTable, table=True):
    """One side of a link between two establishments, as the current GIAS release has it."""

    __tablename__ = "establishment_link"
    id: int = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    urn: int = Field(index=True)
    linked_urn: int = Field(index=True)
    kind: str = Field(max_length=100)
    established_on: date | None = None
    release_id: UUID = Field(foreign_key="outcomes.release.id")


class Trust(OutcomesTable, table=True):
    """A multi-academy or single-academy trust, as the current GIAS release has it."""

    __tablename__ = "trust"
    uid: str = Field(primary_key=True, max_length=20)
    group_id: str | None = Field(default=None, max_length=20)
    name: str
    kind: str = Field(max_length=40)
    companies_house_number: str | None = Field(default=None, max_length=8)
    ukprn: str | None = Field(default=None, max_length=8)
    status: str = Field(max_length=30)
    opened_on: date | None = None
    closed_on: date | None = None
    release_id: UUID = Field(foreign_key="outcomes.release.id")


class Membership(OutcomesTable, table=True):
    """A school's time in a trust, half-open. `inferred` means that a snapshot showed it and no date was published."""

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint("left_on IS NULL OR left_on > joined_on", name="period"),
        Index("membership_open_idx", "urn", unique=True, postgresql_where="left_on IS NULL"),
        Index(None, "trust_uid"),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    urn: int = Field(index=True)
    trust_uid: str = Field(max_length=20)
    joined_on: date
    joined_inferred: bool = False
    left_on: date | None = None
    left_inferred: bool = False
    source: str = Field(max_length=40)
    transfer_id: UUID | None = None


class RegisterChange(OutcomesTable, table=True):
    """The register changed: written by the database itself, so that what is kept of it is known to be out of date."""

    __tablename__ = "register_change"
    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text("uuidv7()")})
