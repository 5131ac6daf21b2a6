"""A share of successes, drawn towards that of all suppliers, and how sure it is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from services.contracts.rules.track_record import Prior, Records, Tally, prior, track_record

EVEN = Prior(0.5, 4.0)
counts = st.integers(0, 30)
tallies = st.builds(Tally, counts, counts, counts, counts, counts, counts)
means = st.floats(0.02, 0.98)


def test_where_nothing_is_known_half_is_expected() -> None:
    assert prior([]) == prior([Tally(contracts=3, not_measurable=1, running=2)]) == EVEN
    found = track_record(Tally(), EVEN)
    assert found.estimate == 0.5
    assert found.low == pytest.approx(0.1354, abs=1e-4)
    assert found.high == pytest.approx(0.8646, abs=1e-4)


@pytest.mark.parametrize(
    ("tally", "estimate", "low", "high"),
    [
        (Tally(met=1), 0.6, 0.2486, 0.9024),
        (Tally(met=4), 0.75, 0.4793, 0.9466),
        (Tally(met=1, not_met=1), 0.5, 0.1893, 0.8107),
        (Tally(met=2, partly_met=1, not_met=1), 4.5 / 8, None, None),
        (Tally(partly_met=4), 0.5, None, None),
        (Tally(not_met=4), 0.25, None, None),
        (Tally(met=16), 0.9, None, None),
    ],
)
def test_worked_figures(tally: Tally, estimate: float, low: float | None, high: float | None) -> None:
    found = track_record(tally, EVEN)
    assert found.estimate == pytest.approx(estimate)
    if low is not None:
        assert found.low == pytest.approx(low, abs=1e-4)
        assert found.high == pytest.approx(high, abs=1e-4)


def test_the_interval_holds_nine_tenths_of_the_posterior() -> None:
    found = track_record(Tally(met=3, partly_met=1, not_met=1), EVEN)
    a, b = 2 + 3.5, 2 + 1.5

    def density(share: float) -> float:
        return float(share ** (a - 1) * (1 - share) ** (b - 1))

    whole, _ = integrate.quad(density, 0, 1)
    inside, _ = integrate.quad(density, found.low, found.high)
    below, _ = integrate.quad(density, 0, found.low)
    assert inside / whole == pytest.approx(0.9, abs=1e-6)
    assert below / whole == pytest.approx(0.05, abs=1e-6)


def test_the_prior_is_the_mean_of_all_suppliers_and_half_a_contract_more() -> None:
    found = prior([Tally(met=3, not_met=1), Tally(partly_met=2, not_met=3, running=5)])
    assert found.mean == pytest.approx((3 + 1 + 0.5) / (9 + 1))
    assert found.strength == 4


@given(st.lists(tallies, max_size=10))
def test_the_prior_is_never_certain(found: list[Tally]) -> None:
    assert 0 < prior(found).mean < 1


@given(tallies, means)
def test_an_estimate_lies_between_the_own_share_and_the_priors_mean(tally: Tally, mean: float) -> None:
    found = track_record(tally, Prior(mean, 4.0))
    own = tally.credit / tally.judged if tally.judged else mean
    assert min(own, mean) - 1e-9 <= found.estimate <= max(own, mean) + 1e-9
    assert 0 <= found.low < found.high <= 1


@given(tallies, means)
def test_what_is_not_measurable_or_running_says_nothing(tally: Tally, mean: float) -> None:
    before = Prior(mean, 4.0)
    other = track_record(replace(tally, not_measurable=99, running=99, contracts=99), before)
    found = track_record(tally, before)
    assert (other.estimate, other.low, other.high) == (found.estimate, found.low, found.high)


@given(st.integers(0, 20), st.integers(0, 20), means)
def test_more_verdicts_of_the_same_share_narrow_the_interval_and_pull_less(met: int, missed: int, mean: float) -> None:
    own = Prior((met + 0.5) / (met + missed + 1), 4.0)
    widths = []
    for times in (1, 3, 9):
        found = track_record(Tally(met=times * (2 * met + 1), not_met=times * (2 * missed + 1)), own)
        widths.append(found.high - found.low)
    assert widths[0] > widths[1] > widths[2]
    share = (2 * met + 1) / (2 * met + 2 * missed + 2)
    gaps = [
        abs(track_record(Tally(met=n * (2 * met + 1), not_met=n * (2 * missed + 1)), Prior(mean, 4.0)).estimate - share)
        for n in (1, 3, 9)
    ]
    assert gaps[0] >= gaps[1] >= gaps[2]


@given(tallies, means)
def test_a_success_more_never_lowers_what_is_expected(tally: Tally, mean: float) -> None:
    before, better = Prior(mean, 4.0), replace(tally, met=tally.met + 1)
    assert track_record(better, before).estimate > track_record(tally, before).estimate


def test_records_are_found_whole_and_by_intervention() -> None:
    records = Records({"1": Tally(2, met=2), "2": Tally(1, not_met=1)}, {("1", "attendance"): Tally(1, met=1)})
    assert records.of("1").tally == Tally(2, met=2)
    assert records.of("1", "attendance").tally == Tally(1, met=1)
    assert records.of("1", "leadership").tally == records.of("3").tally == Tally()
    assert {records.of(uid).prior for uid in "123"} == {prior([Tally(met=2), Tally(not_met=1)])}
    assert records.of("2").estimate < records.of("3").estimate < records.of("1").estimate
