"""Which events are leaves, and what their leaves say."""

from datetime import UTC, datetime

import pytest

from services.gateway.rules.decisions import is_decision, told

ACTOR = {"client_id": "rsc-1", "name": "RSC", "kind": "commissioner", "organisation": "rsc"}
EVENT = {
    "id": "01a213a0-48bf-75ba-9e2d-ce9f2f8a6290",
    "type": "contract.suspended",
    "data": {"reference": "CTR-2023-000001", "reason": "The head is ill.", "changes": {"contract": {}}},
    "actor": ACTOR,
    "occurred_at": "2023-09-01T09:00:00+00:00",
}


@pytest.mark.parametrize("kind", ["contract.signed", "payment.paid", "claim.certified", "evaluation.made", "new.kind"])
def test_whatever_decides_is_a_leaf(kind: str) -> None:
    assert is_decision(kind)


@pytest.mark.parametrize("kind", ["contract.drafted", "milestone.due_soon", "milestone.overdue", "school.identified"])
def test_what_decides_nothing_is_none(kind: str) -> None:
    assert not is_decision(kind)


def test_words_of_people_are_not_said_openly() -> None:
    facts, private = told("contracts", EVENT)
    assert facts == {
        "source": "contracts",
        "event_id": EVENT["id"],
        "occurred_at": datetime(2023, 9, 1, 9, tzinfo=UTC),
        "by": "rsc-1",
        "data": {"reference": "CTR-2023-000001"},
    }
    assert private == {"actor": ACTOR, "words": {"reason": "The head is ill.", "changes": {"contract": {}}}}


def test_an_instant_is_the_same_as_text_and_as_the_database_gives_it() -> None:
    instant = datetime(2023, 9, 1, 9, tzinfo=UTC)
    assert told("contracts", EVENT | {"occurred_at": instant}) == told("contracts", EVENT)
