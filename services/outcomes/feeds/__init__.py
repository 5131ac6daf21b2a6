"""Feeds: a published file's bytes in, records out, every rejected row named with its reason."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.outcomes.feeds import (
    absence,
    census,
    ees,
    gias_establishments,
    gias_group_links,
    gias_groups,
    gias_links,
    key_stages,
    ofsted,
    ofsted_history,
    trust_ks4,
)
from services.outcomes.feeds.ees_data_sets import ABSENCE, KS2, KS4
from services.outcomes.feeds.lines import Parse
from services.outcomes.feeds.observations import Figure
from services.outcomes.feeds.records import Parsed

Reader = Callable[[bytes, int | None], Parsed[Any]]


class Kept(StrEnum):
    """What becomes of a feed's records."""

    REGISTER = "register"
    OBSERVATIONS = "observations"
    INSPECTIONS = "inspections"
    TRUST_OBSERVATIONS = "trust_observations"


@dataclass(frozen=True, slots=True)
class Feed:
    """A kind of published file, and what it holds: a snapshot of the register, or evidence that is added.

    `parse` takes the bytes and, where the files do not name it, the academic year in which the figures start;
    `names_year` is for yearly figures whose files name it in each row. `parse_in` reads a file in a known encoding,
    where a file says again what the one before said, but for a few lines. `figures` are those of schools' results.
    """

    code: str
    title: str
    publisher: str
    kept: Kept
    parse: Reader
    names_year: bool = False
    parse_in: Parse | None = None
    figures: tuple[Figure, ...] = ()

    @property
    def needs_year(self) -> bool:
        """Whether the academic year must be declared with the file."""
        return self.kept is Kept.OBSERVATIONS and not self.names_year

    @property
    def measures(self) -> frozenset[str]:
        """The measures of schools that it may give."""
        return frozenset(figure.measure for figure in self.figures)


def observed(code: str, title: str, parse: Reader, figures: tuple[Figure, ...], *, names_year: bool = False) -> Feed:
    """A feed of DfE's that gives observations of schools."""
    return Feed(code, title, "DfE", Kept.OBSERVATIONS, parse, names_year, figures=figures)


def siblings(code: str) -> list[str]:
    """The other feeds that give some of the same measures of schools."""
    return [each.code for each in FEEDS.values() if each.code != code and each.measures & FEEDS[code].measures]


FEEDS: dict[str, Feed] = {
    feed.code: feed
    for feed in (
        Feed("gias_groups", "GIAS: groups", "DfE", Kept.REGISTER, gias_groups.parse),
        Feed("gias_group_links", "GIAS: group links", "DfE", Kept.REGISTER, gias_group_links.parse),
        Feed("gias_links", "GIAS: establishment links", "DfE", Kept.REGISTER, gias_links.parse),
        Feed(
            "gias_establishments",
            "GIAS: establishments",
            "DfE",
            Kept.REGISTER,
            gias_establishments.parse,
            parse_in=gias_establishments.parse_in,
        ),
        observed("absence", "Pupil absence in schools", absence.parse, absence.FIGURES),
        observed("census", "School census", census.parse, census.FIGURES),
        observed("ks2", "Key stage 2 performance tables", key_stages.parse_ks2, key_stages.KS2_FIGURES),
        observed("ks4", "Key stage 4 performance tables", key_stages.parse_ks4, key_stages.KS4_FIGURES),
        observed("ees_absence", "EES: absence by school", ees.parse_absence, ABSENCE.figures, names_year=True),
        observed("ees_ks2", "EES: key stage 2 by school", ees.parse_ks2, KS2.figures, names_year=True),
        observed("ees_ks4", "EES: key stage 4 by school", ees.parse_ks4, KS4.figures, names_year=True),
        Feed("trust_ks4", "Key stage 4 of multi-academy trusts", "DfE", Kept.TRUST_OBSERVATIONS, trust_ks4.parse),
        Feed("ofsted", "Management information: latest inspections", "Ofsted", Kept.INSPECTIONS, ofsted.parse),
        Feed("ofsted_history", "Earlier ratings", "Ofsted", Kept.INSPECTIONS, ofsted_history.parse),
    )
}
