"""Answers of the API of Explore Education Statistics, by its OpenAPI definition v1; figures are text, ids are short."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from services.outcomes.rules import ees_versions
from services.outcomes.rules.ees_versions import Bump, Version, version_from


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


class Change(Answer):
    """What something was and what it is now; it was added or removed where one is missing."""

    current_state: dict[str, Any] | None = None
    previous_state: dict[str, Any] | None = None

    @property
    def words(self) -> str:
        """What was added, what is gone, or both states of what changed, by label."""
        was, now = (each and (each.get("label") or each.get("code") or each.get("id")) for each in self.states)
        if was and now:
            return f"{was} is now {now}"
        return f"{was} is gone" if was else f"{now} is new"

    @property
    def states(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """What it was, and what it is."""
        return self.previous_state, self.current_state


class OptionChanges(Answer):
    """Changes of the options of one filter, or of the places of one level."""

    filter: dict[str, Any] | None = None
    level: dict[str, Any] | None = None
    options: list[Change] = []


class ChangeSet(Answer):
    """Changes of one weight, by what they are changes of."""

    filters: list[Change] | None = None
    filter_options: list[OptionChanges] | None = None
    geographic_levels: list[Change] | None = None
    indicators: list[Change] | None = None
    location_groups: list[Change] | None = None
    location_options: list[OptionChanges] | None = None
    time_periods: list[Change] | None = None

    def each(self) -> Iterator[tuple[str, Change]]:
        """Every change with what it is a change of."""
        for part in ("indicators", "filters", "geographic_levels", "location_groups", "time_periods"):
            yield from ((part, change) for change in getattr(self, part) or ())
        for part in ("filter_options", "location_options"):
            for of in getattr(self, part) or ():
                yield from ((part, change) for change in of.options)


class Changes(Answer):
    """What a version changed from the one before."""

    version_number: str
    notes: str | None = None
    major_changes: ChangeSet
    minor_changes: ChangeSet
    patch_history: list["Changes"] | None = None

    @property
    def bump(self) -> Bump:
        """The weight of these changes; figures alone make a patch."""
        if any(self.major_changes.each()):
            return Bump.MAJOR
        return Bump.MINOR if any(self.minor_changes.each()) else Bump.PATCH

    def renamed(self) -> dict[str, str]:
        """Columns that go by another name now, though they are the same."""
        pairs = ((each.previous_state, each.current_state) for _part, each in self.minor_changes.each())
        return {
            str(before["column"]): str(now["column"])
            for before, now in pairs
            if before and now and "column" in before and before["column"] != now.get("column")
        }


class Problem(Answer):
    """What the API says when it refuses."""

    title: str = ""
    detail: str | None = None
    errors: list[Remark] = []
