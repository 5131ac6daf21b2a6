"""The hand-over package, as facts and as a page."""

from datetime import date
from typing import Any

from services.gateway.rules.hand_over import TITLES, digest, document, in_words, package

TRANSFER: dict[str, Any] = {
    "id": "t",
    "reference": "TRF-2025-000001",
    "contract_id": "c",
    "route": "conversion",
    "school_urn": 100_001,
    "effective_on": date(2025, 6, 1),
    "evidence": {"conditions": [], "circumstances": {"outgoing_trust_closes": {"held": True}}},
    "ground": {"conditions": [{"code": "inspections_strong", "state": "met"}]},
    "result": {"urn": "150123", "first_platform_year": "2025/26", "first_dfe_year": "2027/28"},
}
CONTRACT: dict[str, Any] = {
    "reference": "CTR-2023-000001",
    "school": {"name": "St <Mary's> & All"},
    "responsible_body": {"name": "Old Trust", "uid": "1"},
    "supplier": {"name": "New Trust", "uid": "2", "ukprn": "10000001", "kind": "Multi-academy trust"},
    "commissioner": {"organisation": "rsc-north-west"},
    "evaluation": {"id": "e", "academic_year": "2023/24", "overall": "met", "score": 1.0},
}
CONSENTS = [
    {"by": "trust_board", "decided_on": date(2025, 3, 1), "conditions": []},
    {"by": "rsc", "decided_on": date(2025, 3, 21), "conditions": ["the lease is signed"]},
]
DAYS = [
    {"effective_on": date(2025, 5, 1), "confirmed": False},
    {"effective_on": date(2025, 6, 1), "confirmed": True},
]


def made(transfer: dict[str, Any] = TRANSFER, contract: dict[str, Any] = CONTRACT, **more: Any) -> dict[str, Any]:
    return package(transfer=transfer, contract=contract, **{"consents": CONSENTS, "days": DAYS, **more})


def test_the_package_holds_the_facts_that_dfes_systems_need() -> None:
    found = made()
    assert set(TITLES) <= set(found)
    assert (found["urn"], found["previous_urn"], found["effective_on"]) == ("150123", "100001", "2025-06-01")
    assert (found["decided_on"], found["conditions"]) == ("2025-03-21", ["the lease is signed"])
    assert (found["provisional_on"], found["inadequate"], found["outgoing_trust_closes"]) == ("2025-05-01", False, True)
    assert found["incoming_trust"] == {"name": "New Trust", "uid": "2", "group_id": None, "ukprn": "10000001"}
    assert found["outgoing_trust"] == {"name": "Old Trust", "uid": "1"}
    assert found["verdict"] == {"id": "e", "academic_year": "2023/24", "overall": "met"}


def test_what_nobody_told_is_none() -> None:
    same = TRANSFER | {"result": TRANSFER["result"] | {"urn": "100001"}, "ground": None, "evidence": {"conditions": []}}
    school = CONTRACT | {"responsible_body": {"name": "Lancashire"}, "evaluation": None}
    found = made(same, school, consents=[], days=[])
    assert {found[f"{why}_reasons"] for why in ("financial", "safeguarding", "governance")} == {None}
    names = ("previous_urn", "outgoing_trust", "decided_on", "provisional_on", "inadequate", "outgoing_trust_closes")
    assert {name: found[name] for name in names} == dict.fromkeys(names)
    assert (found["conditions"], found["verdict"]) == ([], None)


def test_its_hash_does_not_depend_on_the_order_of_its_facts() -> None:
    found = made()
    assert digest(found) == digest(dict(reversed(found.items())))
    assert digest(found) != digest(found | {"urn": "150124"})


def test_the_page_stands_by_itself_and_shows_every_fact_escaped() -> None:
    found = made()
    page = document(found, digest(found))
    assert page.startswith("<!doctype html>")
    assert "St &lt;Mary&#x27;s&gt; &amp; All" in page
    assert "<script" not in page
    assert "http" not in page
    assert page.count("<tr>") == len(TITLES)
    assert digest(found) in page


def test_facts_in_words() -> None:
    told = (None, True, False, 3, "x", [], ["a", "b"], {"uid": "1", "ukprn": None})
    assert [in_words(each) for each in told] == ["not told", "yes", "no", "3", "x", "none", "a; b", "uid 1"]
