"""Answers of the API of Explore Education Statistics, by its OpenAPI definition v1; figures are text, ids are short."""

from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from services.outcomes.rules import ees_versions
from services.outcomes.rules.ees_versions import Version, version_from


class Answer(BaseModel):
    """Part of an answer: names in camel case; what a later version of the API adds is left aside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


Item = TypeVar("Item", bound=Answer)


class Paging(Answer):
    """Where in a list an answer stands; pages count from 1."""

    page: int
    page_size: int
    total_results: int
    total_pages: int


class Remark(Answer):
    """What the API did not like about a request: where, and with which details."""

    message: str
    code: str
    path: str | None = None
    detail: Any = Field(None, validation_alias=AliasChoices("detail", "details"))

    @property
    def words(self) -> str:
        """A sentence for a person, with the place and the items that it is about."""
        items = self.detail.get("items") if isinstance(self.detail, dict) else None
        told = f" ({', '.join(map(str, items))})" if isinstance(items, list) else ""
        return f"{self.path}: {self.message}{told}" if self.path else f"{self.message}{told}"


class Page(Answer, Generic[Item]):
    """One page of a list."""

    paging: Paging
    results: list[Item]
    warnings: list[Remark] = []


class Publication(Answer):
    """A statistical publication."""

    id: str
    title: str
    slug: str
    summary: str = ""
    last_published: datetime


class File(Answer):
    """The file behind a version."""

    id: str


class TimeRange(Answer):
    """The first and the last time period, as they are written."""

    start: str
    end: str


class LatestVersion(Answer):
    """The latest version of a data set."""

    version: str
    published: datetime
    total_results: int
    file: File
    time_periods: TimeRange
    geographic_levels: list[str]
    filters: list[str]
    indicators: list[str]


class DataSet(Answer):
    """A data set; without a latest version where it was withdrawn."""

    id: str
    title: str
    summary: str
    status: str
    superseding_data_set_id: str | None = None
    latest_version: LatestVersion | None = None


class DataSetVersion(Answer):
    """One version of a data set."""

    version: str
    type: str
    status: str
    published: datetime | None = None
    withdrawn: datetime | None = None
    notes: str = ""
    total_results: int

    @property
    def number(self) -> Version:
        """The version, in order among others; raises BadVersion."""
        return version_from(self.version)


class Option(Answer):
    """An option of a filter, or a place."""

    id: str
    label: str = Field(validation_alias=AliasChoices("label", "name"))


class Filter(Answer):
    """A filter, with its options where they are told."""

    id: str
    column: str
    label: str
    hint: str = ""
    options: list[Option] = []


class Indicator(Answer):
    """A column of figures."""

    id: str
    column: str
    label: str
    unit: str | None = None
    decimal_places: int | None = None


class Level(Answer):
    """A geographic level, such as NAT or SCH."""

    code: str
    label: str = ""


class Places(Answer):
    """The places of a geographic level."""

    level: Level
    options: list[Option]


class TimePeriod(Answer):
    """A time period, such as 2022/2023 of AY."""

    code: str
    period: str
    label: str = ""


class Metadata(Answer):
    """What a version of a data set is made of."""

    filters: list[Filter] = []
    indicators: list[Indicator] = []
    geographic_levels: list[Level] = []
    locations: list[Places] = []
    time_periods: list[TimePeriod] = []

    def plain(self) -> ees_versions.Metadata:
        """The columns by name, to be compared with those of another version."""
        return ees_versions.Metadata(
            {
                each.column: ees_versions.Indicator(each.column, each.label, each.unit or "", each.decimal_places)
                for each in self.indicators
            },
            {
                each.column: ees_versions.Filter(
                    each.column, each.label, frozenset(option.label for option in each.options)
                )
                for each in self.filters
            },
        )


class Row(Answer):
    """One result of a query: ids of places, filters and options, and figures by the id of their indicator."""

    time_period: TimePeriod
    geographic_level: str
    locations: dict[str, str]
    filters: dict[str, str]
    values: dict[str, str]


class Problem(Answer):
    """What the API says when it refuses."""

    title: str = ""
    detail: str | None = None
    errors: list[Remark] = []
