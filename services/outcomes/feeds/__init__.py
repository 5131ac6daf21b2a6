"""Feeds: a published file's bytes in, records out, every rejected row named with its reason."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.outcomes.feeds import (
    absence,
    census,
    gias_establishments,
    gias_group_links,
    gias_groups,
    gias_links,
    key_stages,
)
from services.outcomes.feeds.records import Parsed


@dataclass(frozen=True, slots=True)
class Feed:
    """A kind of published file. `reference` is register data, which belongs to no academic year and replaces itself.

    `parse` takes the bytes and, where the files do not name it, the academic year in which the figures start.
    """

    code: str
    title: str
    publisher: str
    reference: bool
    parse: Callable[[bytes, int | None], Parsed[Any]]

    @property
    def needs_year(self) -> bool:
        """Whether the academic year must be declared with the file."""
        return not self.reference


FEEDS: dict[str, Feed] = {
    feed.code: feed
    for feed in (
        Feed("gias_groups", "GIAS: groups", "DfE", True, gias_groups.parse),
        Feed("gias_group_links", "GIAS: group links", "DfE", True, gias_group_links.parse),
        Feed("gias_links", "GIAS: establishment links", "DfE", True, gias_links.parse),
        Feed("gias_establishments", "GIAS: establishments", "DfE", True, gias_establishments.parse),
        Feed("absence", "Pupil absence in schools", "DfE", False, absence.parse),
        Feed("census", "School census", "DfE", False, census.parse),
        Feed("ks2", "Key stage 2 performance tables", "DfE", False, key_stages.parse_ks2),
        Feed("ks4", "Key stage 4 performance tables", "DfE", False, key_stages.parse_ks4),
    )
}
