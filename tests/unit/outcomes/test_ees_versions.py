"""Versions of data sets of Explore Education Statistics, and what a change of version means."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.ees_versions import (
    BadVersion,
    Bump,
    Change,
    Filter,
    Indicator,
    Kind,
    Metadata,
    Step,
    Version,
    bump,
    deserved,
    diff,
    latest,
    step,
    version_from,
)

numbers = st.builds(Version, *[st.integers(0, 999)] * 3)


@pytest.mark.parametrize(
    ("text", "version", "written"),
    [
        ("1.0", Version(1, 0), "1.0"),
        ("2.10", Version(2, 10), "2.10"),
        ("v1.2.3", Version(1, 2, 3), "1.2.3"),
        (" 1.2.0 ", Version(1, 2), "1.2"),
    ],
)
def test_versions_are_read_and_written(text: str, version: Version, written: str) -> None:
    assert version_from(text) == version
    assert str(version) == written


@pytest.mark.parametrize("text", ["", "1", "1.", "1.0.0.0", "1.x", "-1.0", "1.0-beta", "2.*", "1.0 1.1"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(BadVersion, match="2\\.0"):
        version_from(text)


@given(numbers)
def test_a_version_survives_being_written(version: Version) -> None:
    assert version_from(str(version)) == version


@given(numbers, numbers)
def test_a_bump_is_the_largest_number_that_differs(one: Version, other: Version) -> None:
    kind = bump(one, other)
    assert kind is bump(other, one)
    assert (kind is Bump.NONE) is (one == other)
    assert (kind is Bump.MAJOR) is (one.major != other.major)


def test_order_is_by_number_and_not_by_text() -> None:
    ordered = [version_from(each) for each in ("1.0", "1.0.1", "1.2", "1.10", "2.0")]
    assert all(one < other for one, other in pairwise(ordered))
    assert latest(["1.9", "1.10", "1.2.3"]) == Version(1, 10)
    assert latest([]) is None


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (None, "3.1", Step.REREAD),
        ("1.0", "1.0", Step.NOTHING),
        ("1.1", "1.0", Step.NOTHING),
        ("2.0", "1.9", Step.NOTHING),
        ("1.0", "1.0.1", Step.REREAD),
        ("1.0.1", "1.1", Step.REREAD),
        ("1.1", "2.0", Step.ASK),
        ("1.1", "3.0.1", Step.ASK),
    ],
)
def test_what_a_version_asks_for(before: str | None, after: str, wanted: Step) -> None:
    assert step(version_from(before) if before else None, version_from(after)) is wanted


def known(*, unit: str = "%", options: tuple[str, ...] = ("Total", "Boys"), places: int | None = 1) -> Metadata:
    return Metadata(
        {"share": Indicator("share", "A share", unit, places), "pupils": Indicator("pupils", "Pupils")},
        {"sex": Filter("sex", "Sex", frozenset(options)), "topic": Filter("topic", "Topic")},
    )


def test_the_same_metadata_can_only_be_a_patch() -> None:
    assert diff(known(), known()) == ()
    assert deserved(()) is Bump.PATCH


def test_what_is_added_or_relabelled_is_minor() -> None:
    before = known()
    indicators = {**before.indicators, "more": Indicator("more", "More")}
    filters = {**before.filters, "topic": Filter("topic", "Breakdown topic"), "new": Filter("new", "New")}
    after = Metadata(indicators, filters)
    assert diff(before, after) == (
        Change(Kind.ADDED, "indicator", "more"),
        Change(Kind.ADDED, "filter", "new"),
        Change(Kind.CHANGED, "filter", "topic", "label: 'Topic' is now 'Breakdown topic'"),
    )
    assert deserved(diff(before, after)) is Bump.MINOR
    assert deserved(diff(before, known(options=("Total", "Boys", "Girls"), places=2))) is Bump.MINOR


def test_what_is_removed_or_counted_in_another_unit_is_major() -> None:
    assert deserved(diff(known(), known(unit="pp"))) is Bump.MAJOR
    gone = diff(known(), known(options=("Total",)))
    assert gone == (Change(Kind.REMOVED, "option", "sex: Boys"),)
    assert deserved(gone) is Bump.MAJOR
    without = Metadata({"pupils": Indicator("pupils", "Pupils")}, {"topic": Filter("topic", "Topic")})
    assert {(each.kind, each.name) for each in diff(known(), without)} == {
        (Kind.REMOVED, "share"),
        (Kind.REMOVED, "sex"),
    }


def test_another_name_for_the_same_thing_is_minor() -> None:
    before, after = known(), known(options=("All", "Boys"))
    assert deserved(diff(before, after)) is Bump.MAJOR
    assert diff(before, after, {"sex: Total": "sex: All"}) == (
        Change(Kind.CHANGED, "option", "sex: All", "name: 'sex: Total' is now 'sex: All'"),
    )
    other = Metadata({"rate": Indicator("rate", "A share", "pp", 1), "pupils": before.indicators["pupils"]}, {})
    found = diff(Metadata(before.indicators, {}), other, {"share": "rate"})
    assert [each.detail for each in found] == ["name: 'share' is now 'rate'", "unit: '%' is now 'pp'"]
    assert deserved(found) is Bump.MAJOR
