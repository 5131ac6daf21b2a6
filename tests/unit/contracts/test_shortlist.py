"""Who might help best, why, and who cannot."""

from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.capacity import Capacity, Load
from services.contracts.rules.shortlist import WEIGHTS, Candidate, NearTrust, exclusions, ranked, term
from services.contracts.rules.suppliers import Phase
from services.contracts.rules.terms import BadTerms
from services.contracts.rules.track_record import Tally, prior, track_record
from services.kernel.errors import DomainError

NEW = track_record(Tally(), prior([]))
TRUST = NearTrust("4903", "Star Academies", "multi_academy_trust", "open", 12, 6, 25.0, 140000)
STAR = Candidate(TRUST, Phase.SECONDARY, Capacity(4, 4000), Load(1, 1000), NEW)
records = st.builds(
    lambda met, missed: track_record(Tally(met=met, not_met=missed), prior([])), st.integers(0, 9), st.integers(0, 9)
)
trusts = st.builds(
    NearTrust,
    st.sampled_from([str(uid) for uid in range(100, 140)]),
    st.just("A trust"),
    st.just("multi_academy_trust"),
    st.just("open"),
    st.integers(0, 60),
    st.integers(0, 60),
    st.none() | st.floats(0, 600),
    st.none() | st.integers(100000, 160000),
)
capacities = st.builds(Capacity, st.integers(0, 9), st.integers(0, 9000))
loads = st.builds(Load, st.integers(0, 9), st.none() | st.integers(0, 9000))
candidates = st.builds(Candidate, trusts, st.none() | st.sampled_from(Phase), capacities, loads, records)


def values(one: Candidate) -> dict[str, float]:
    return {name: part.value for name, part in ranked([one])[0].parts.items()}


def test_the_weights_make_one() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert WEIGHTS == {"phase": 0.3, "distance": 0.2, "capacity": 0.2, "track_record": 0.3}


def test_a_worked_score() -> None:
    (entry,) = ranked([STAR])
    assert values(STAR) == pytest.approx({"phase": 6 / 9, "distance": 1 / 1.5, "capacity": 0.75, "track_record": 0.5})
    assert entry.score == pytest.approx(0.3 * 6 / 9 + 0.2 / 1.5 + 0.2 * 0.75 + 0.3 * 0.5, abs=1e-6)
    assert entry.parts["distance"].figures == {"nearest_km": 25.0, "nearest_urn": "140000"}
    assert entry.parts["capacity"].figures == {"contracts_left": 3, "pupils_left": 3000}
    assert entry.parts["phase"].figures == {"same_phase_schools": 6, "schools": 12}
    assert [part.reason for part in entry.parts.values()] == [
        "Of the 12 schools that it runs, 6 are of this phase (secondary).",
        "Its nearest school is 25.0 km away.",
        "Over the term it can carry 3 more contracts of 4 and 3,000 more pupils of 4,000.",
        "No contract of its own has a verdict yet: expected share of success 50% (14% to 86%), as for any supplier.",
    ]


def test_verdicts_are_told_in_the_reason() -> None:
    record = track_record(Tally(3, met=1, partly_met=1, not_met=1), prior([]))
    part = ranked([replace(STAR, record=record)])[0].parts["track_record"]
    assert part.reason.startswith("Of 3 contracts with a verdict 1 met and 1 partly met: expected share of success 50%")
    assert (part.figures["judged"], part.figures["not_met"]) == (3, 1)


def test_an_unknown_distance_is_half_and_never_near() -> None:
    unknown = replace(STAR, trust=replace(TRUST, nearest_km=None, nearest_urn=None))
    part = ranked([unknown])[0].parts["distance"]
    assert (part.value, part.figures) == (0.5, {"nearest_km": None, "nearest_urn": None})
    assert "unknown" in part.reason.lower()
    assert values(replace(STAR, trust=replace(TRUST, nearest_km=0.0)))["distance"] == 1
    assert values(replace(STAR, trust=replace(TRUST, nearest_km=50.0)))["distance"] == 0.5


def test_an_unknown_phase_is_half() -> None:
    part = ranked([replace(STAR, phase=None)])[0].parts["phase"]
    assert part.value == 0.5
    assert "does not say" in part.reason


