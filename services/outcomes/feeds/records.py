"""What a feed gives: records of one kind, and every rejected row with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

from services.outcomes.rules.values import ValueState

Record = TypeVar("Record")


class FeedRefused(Exception):
    """The whole file cannot be used; nothing of it is kept.

    `code` is stable (`unreadable`, `truncated`, `wrong_encoding`, `unknown_layout`, `wrong_year`, `empty`);
    `detail` is a sentence for the person who sent the file; `missing` lists the columns that were looked for.
    """

    def __init__(self, code: str, detail: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was left out: its place in the file (1 is the first data row), its key where it has one, and why.

    `detail` names the column and the offending cell only: a whole row may hold names of persons.
    """

    row: int
    key: str | None
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class TrustRecord:
    """A group of the GIAS register that can be a trust (multi-academy or single-academy)."""

    uid: str
    group_id: str | None
    name: str
    kind: str
    companies_house_number: str | None
    ukprn: str | None
    status: str
    opened_on: date | None
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class GroupLinkRecord:
    """An establishment's membership of a trust on the day of the snapshot; `joined_on` None means not known.

    `closed` is whether the trust has closed, None where the file does not say, and `closed_on` when it did.
    """

    urn: int
    trust_uid: str
    joined_on: date | None
    closed: bool | None = None
    closed_on: date | None = None


@dataclass(frozen=True, slots=True)
class EstablishmentLinkRecord:
    """One side of a link between two establishments, as GIAS words it."""

    urn: int
    linked_urn: int
    kind: str
    established_on: date | None


class EstablishmentRecord(NamedTuple):
    """One establishment of the GIAS register: one legal life of a school. `status` None: the file does not say.

    `easting` and `northing` are metres on the British National Grid, None where the place is not known. `unsaid` are
    the fields of which the file has no column, the same ones in all records of a file: nothing is known from them.
    """

    urn: int
    name: str
    la_code: str
    la_name: str
    establishment_number: str | None
    region: str
    phase: str
    kind_code: str
    kind: str
    kind_group: str
    status: str | None
    opened_on: date | None
    closed_on: date | None
    ukprn: str | None
    trust_uid: str | None
    admissions: str | None
    religious_character: str | None
    pupils: int | None
    town: str | None
    postcode: str | None
    easting: int | None
    northing: int | None
    unsaid: frozenset[str]


class ObservationRecord(NamedTuple):
    """One measure of one school in one academic year (`academic_year` is the year in which it starts).

    `number` is in the measure's unit and set exactly when `state` is OK; `denominator` is the number of pupils
    it speaks of, where published.
    """

    urn: int
    measure: str
    academic_year: int
    state: ValueState
    number: Decimal | None
    raw: str
    denominator: int | None


class TrustObservationRecord(NamedTuple):
    """One measure of one trust and group of pupils, as DfE reckoned it: `lower` and `upper` are its 95% interval.

    `pupils` and `urns` are those whom the value speaks of.
    """

    trust_uid: str
    measure: str
    pupil_group: str
    academic_year: int
    state: ValueState
    number: Decimal | None
    lower: Decimal | None
    upper: Decimal | None
    raw: str
    pupils: int | None
    urns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Record]):
    """A whole file, read: `rows` counts its data rows, `ignored` those that are aggregates and no school's.

    `decimals` are the places after the point to which measures were published, where the file tells them; elsewhere
    the catalogue does. `numbers` are the rows that the records are from, one each, where that may be asked.
    """

    layout: str
    rows: int
    ignored: int
    records: Sequence[Record]
    rejections: tuple[Rejection, ...]
    decimals: Mapping[str, int] = field(default_factory=dict)
    numbers: Sequence[int] = ()
