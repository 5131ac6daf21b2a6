"""What is told of an event, and the one order in which events of several services are told."""

from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.rules.announcements import Event, in_one_order, place, subject, thin


def test_identifiers_and_statuses_are_told_and_nothing_else() -> None:
    data = {
        "status": "active",
        "version": 3,
        "reference": "CTR-2023-000001",
        "reason": "the headteacher, Ms Smith, has left",
        "changes": {"signature": [{"signed_by": "Ms Smith"}]},
        "number": None,
        "party": {"name": "Ms Smith"},
    }
    told = thin("contract", "c1", data)
    assert told == {
        "status": "active",
        "version": 3,
        "reference": "CTR-2023-000001",
        "contract_id": "c1",
        "links": {"contract": "/v1/contracts/c1"},
    }


def test_an_event_of_a_transfer_says_where_the_transfer_is() -> None:
    assert thin("contract", "c1", {"transfer_id": "t1"})["links"]["transfer"] == "/v1/transfers/t1"


def test_an_event_of_a_release_leads_there_and_to_no_contract() -> None:
    told = thin("release", "r1", {"feed": "ks4", "status": "refused", "detail": "row 7: Ms Smith", "missing": ["URN"]})
    assert told == {"feed": "ks4", "status": "refused", "release_id": "r1", "links": {"release": "/v1/releases/r1"}}


def test_what_an_event_is_about() -> None:
    one, other = uuid4(), uuid4()
    data = {"transfer_id": str(other)}
    for source, kind, found in (
        ("announce:outcomes", "release.ingested", ("release", one)),
        ("announce:outcomes", "ring_fence.opened", ("contract", one)),
        ("announce:outcomes", "membership.opened", ("contract", one)),
        ("announce:outcomes", "membership.unconfirmed", ("transfer", other)),
        ("announce:contracts", "release.ingested", ("contract", one)),
        ("announce:gateway", "transfer.proposed", ("contract", one)),
    ):
        assert subject(source, {"type": kind, "subject_id": str(one), "data": data}) == found


def event(txid: int, position: int) -> Event:
    """An event at this place."""
    return {"txid": txid, "position": position}


def test_nothing_is_told_that_may_still_be_preceded() -> None:
    ours, theirs = [event(5, 1), event(8, 2)], [event(6, 9), event(7, 10)]
    found = in_one_order(100, {"ours": ours, "theirs": theirs})
    assert [place(each) for _, each in found] == [(5, 1), (6, 9), (7, 10)], "theirs may go on before 8"
    assert [source for source, _ in found] == ["ours", "theirs", "theirs"]
    assert in_one_order(6, {"ours": ours, "theirs": theirs}) == [("ours", ours[0])], "6 was still running"
    assert in_one_order(100, {"ours": ours, "theirs": []}) == [("ours", each) for each in ours]
    assert in_one_order(100, {"ours": [], "theirs": []}) == []


@given(st.lists(st.sampled_from(["ours", "theirs"]), max_size=40), st.integers(1, 7), st.integers(0, 45))
def test_batch_after_batch_every_event_below_the_horizon_is_told_once_in_order(
    writers: list[str], batch: int, horizon: int
) -> None:
    rows: dict[str, list[Any]] = {"ours": [], "theirs": []}
    for txid, writer in enumerate(writers):
        rows[writer].append(event(txid, len(rows[writer])))
    after, told = dict.fromkeys(rows, (-1, -1)), list[tuple[str, Event]]()
    while True:
        ahead = {name: [each for each in rows[name] if place(each) > after[name]][:batch] for name in rows}
        found = in_one_order(horizon, ahead)
        if not found:
            break
        told += found
        after |= {source: place(each) for source, each in found}
    assert [each["txid"] for _, each in told] == list(range(min(horizon, len(writers))))