def test_the_scarcer_of_contracts_and_pupils_decides() -> None:
    assert values(replace(STAR, load=Load(0, 3000)))["capacity"] == 0.25
    assert values(replace(STAR, load=Load(3, 0)))["capacity"] == 0.25
    assert values(replace(STAR, load=Load(9, 9999)))["capacity"] == 0
    assert values(replace(STAR, capacity=Capacity(0, 0), load=Load(0, 0)))["capacity"] == 0


def test_ties_go_by_uid() -> None:
    twins = [replace(STAR, trust=replace(TRUST, uid=uid)) for uid in ("30", "200", "100")]
    assert [(each.rank, each.candidate.trust.uid) for each in ranked(twins)] == [(1, "100"), (2, "200"), (3, "30")]


@given(st.lists(candidates, max_size=12, unique_by=lambda one: one.trust.uid), st.randoms())
def test_the_list_is_in_order_and_the_same_however_it_came(found: list[Candidate], random: Random) -> None:
    entries = ranked(found)
    assert [each.rank for each in entries] == list(range(1, len(found) + 1))
    assert [each.score for each in entries] == sorted((each.score for each in entries), reverse=True)
    for entry in entries:
        assert 0 <= entry.score <= 1
        assert all(0 <= part.value <= 1 and part.reason for part in entry.parts.values())
        total = sum(part.value * part.weight for part in entry.parts.values())
        assert entry.score == pytest.approx(total, abs=1e-6)
    shuffled = list(found)
    random.shuffle(shuffled)
    assert ranked(shuffled) == entries


@given(candidates, st.integers(1, 30), st.floats(0, 0.99))
def test_more_schools_of_the_phase_and_a_nearer_one_never_hurt(one: Candidate, more: int, nearer: float) -> None:
    trust = one.trust
    richer = replace(one, trust=replace(trust, same_phase_schools=trust.same_phase_schools + more))
    assert ranked([richer])[0].score >= ranked([one])[0].score
    if trust.nearest_km is not None:
        closer = replace(one, trust=replace(trust, nearest_km=trust.nearest_km * nearer))
        assert ranked([closer])[0].score >= ranked([one])[0].score


def codes(trust: NearTrust | None, phases: list[Phase], phase: Phase | None, *against: DomainError) -> list[str]:
    return [each.code for each in exclusions(trust, phases, phase, against)]


def test_who_can_be_offered_a_contract_is_not_left_out() -> None:
    assert codes(TRUST, [Phase.SECONDARY], Phase.SECONDARY) == []
    assert codes(TRUST, [Phase.PRIMARY], None) == []


@pytest.mark.parametrize(
    "trust",
    [None, replace(TRUST, status="closed"), replace(TRUST, status="gone"), replace(TRUST, kind="single_academy_trust")],
)
def test_a_trust_that_is_none_any_more_is_left_out(trust: NearTrust | None) -> None:
    assert codes(trust, [Phase.SECONDARY], Phase.SECONDARY) == ["trust_closed"]


def test_every_reason_is_given() -> None:
    found = exclusions(None, [Phase.PRIMARY], Phase.ALL_THROUGH, [DomainError("In words.")])
    assert [each.code for each in found] == ["trust_closed", "conflict", "phase_not_offered"]
    assert found[1].text == "In words."
    assert "all through" in found[2].text


@pytest.mark.parametrize(
    ("today", "asked", "expected"),
    [
        (date(2023, 6, 20), (None, None), (date(2023, 9, 1), date(2026, 8, 31))),
        (date(2023, 9, 1), (None, None), (date(2023, 9, 1), date(2026, 8, 31))),
        (date(2023, 9, 2), (None, None), (date(2024, 9, 1), date(2027, 8, 31))),
        (date(2023, 6, 20), (date(2024, 2, 29), None), (date(2024, 2, 29), date(2027, 2, 27))),
        (date(2023, 6, 20), (None, date(2024, 8, 31)), (date(2023, 9, 1), date(2024, 8, 31))),
    ],
)
def test_the_term_that_is_thought_of(
    today: date, asked: tuple[date | None, date | None], expected: tuple[date, date]
) -> None:
    assert term(*asked, today) == expected


@pytest.mark.parametrize("ends_on", [date(2023, 8, 31), date(2030, 9, 1)])
def test_a_term_that_no_contract_can_have_is_refused(ends_on: date) -> None:
    with pytest.raises(BadTerms) as refused:
        term(None, ends_on, date(2023, 6, 20))
    assert refused.value.extensions == {"errors": [{"pointer": "/ends_on"}]}
