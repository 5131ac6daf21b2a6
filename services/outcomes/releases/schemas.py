"""Bodies of releases, as clients see them at the gateway."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field

from services.kernel.bodies import Answer, Body, Paging
from services.outcomes.models import Rejection, Release
from services.outcomes.rules.releases import REFERENCE_YEAR, Part, Stage, Status
from services.outcomes.rules.years import academic_year_text
from services.outcomes.schemas import AcademicYear

FeedCode = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$", examples=["ks4"])]


class ReleaseIn(Body):
    """A published file to ingest, or the address where it was published; one of the two.

    `academic_year` only where the feed's files do not name their year.
    """

    model_config = ConfigDict(extra="forbid", strict=False, frozen=True)

    feed: FeedCode
    academic_year: AcademicYear | None = None
    release_status: Stage
    published_on: Annotated[date, Field(description="The day of publication", examples=["2024-12-05"])]
    file: Annotated[UploadFile | None, Field(description="The file as it was published, at most 64 MiB")] = None
    url: Annotated[
        str | None,
        Field(
            max_length=2000,
            description="Where it was published: https, on a host that files are fetched from, at most 64 MiB",
            examples=["https://assets.publishing.service.gov.uk/media/68/latest_inspections.csv"],
        ),
    ] = None


class ReleaseOut(BaseModel):
    """A release and what became of it. Counts are rows of the file; `counts_for` the years in which it counts now.
    Of one that is current, `reason_code` and `detail` say why it does not count for all of its years, if so.

    `confirmed_on` is the last day on which its values were published, `measures` are those that it counts for, by
    academic year; others of that year may come from a release that lacks these.

    `sha256` and `size_bytes` are null until a file that is fetched has come.
    """

    id: UUID
    number: int
    feed: str
    academic_year: str | None
    release_status: Stage
    published_on: date
    confirmed_on: date
    filename: str
    source_url: str | None
    source_version: str | None
    sha256: str | None
    size_bytes: int | None
    status: Status
    reason_code: str | None
    detail: str | None
    layout: str | None
    rows_read: int
    rows_accepted: int
    rows_ignored: int
    rows_rejected: int
    values_hash: str | None
    same_values_as: UUID | None
    counts_for: list[str]
    measures: dict[str, list[str]]
    created_by: dict[str, Any]
    created_at: datetime
    ingested_at: datetime | None

    @classmethod
    def of(cls, row: Release, parts: Sequence[Part]) -> Self:
        """The release of this row, which counts for these parts."""
        facts = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        facts["academic_year"] = None if row.academic_year is None else academic_year_text(row.academic_year)
        facts["measures"] = measures = years_of(parts)
        facts["counts_for"] = list(measures)
        return cls.model_validate(facts)


def years_of(parts: Sequence[Part]) -> dict[str, list[str]]:
    """The measures among these parts by academic year, in their order; reference data belongs to none."""
    found: dict[str, list[str]] = {}
    for part in parts:
        if part.academic_year != REFERENCE_YEAR:
            found.setdefault(academic_year_text(part.academic_year), []).append(part.measure)
    return found


class RejectionOut(Answer):
    """A row that was left out: its place in the file (1 is the first data row), its key where it has one, and why."""

    place: int
    row: int
    key: str | None
    code: str
    detail: str

    @classmethod
    def of(cls, row: Rejection) -> Self:
        """The rejection of this row."""
        return cls.model_validate(row)


class ReleasePage(BaseModel):
    """One page of releases, newest first."""

    data: list[ReleaseOut]
    paging: Paging


class RejectionPage(BaseModel):
    """One page of rejected rows, in the order of the file."""

    data: list[RejectionOut]
    paging: Paging
