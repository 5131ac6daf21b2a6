"""A trust's figure: pupils pooled, never schools averaged."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.intervals import wilson
from services.outcomes.rules.tables import Member, TrustMeasure, counted_together, pool_trust

SIGMA = 1.41628
A = Member(100001, 180, 0.30, 10)
B = Member(100002, 150, -0.10, 3)
C = Member(100003, 120, -0.60, 2)
D = Member(100004, 200, 0.05, 6)
E = Member(100005, 160, -0.90, 2)
members = st.lists(
    st.builds(Member, st.integers(1, 9), st.integers(2, 300), st.floats(-3, 3), st.integers(3, 12)),
    min_size=3,
    max_size=8,
)
percentages = st.lists(
    st.builds(Member, st.integers(1, 9), st.integers(2, 300), st.floats(0, 100), st.integers(3, 12)),
    min_size=3,
    max_size=8,
)


def test_the_worked_trust() -> None:
    found = pool_trust([A, B, D], SIGMA)
    assert found.value == pytest.approx(49 / 530)
    assert round(found.value or 0, 4) == 0.0925
    assert found.high is not None
    assert found.low is not None
    assert (found.high - found.low) / 2 == pytest.approx(0.1206, abs=5e-5)
    assert (round(found.low, 2), round(found.high, 2)) == (-0.03, 0.21)
    assert (found.state, found.n, found.schools) == ("OK", 530, 3)


def test_the_worked_trust_with_weights_for_time() -> None:
    found = pool_trust([A, B, D], SIGMA, "cap4")
    assert round(found.value or 0, 4) == 0.1071
    assert found.high is not None
    assert found.high - (found.value or 0) == pytest.approx(0.1215, abs=5e-5)
    assert (found.n, found.schools) == (530, 3)


def test_all_five_pooled_show_what_the_ring_fence_protects() -> None:
    assert pool_trust([A, B, C, D, E], SIGMA).value == pytest.approx(-0.206, abs=5e-4)


def test_fewer_than_three_schools_are_not_published() -> None:
    for few in ([], [A], [A, D]):
        n = sum(member.n for member in few)
        assert pool_trust(few, SIGMA) == TrustMeasure("NOT_PUBLISHED_TOO_FEW", None, None, None, n, len(few))


def test_how_many_schools_are_enough_can_be_set() -> None:
    assert pool_trust([A], SIGMA, enough=1).value == pytest.approx(0.30)
    assert pool_trust([A, B, D], SIGMA, enough=4).state == "NOT_PUBLISHED_TOO_FEW"


@pytest.mark.parametrize(("last", "state"), [(1, "SUPPRESSED"), (2, "OK")])
def test_five_pupils_or_fewer_are_suppressed(last: int, state: str) -> None:
    few = [Member(1, 2, 50.0, 3), Member(2, 2, 50.0, 3), Member(3, last, 50.0, 3)]
    for sigma in (None, SIGMA):
        found = pool_trust(few, sigma)
        assert (found.state, found.n, found.schools) == (state, 4 + last, 3)
        assert (found.value is None) is (found.low is None) is (found.high is None) is (state == "SUPPRESSED")


def test_too_few_schools_is_said_before_too_few_pupils() -> None:
    assert pool_trust([Member(1, 1, 50.0, 3)], None).state == "NOT_PUBLISHED_TOO_FEW"
    assert pool_trust([], None, enough=0).state == "SUPPRESSED"


def test_a_percentage_has_wilsons_interval_over_all_pupils() -> None:
    found = pool_trust([Member(1, 28, 1200 / 28, 3), Member(2, 31, 1500 / 31, 3), Member(3, 29, 1300 / 29, 3)], None)
    assert found.value == pytest.approx(100 * 40 / 88)
    assert (round(found.low or 0, 1), round(found.high or 0, 1)) == (35.5, 55.8)


def test_weights_for_time_leave_a_percentage_fewer_pupils_to_rest_on() -> None:
    """Kish's effective size: 4 and 1 over 100 pupils each leave 500 squared over 1,700, which is 147.06."""
    found = pool_trust([Member(1, 100, 50.0, 4), Member(2, 100, 50.0, 1)], None, "cap4", 2)
    expected = wilson(0.5 * 500**2 / 1700, 500**2 / 1700)
    assert (found.value, found.low, found.high) == pytest.approx((50.0, 100 * expected.low, 100 * expected.high))
    assert 100 * (expected.high - expected.low) / 2 == pytest.approx(7.98, abs=0.01)


