"""Tables of what was published on schools and trusts beside their yearly results."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Index, Integer, Numeric
from sqlmodel import Field

from services.outcomes.models import OutcomesTable
from services.outcomes.rules.grades import GRADES, Scale


def on_scale(scale: Scale) -> str:
    """The condition that a judgement's grade is one of the scale, with its place there."""
    places: dict[int | None, list[str]] = {}
    for code, (ordinal, _words) in GRADES[scale].items():
        places.setdefault(ordinal, []).append(f"'{code}'")
    fits = (
        f"grade_code IN ({', '.join(codes)}) AND ordinal {'IS NULL' if place is None else f'= {place}'}"
        for place, codes in places.items()
    )
    return f"scale = '{scale}' AND ({' OR '.join(fits)})"


ONE_SCALE = " OR ".join(f"({on_scale(scale)})" for scale in Scale)


class Inspection(OutcomesTable, table=True):
    """An inspection as a release has it: written when it was not known, or when a newer release says something else.

    Of several rows with the same `urn` and `started_on` the one from the latest publication counts.
    """

    __tablename__ = "inspection"
    __table_args__ = (Index(None, "urn"), Index(None, "listed_under"))
    release_id: UUID = Field(primary_key=True, foreign_key="outcomes.release.id")
    urn: int = Field(primary_key=True)
    started_on: date = Field(primary_key=True)
    listed_under: int | None = None
    number: str | None = Field(default=None, max_length=20)
    kind: str | None = Field(default=None, max_length=100)
    published_on: date | None = None
    framework: str = Field(max_length=20)
    concern: str | None = Field(default=None, max_length=40)
    safeguarding: str = Field(max_length=20)
    outcome: str | None = Field(default=None, max_length=200)


class Judgement(OutcomesTable, table=True):
    """What an inspection said of an area: a grade of the scale that it belongs to, and of no other."""

    __tablename__ = "judgement"
    __table_args__ = (
        ForeignKeyConstraint(
            ["release_id", "urn", "started_on"],
            ["outcomes.inspection.release_id", "outcomes.inspection.urn", "outcomes.inspection.started_on"],
        ),
        CheckConstraint(ONE_SCALE, name="one_scale"),
    )
    release_id: UUID = Field(primary_key=True)
    urn: int = Field(primary_key=True)
    started_on: date = Field(primary_key=True)
    area: str = Field(primary_key=True, max_length=40)
    scale: str = Field(max_length=10)
    grade_code: str = Field(max_length=20)
    ordinal: int | None = None


class TrustObservation(OutcomesTable, table=True):
    """A measure of a trust that DfE reckoned itself, for a group of pupils: a value or the reason why there is none.

    `lower` and `upper` are DfE's 95% interval; `pupils` and `urns` are those whom the value speaks of.
    """

    __tablename__ = "trust_observation"
    __table_args__ = (CheckConstraint("(state = 'ok') = (value IS NOT NULL)", name="value_or_reason"),)
    release_id: UUID = Field(primary_key=True, foreign_key="outcomes.release.id")
    trust_uid: str = Field(primary_key=True, max_length=20)
    measure: str = Field(primary_key=True, max_length=40)
    pupil_group: str = Field(primary_key=True, max_length=20)
    academic_year: int = Field(primary_key=True)
    state: str = Field(max_length=20)
    value: Decimal | None = Field(default=None, sa_type=Numeric(14, 6))
    lower: Decimal | None = Field(default=None, sa_type=Numeric(14, 6))
    upper: Decimal | None = Field(default=None, sa_type=Numeric(14, 6))
    raw: str
    pupils: int | None = None
    urns: list[int] = Field(default_factory=list, sa_type=ARRAY(Integer))
