"""When the day can be carried out, and which act comes next."""

from datetime import date, timedelta

from services.gateway.rules.day import Day, Listed, due, identifiers
from services.gateway.rules.transfer import Route

DAY = date(2025, 6, 1)
NEW = {"new_urn": "150123", "done_on": "2025-05-01"}


def step(key: str, section: str, status: str = "done", *, gate: bool = False, optional: bool = False) -> Listed:
    return Listed(key, section, status, gate, optional, NEW if key == "gate" else {})


def listed(**statuses: str) -> list[Listed]:
    """A list on its day, all done before it but for these."""
    return [
        step("land", "legal", statuses.get("land", "done")),
        step("lease", "legal", statuses.get("lease", "done"), optional=True),
        step("gate", "ready", statuses.get("gate", "done"), gate=True),
        step("check_ground", "the_day", statuses.get("check_ground", "open")),
        step("open_membership", "the_day", statuses.get("open_membership", "open")),
        step("freeze_contract", "the_day", statuses.get("freeze_contract", "open")),
        step("opened", "after", "open", gate=True),
    ]


def on(steps: list[Listed], *, unmet: tuple[str, ...] = (), confirmed: bool = True, days: int = 0) -> Day:
    return due(steps, unmet, Route.CONVERSION, DAY, confirmed, DAY + timedelta(days))


def test_acts_follow_one_another_once_the_day_has_come() -> None:
    assert on(listed(), days=-1) == Day(None, None)
    assert on(listed()) == Day(None, "check_ground")
    assert on(listed(), days=40) == Day(None, "check_ground")
    assert on(listed(check_ground="done")) == Day(None, "open_membership")
    joined = {"check_ground": "done", "open_membership": "done"}
    assert on(listed(**joined)) == Day(None, "freeze_contract")
    assert on(listed(**joined, freeze_contract="done")) == Day(None, None)


def test_what_is_open_holds_it_back_gates_first() -> None:
    assert on(listed(land="open")) == Day("waiting_for_land", None)
    assert on(listed(land="open", gate="open")) == Day("waiting_for_gate", None)
    assert on(listed(lease="open")) == Day(None, "check_ground")
    assert on(listed(), confirmed=False) == Day("waiting_for_confirmed_date", None)
    assert on(listed(), unmet=("rsc/1",)) == Day("waiting_for_rsc/1", None)


def test_a_conversion_waits_for_its_new_urn_and_a_transfer_does_not() -> None:
    steps = [each for each in listed() if each.key != "gate"]
    assert on(steps) == Day("waiting_for_new_urn", None)
    assert due(steps, (), Route.TRUST_TO_TRUST, DAY, True, DAY) == Day(None, "check_ground")
    assert identifiers(listed()) == {"new_urn": "150123"}


def test_once_the_school_has_joined_nothing_is_waited_for() -> None:
    steps = listed(land="open", check_ground="done", open_membership="done")
    assert on(steps, unmet=("rsc",), confirmed=False) == Day(None, "freeze_contract")
