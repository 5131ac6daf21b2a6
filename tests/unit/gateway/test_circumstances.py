"""What registers tell of a school, by which steps apply or do not."""

from typing import Any

from services.gateway.rules.circumstances import UNTOLD, Circumstance, circumstances

SCHOOL: dict[str, Any] = {"religious_character": None, "kind": "Academy sponsor led", "phase": "Primary"}


def held(school: dict[str, Any], inspections: Any = None, members: int | None = None) -> dict[str, bool]:
    found = circumstances(SCHOOL | school, inspections, members)
    assert set(found) == set(Circumstance)
    assert all(known.source != "nobody" for known in found.values() if known.held is not None)
    return {name.value: known.held for name, known in found.items() if known.held is not None}


def test_what_nobody_tells_is_left_to_the_owner_of_the_step() -> None:
    assert held({}) == {"faith": False}
    assert circumstances(SCHOOL, None, None)[Circumstance.PFI] == UNTOLD


def test_land_follows_the_type_of_establishment() -> None:
    assert held({"kind": "Community school"}) == {
        "faith": False,
        "foundation_land": False,
        "local_authority_land": True,
    }
    for kind in ("Voluntary aided school", "Voluntary controlled school", "Foundation school"):
        assert held({"kind": kind}) == {"faith": False, "foundation_land": True}
    assert held({"kind": "Community special school"})["high_needs_places"] is True


def test_faith_pupils_inspections_and_the_trust_that_is_left() -> None:
    church = circumstances(SCHOOL | {"religious_character": "Church of England"}, None, None)[Circumstance.FAITH]
    assert (church.held, church.source, church.detail) == (True, "GIAS", "Religious character: Church of England.")
    assert held({"phase": "Nursery"})["nursery"] is True
    assert held({"phase": "Secondary"})["nursery"] is False
    assert held({}, {"stuck": True})["fresh_start"] is True
    assert held({}, {"stuck": False})["fresh_start"] is False
    assert "fresh_start" not in held({}, {"stuck": None})
    assert held({}, None, 1)["outgoing_trust_closes"] is True
    assert held({}, None, 2)["outgoing_trust_closes"] is False
