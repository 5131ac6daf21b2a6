"""What the parties may change, and that nothing that happened changes with it."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.life import MoveNotAllowed, NotTheirMove, Role
from services.contracts.rules.variations import (
    OPEN,
    BeyondLatestEnd,
    Standing,
    TouchesThePast,
    VariationMove,
    VariationStatus,
    Wanted,
    check_change,
    check_closer,
    check_day,
    moved,
)

EFFECT, END, LATEST = date(2024, 4, 1), date(2025, 8, 31), date(2026, 8, 31)
ALLOWED = {
    ("proposed", "agree"): "agreed",
    ("proposed", "refuse"): "refused",
    ("proposed", "withdraw"): "withdrawn",
    ("proposed", "lapse"): "lapsed",
    ("agreed", "take_effect"): "in_force",
    ("agreed", "overtake"): "overtaken",
    ("agreed", "lapse"): "lapsed",
}
MILESTONES: dict[str, dict[str, Any]] = {
    "M1": {"code": "M1", "due_on": "2024-01-31", "title": "decided"},
    "M2": {"code": "M2", "due_on": "2024-02-28", "title": "overdue"},
    "M3": {"code": "M3", "due_on": "2024-07-31", "title": "ahead"},
}
MILESTONES = {code: {**each, "due_on": date.fromisoformat(each["due_on"])} for code, each in MILESTONES.items()}
OUTCOMES = {"O1": {"target": 30}}
NOW = Standing(LATEST, END, 1000, OUTCOMES, MILESTONES, frozenset({"M1"}), fee_earned=True, judged=True)
SAME = Wanted(END, 1000, OUTCOMES, MILESTONES)


@pytest.mark.parametrize(("status", "move"), list(product(VariationStatus, VariationMove)))
def test_exactly_these_moves_exist(status: VariationStatus, move: VariationMove) -> None:
    expected = ALLOWED.get((status.value, move.value))
    if expected is not None:
        assert moved(status, move) == expected
        return
    with pytest.raises(MoveNotAllowed) as refused:
        moved(status, move)
    assert refused.value.extensions == {"status_now": status.value}


def test_what_is_open_can_still_take_effect() -> None:
    assert {status.value for status in OPEN} == {"proposed", "agreed"}


def test_the_proposer_withdraws_and_the_others_refuse() -> None:
    for role, by in product(Role, Role):
        for move, own in ((VariationMove.WITHDRAW, True), (VariationMove.REFUSE, False)):
            if (role is by) is own:
                check_closer(move, role, by)
            else:
                with pytest.raises(NotTheirMove):
                    check_closer(move, role, by)


def test_a_variation_takes_effect_between_today_and_the_end() -> None:
    today = date(2024, 3, 1)
    for day in (today, END):
        check_day(day, today, END)
    for day in (today - timedelta(days=1), END + timedelta(days=1)):
        with pytest.raises(TouchesThePast):
            check_day(day, today, END)


def test_what_lies_ahead_may_change() -> None:
    check_change(NOW, SAME, EFFECT)
    check_change(NOW, replace(SAME, ends_on=LATEST, fee_pence=2000), EFFECT)
    check_change(NOW, replace(SAME, ends_on=EFFECT), EFFECT)
    without = {code: MILESTONES[code] for code in ("M1", "M2")}
    check_change(NOW, replace(SAME, milestones=without), EFFECT)
    later = {**MILESTONES, "M2": {**MILESTONES["M2"], "due_on": EFFECT}, "M4": {"due_on": EFFECT}}
    check_change(NOW, replace(SAME, milestones=later), EFFECT)
    renamed = {**MILESTONES, "M2": {**MILESTONES["M2"], "title": "another"}}
    check_change(NOW, replace(SAME, milestones=renamed), EFFECT)
    check_change(replace(NOW, judged=False), replace(SAME, outcomes={}), EFFECT)
    check_change(replace(NOW, fee_earned=False), replace(SAME, fee_pence=0), EFFECT)


DAY_BEFORE = EFFECT - timedelta(days=1)
WRONG: dict[str, tuple[Wanted, type[Exception]]] = {
    "an end before the effect": (replace(SAME, ends_on=DAY_BEFORE), TouchesThePast),
    "an end past the latest": (replace(SAME, ends_on=LATEST + timedelta(days=1)), BeyondLatestEnd),
    "less of an earned fee": (replace(SAME, fee_pence=999), TouchesThePast),
    "outcomes that were judged": (replace(SAME, outcomes={"O1": {"target": 31}}), TouchesThePast),
    "a decided milestone gone": (replace(SAME, milestones={"M2": MILESTONES["M2"]}), TouchesThePast),
    "a decided milestone renamed": (
        replace(SAME, milestones={**MILESTONES, "M1": {**MILESTONES["M1"], "title": "x"}}),
        TouchesThePast,
    ),
    "a new milestone in the past": (
        replace(SAME, milestones={**MILESTONES, "M4": {"due_on": DAY_BEFORE}}),
        TouchesThePast,
    ),
    "a milestone moved into the past": (
        replace(SAME, milestones={**MILESTONES, "M3": {**MILESTONES["M3"], "due_on": DAY_BEFORE}}),
        TouchesThePast,
    ),
}


@pytest.mark.parametrize("what", list(WRONG))
def test_what_has_happened_does_not_change(what: str) -> None:
    wanted, error = WRONG[what]
    with pytest.raises(error):
        check_change(NOW, wanted, EFFECT)


codes = st.sampled_from(["M1", "M2", "M3", "M4"])
promises = st.dictionaries(codes, st.fixed_dictionaries({"due_on": st.dates(date(2024, 1, 1), END)}))


@given(before=promises, after=promises, decided=st.frozensets(codes))
def test_whatever_passes_leaves_decided_milestones_alone(
    before: dict[str, Any], after: dict[str, Any], decided: frozenset[str]
) -> None:
    now = replace(NOW, milestones=before, decided=decided & frozenset(before))
    try:
        check_change(now, replace(SAME, milestones=after), EFFECT)
    except TouchesThePast:
        return
    for code in now.decided:
        assert after[code] == before[code]
    for code in after.keys() - before.keys():
        assert after[code]["due_on"] >= EFFECT