@pytest.mark.parametrize(
    ("weighting", "off"), [("none", 0.5 * math.hypot(50, 30) / 120), ("cap4", 0.5 * math.hypot(150, 90) / 400)]
)
@pytest.mark.parametrize("sigma", [None, SIGMA])
def test_what_rounding_may_have_taken_widens_the_interval(weighting: str, off: float, sigma: float | None) -> None:
    """METHOD.md 1.4: what each school is off by in its share, in quadrature."""
    exact = [Member(1, 50, 50.0, 3), Member(2, 30, 50.0, 3), Member(3, 40, 50.0, 9)]
    narrow = pool_trust(exact, sigma, weighting)
    wide = pool_trust([replace(each, half_width=0.5 if each.urn < 3 else 0.0) for each in exact], sigma, weighting)
    assert wide.value == narrow.value == 50.0
    for end in ("low", "high"):
        found, without = (abs(getattr(each, end) - 50) for each in (wide, narrow))
        assert found == pytest.approx(math.hypot(without, 1.96 * off / math.sqrt(3)))
        assert found > without


def test_pupils_are_counted_together_and_have_no_interval() -> None:
    schools = [Member(1, 766, 766.0, 4), Member(2, 34, 34.0, 1)]
    found = counted_together(schools, 2)
    assert (found.state, found.value, found.low, found.high, found.n, found.schools) == (
        "OK",
        800.0,
        None,
        None,
        800,
        2,
    )
    assert counted_together(schools).state == "NOT_PUBLISHED_TOO_FEW"


def test_a_percentage_of_nothing_or_all_stays_a_percentage() -> None:
    for share, end in ((0.0, "low"), (100.0, "high")):
        found = pool_trust([Member(urn, 10, share, 3, 0.5) for urn in (1, 2, 3)], None)
        assert found.value == getattr(found, end) == share


@given(members)
def test_a_big_school_weighs_more(schools: list[Member]) -> None:
    found = pool_trust(schools, SIGMA)
    pupils = [member.value for member in schools for _ in range(member.n)]
    assert found.value == pytest.approx(math.fsum(pupils) / len(pupils), abs=1e-9)
    assert found.high is not None
    assert found.high - (found.value or 0) == pytest.approx(1.96 * SIGMA / math.sqrt(len(pupils)))


@given(members)
def test_after_four_years_more_time_weighs_no_more(schools: list[Member]) -> None:
    found = pool_trust(schools, SIGMA, "cap4")
    weights = [3 if member.full_years == 3 else 4 for member in schools]
    mass = sum(w * member.n for w, member in zip(weights, schools, strict=True))
    total = math.fsum(w * member.n * member.value for w, member in zip(weights, schools, strict=True))
    assert found.value == pytest.approx(total / mass, abs=1e-9)
    spread = math.sqrt(sum(w**2 * member.n for w, member in zip(weights, schools, strict=True))) / mass
    assert found.high is not None
    assert found.high - (found.value or 0) == pytest.approx(1.96 * SIGMA * spread)
    plain = pool_trust(schools, SIGMA)
    assert plain.high is not None
    assert found.high - (found.value or 0) >= plain.high - (plain.value or 0) - 1e-12


@given(percentages)
def test_a_pooled_percentage_lies_between_its_schools_and_in_its_interval(schools: list[Member]) -> None:
    found = pool_trust(schools, None)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    shares = [member.value for member in schools]
    assert min(shares) - 1e-9 <= found.value <= max(shares) + 1e-9
    assert -1e-9 <= found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high <= 100 + 1e-9
    n = sum(member.n for member in schools)
    assert found.low == pytest.approx(100 * wilson(min(max(found.value / 100, 0), 1) * n, n).low)


@given(members)
def test_the_order_of_schools_does_not_matter(schools: list[Member]) -> None:
    found, turned = pool_trust(schools, SIGMA, "cap4"), pool_trust(schools[::-1], SIGMA, "cap4")
    assert (found.state, found.n, found.schools) == (turned.state, turned.n, turned.schools)
    assert found.value == pytest.approx(turned.value or 0, abs=1e-9)


def test_there_are_two_ways_of_weighting() -> None:
    with pytest.raises(ValueError, match="time_weighting"):
        pool_trust([Member(1, 100, 10.0, 3)], None, "cap3")


def test_a_school_without_a_full_year_still_weighs_something() -> None:
    found = pool_trust([Member(urn, 100, 10.0, 0) for urn in (1, 2, 3)], None, "cap4")
    assert found.value == pytest.approx(10.0)
