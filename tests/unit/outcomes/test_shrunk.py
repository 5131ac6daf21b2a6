"""The improvement that payment goes by: drawn towards none, the less cohorts can say (METHOD.md 3.7, 3.12)."""

import pytest

from services.outcomes.rules.agreement import Agreed, TargetMode
from services.outcomes.rules.evidence import shrunk
from services.outcomes.rules.matching import NO_MATCH, Comparator, Match
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.series import Pooled

ABSENCE = MEASURES["ABS_PA"]
CHANGES = (-6.0, 6.0, -3.0, 3.0, 0.0, -9.0, 9.0, 1.0, -1.0, 0.0)


def agreed() -> Agreed:
    return Agreed("O1", ABSENCE, 0.4, False, TargetMode.ABSOLUTE, 20.0, None, None)


def pooled(value: float, n: int) -> Pooled:
    return Pooled(value, n, (2022,), ("r",))


def matched(changes: tuple[float, ...], n: int) -> Match:
    alike = [Comparator(100_000 + at, 0.1, 30.0, 30.0 + by, n, n, None) for at, by in enumerate(changes)]
    return Match(tuple(alike), len(alike), None, {}, None, ())


def test_without_comparators_nothing_is_said() -> None:
    assert shrunk(agreed(), pooled(30.0, 900), pooled(20.0, 900), NO_MATCH) is None


def test_less_absence_is_better_and_large_cohorts_are_believed() -> None:
    assert ABSENCE.direction == -1
    many = shrunk(agreed(), pooled(30.0, 100_000), pooled(20.0, 100_000), matched(CHANGES, 100_000))
    assert many == pytest.approx(10.0, abs=0.05)


def test_small_cohorts_are_believed_less() -> None:
    few = shrunk(agreed(), pooled(30.0, 40), pooled(20.0, 40), matched(CHANGES, 900))
    some = shrunk(agreed(), pooled(30.0, 400), pooled(20.0, 400), matched(CHANGES, 900))
    assert few is not None
    assert some is not None
    assert 0 < few < some < 10.0


def test_where_schools_do_not_differ_beyond_chance_nobody_has_done_better() -> None:
    assert shrunk(agreed(), pooled(30.0, 90), pooled(20.0, 90), matched((0.1, -0.1, 0.0), 90)) == pytest.approx(0.0)


def test_none_or_all_of_the_pupils_are_not_taken_for_certain() -> None:
    found = shrunk(agreed(), pooled(0.0, 90), pooled(0.0, 90), matched(CHANGES, 900))
    assert found == pytest.approx(0.0, abs=0.1)
