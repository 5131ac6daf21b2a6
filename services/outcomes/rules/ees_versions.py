"""Versions of data sets of Explore Education Statistics (EES): their order, and what a change of version means here.

Source: EES API guide, versioning. Ids are stable within a major version only; a minor version adds or relabels; a patch
corrects figures.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from services.kernel.errors import Unprocessable

WRITTEN = re.compile(r"v?([0-9]{1,6})\.([0-9]{1,6})(?:\.([0-9]{1,6}))?", re.ASCII)


class BadVersion(Unprocessable):
    """The text is no version of a data set."""

    code = "bad_data_set_version"
    title = "That is not a version of a data set"


class Version(NamedTuple):
    """A version of a data set; versions are in the order of their numbers, 1.10 after 1.9."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        """As EES writes it: no patch where there is none."""
        return f"{self.major}.{self.minor}" + (f".{self.patch}" if self.patch else "")


class Bump(StrEnum):
    """How far two versions are apart, by the largest number that differs."""

    NONE = "none"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"

    @property
    def rank(self) -> int:
        """Its place in the order of sizes."""
        return list(Bump).index(self)


class Step(StrEnum):
    """What a version asks for, when another one was taken in before."""

    NOTHING = "nothing"
    REREAD = "reread"
    ASK = "ask"


def version_from(text: str) -> Version:
    """The version written as `2.0` or `1.2.3`, with or without a `v`; raises BadVersion."""
    found = WRITTEN.fullmatch(text.strip())
    if found is None:
        raise BadVersion(f"{text[:20]!r} is no version of a data set; write it as 2.0 or 1.2.3.")
    return Version(*(int(each or 0) for each in found.groups()))


def bump(before: Version, after: Version) -> Bump:
    """The kind of change between two versions, whichever is the later."""
    for place, kind in enumerate((Bump.MAJOR, Bump.MINOR, Bump.PATCH)):
        if before[place] != after[place]:
            return kind
    return Bump.NONE


def step(before: Version | None, after: Version) -> Step:
    """What to do about a version, after the one that was taken in last.

    The same or an older one: nothing. A patch or a minor one is read again; the values decide whether it revises
    anything. A major one may mean something else by the same names, and needs a person's say.
    """
    if before is None:
        return Step.REREAD
    if after <= before:
        return Step.NOTHING
    return Step.ASK if bump(before, after) is Bump.MAJOR else Step.REREAD


def latest(versions: Iterable[str]) -> Version | None:
    """The highest of these versions; None where there are none. Raises BadVersion."""
    return max(map(version_from, versions), default=None)


@dataclass(frozen=True, slots=True)
class Indicator:
    """A column of figures: its label, unit (`%`, `£`, empty) and decimal places, None where they are not told."""

    column: str
    label: str
    unit: str = ""
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A column by which rows are told apart, with the labels of its options where they are known."""

    column: str
    label: str
    options: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a data set's columns are, by name."""

    indicators: Mapping[str, Indicator]
    filters: Mapping[str, Filter]


class Kind(StrEnum):
    """What became of a part of the metadata."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Change(NamedTuple):
    """One difference: `part` is indicator, filter or option; `name` its column, or `column: option`."""

    kind: Kind
    part: str
    name: str
    detail: str = ""

    @property
    def bump(self) -> Bump:
        """The version that it deserves: what is gone, or counted in another unit, breaks whoever reads it."""
        if self.kind is Kind.REMOVED or self.detail.startswith("unit"):
            return Bump.MAJOR
        return Bump.MINOR


NO_NAMES: Mapping[str, str] = {}


def compared(part: str, before: Iterable[str], after: Iterable[str], renamed: Mapping[str, str]) -> list[Change]:
    """What is gone, what is new and what has another name among named things."""
    old, new = set(before), set(after)
    moved = {name: renamed[name] for name in old - new if renamed.get(name) in new - old}
    found = [Change(Kind.CHANGED, part, now, f"name: {was!r} is now {now!r}") for was, now in moved.items()]
    found += [Change(Kind.REMOVED, part, name) for name in old - new - moved.keys()]
    return found + [Change(Kind.ADDED, part, name) for name in new - old - set(moved.values())]


def altered(part: str, old: Indicator | Filter, new: Indicator | Filter, facts: Iterable[str]) -> list[Change]:
    """A change for each fact that is no longer what it was."""
    pairs = {fact: (getattr(old, fact), getattr(new, fact)) for fact in facts}
    return [
        Change(Kind.CHANGED, part, new.column, f"{fact}: {was!r} is now {now!r}")
        for fact, (was, now) in pairs.items()
        if was != now
    ]


def diff(before: Metadata, after: Metadata, renamed: Mapping[str, str] = NO_NAMES) -> tuple[Change, ...]:
    """Every difference between the metadata of two versions, in the order indicators, filters, options.

    `renamed` are columns, and options as `column: option`, that the publisher says are the same under another name.
    """
    found = compared("indicator", before.indicators, after.indicators, renamed)
    for name, old in before.indicators.items():
        new = after.indicators.get(renamed.get(name, name))
        found += altered("indicator", old, new, ("label", "unit", "decimals")) if new else []
    found += compared("filter", before.filters, after.filters, renamed)
    for name, was in before.filters.items():
        now = after.filters.get(renamed.get(name, name))
        if now:
            found += altered("filter", was, now, ("label",))
            before_it, after_it = ([f"{now.column}: {each}" for each in one.options] for one in (was, now))
            found += compared("option", before_it, after_it, renamed)
    return tuple(sorted(found, key=lambda each: (("indicator", "filter", "option").index(each.part), each)))


def deserved(changes: Iterable[Change]) -> Bump:
    """The version bump that changes of the metadata deserve; PATCH where only figures can have changed."""
    return max((each.bump for each in changes), key=lambda each: each.rank, default=Bump.PATCH)
