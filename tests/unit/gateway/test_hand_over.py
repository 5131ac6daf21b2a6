"""The hand-over package, as facts and as a page."""

from datetime import date
from typing import Any

import pytest

from services.gateway.rules.hand_over import (
    TITLES,
    TOLD,
    NotTheirFacts,
    check_told,
    digest,
    document,
    in_words,
    package,
)
from services.gateway.rules.transfer import Body
from services.kernel.errors import Unprocessable

TRANSFER: dict[str, Any] = {
    "id": "t",
    "reference": "TRF-2025-000001",
    "contract_id": "c",
    "route": "conversion",
    "school_urn": 100_001,
    "effective_on": date(2025, 6, 1),
    "evidence": {
        "conditions": [],
        "circumstances": {"outgoing_trust_closes": {"held": True}},
        "outgoing_trust": {"name": "Old Trust", "uid": "1", "group_id": "TR00001", "ukprn": "10000009"},
    },
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
UNTOLD: dict[str, Any] = dict.fromkeys(TOLD)
FACTS = UNTOLD | {
    "directive_academy_order": True,
    "academy_order_on": date(2025, 2, 3),
    "financial_reasons": False,
    "prepare_id": 1,
    "project_group": "GRP_00000042",
}
CONSENTS = [
    {"by": "trust_board", "decided_on": date(2025, 3, 1), "conditions": [], **UNTOLD},
    {"by": "rsc", "decided_on": date(2025, 3, 21), "conditions": ["the lease is signed"], **FACTS},
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
    assert found["outgoing_trust"] == {"name": "Old Trust", "uid": "1", "group_id": "TR00001", "ukprn": "10000009"}
    assert {name: found[name] for name in TOLD} == FACTS | {"academy_order_on": "2025-02-03"}
    assert found["verdict"] == {"id": "e", "academic_year": "2023/24", "overall": "met"}


def test_what_nobody_told_is_none() -> None:
    same = TRANSFER | {"result": TRANSFER["result"] | {"urn": "100001"}, "ground": None, "evidence": {"conditions": []}}
    school = CONTRACT | {"responsible_body": {"name": "Lancashire"}, "evaluation": None}
    found = made(same, school, consents=[], days=[])
    assert {name: found[name] for name in TOLD} == UNTOLD
    names = ("previous_urn", "outgoing_trust", "decided_on", "provisional_on", "inadequate", "outgoing_trust_closes")
    assert {name: found[name] for name in names} == dict.fromkeys(names)
    assert (found["conditions"], found["verdict"]) == ([], None)
    before = made(same)["outgoing_trust"]
    assert before == {"name": "Old Trust", "uid": "1", "group_id": None, "ukprn": None}, "as the contract knows it"
    assert made(same | {"evidence": same["evidence"] | {"outgoing_trust": None}})["outgoing_trust"] is None


def test_only_the_rsc_tells_facts_and_an_academy_order_is_made_before_it_is_told() -> None:
    today = date(2025, 3, 21)
    check_told(Body.DIOCESE, UNTOLD, today)
    check_told(Body.RSC, FACTS | {"academy_order_on": today}, today)
    with pytest.raises(NotTheirFacts, match="financial_reasons, prepare_id") as refused:
        check_told(Body.DIOCESE, UNTOLD | {"financial_reasons": False, "prepare_id": 1}, today)
    assert refused.value.extensions["errors"] == [{"pointer": "/financial_reasons"}, {"pointer": "/prepare_id"}]
    with pytest.raises(Unprocessable, match="in the future"):
        check_told(Body.RSC, FACTS | {"academy_order_on": date(2025, 3, 22)}, today)


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
    assert all(f"<td>{shown}</td>" in page for shown in ("1", "2025-02-03", "GRP_00000042"))


def test_facts_in_words() -> None:
    told = (None, True, False, 1, "x", [], ["a", "b"], {"uid": "1", "ukprn": None})
    assert [in_words(each) for each in told] == ["not told", "yes", "no", "1", "x", "none", "a; b", "uid 1"]
