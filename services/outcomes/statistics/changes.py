"""What a version of a data set changed from the one before, as the API tells it."""

from collections.abc import Iterator
from typing import Any

from services.outcomes.rules.ees_versions import Bump
from services.outcomes.statistics.models import Answer


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
