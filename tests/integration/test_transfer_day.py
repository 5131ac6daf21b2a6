"""The day itself: carried out once all gates are finished, exactly once, and never taken back."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from services.demo import cast
from services.gateway import calls
from services.kernel.auth import service_caller
from services.kernel.peers import Peer, Refused
from tests.integration.conftest import consent, memberships, problem, to
from tests.integration.scenes import Case
from tests.world import Json, World, change, move_clock

SELF = service_caller("gateway")
GATE = "authority_to_proceed"
STILL_OUTSIDE = [(cast.OUTGOING, None)]
JOINED = [(cast.OUTGOING, cast.EFFECTIVE_ON), (cast.SUPPLIER, None)]
TABLES = (
    "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname IN ('contracts', 'gateway', 'outcomes') AND c.relkind = 'r'"
    " AND c.relname NOT IN ('job', 'cursor', 'rate') ORDER BY 1"
)


def everything(world: World) -> dict[str, Any]:
    """Every row of every table but wake-ups, how far events have been looked through, and how often callers came."""
    return {name: sorted(map(repr, world.rows(f"SELECT * FROM {name}"))) for (name,) in world.rows(TABLES)}


def outcomes(case: Case) -> Peer:
    """The outcomes service, as the gateway reaches it."""
    peer: Peer = case.world.system.apps["gateway"].state.outcomes
    return peer


async def join(case: Case, *bodies: Json) -> Json:
    """The answer of outcomes to what the gateway asks for on the day."""
    return await outcomes(case).ask("PUT", "/internal/full-memberships", caller=SELF, body=list(bodies))


def membership_body(case: Case) -> Json:
    """What the gateway asks for on the day, for another transfer each time."""
    return {
        "transfer_id": str(uuid4()),
        "contract_id": case.contract.rpartition("/")[2],
        "school_urn": int(cast.SCHOOL),
        "trust_uid": cast.SUPPLIER,
        "effective_on": cast.EFFECTIVE_ON,
        "new_urn": None,
    }


async def test_nothing_happens_before_the_day(ready: Case) -> None:
    await to(ready.world, "2025-05-31T23:00:00")
    assert (await ready["rsc"].get(ready.transfer))["status"] == "scheduled"
    assert memberships(ready) == STILL_OUTSIDE


async def test_an_open_gate_holds_the_transfer_back_until_it_is_finished(ready: Case) -> None:
    await ready["rsc"].change(ready.transfer, f"steps/{GATE}/reopening", {"reason": "the baseline has changed"})
    await to(ready.world, cast.EFFECTIVE_ON)
    waiting = await ready["rsc"].get(ready.transfer)
    assert (waiting["status"], waiting["reason_code"]) == ("scheduled", f"waiting_for_{GATE}")
    assert (await ready["rsc"].get(ready.contract))["status"] == "completed"
    assert memberships(ready) == STILL_OUTSIDE
    await ready["rsc"].change(ready.transfer, f"steps/{GATE}/completion", {})
    await ready.world.settle()
    done = await ready["rsc"].get(ready.transfer)
    assert (done["status"], done["reason_code"]) == ("completed", None)
    assert memberships(ready) == JOINED


async def test_the_day_closes_the_ring_fence_opens_the_membership_and_freezes_the_contract(ready: Case) -> None:
    await to(ready.world, cast.EFFECTIVE_ON)
    done = await ready["rsc"].get(ready.transfer)
    assert done["status"] == "completed"
    assert done["result"]["first_platform_year"] == "2025/26"
    assert done["result"]["first_dfe_year"] == "2027/28"
    assert {each["status"] for each in done["steps"] if each["section"] == "the_day"} == {"done"}
    after = {each["key"]: each["status"] for each in done["steps"] if each["section"] == "after"}
    assert (after["academy_transferred"], after["redact_and_send"]) == ("open", "locked")
    contract = await ready["rsc"].get(ready.contract)
    assert (contract["status"], contract["transfer_id"]) == ("transferred", done["id"])
    fence = (await ready["rsc"].get("/v1/ring-fences", school_urn=cast.SCHOOL))["data"][0]
    assert (fence["closed_on"], fence["closed_reason"], fence["ends_on"]) == (
        cast.EFFECTIVE_ON,
        "transferred",
        "2024-08-31",
    )
    assert (await ready["rsc"].get(f"/v1/schools/{cast.SCHOOL}"))["trust"]["uid"] == cast.SUPPLIER
    body = {"status": "met", "occurred_on": "2024-07-12"}
    problem(await ready["mat"].ask("POST", f"{ready.contract}/milestones/M1/records", json=body), 409, "status_forbids")


async def test_settling_again_changes_nothing(ready: Case) -> None:
    await to(ready.world, cast.EFFECTIVE_ON)
    before = everything(ready.world)
    assert before["gateway.transfer"]
    await to(ready.world, "2025-07-01")
    assert everything(ready.world) == before


async def test_many_workers_at_once_carry_it_out_once(ready: Case) -> None:
    move_clock(cast.EFFECTIVE_ON)
    await asyncio.gather(*(ready.world.settle() for _ in range(4)))
    assert (await ready["rsc"].get(ready.transfer))["status"] == "completed"
    assert memberships(ready) == JOINED
    assert ready.world.rows("SELECT count(*) FROM gateway.event WHERE type = 'transfer.completed'") == [(1,)]
    assert ready.world.rows("SELECT count(*) FROM contracts.event WHERE type = 'contract.transferred'") == [(1,)]
    assert ready.world.rows("SELECT count(*) FROM outcomes.full_membership") == [(1,)]


async def test_a_day_that_was_put_off_is_kept_on_the_new_day(ready: Case) -> None:
    later = {"effective_on": "2025-09-01", "confirmed": True, "reason": "the lease is not ready"}
    assert (await ready["rsc"].change(ready.transfer, "effective-date", later))["status"] == "scheduled"
    await to(ready.world, cast.EFFECTIVE_ON)
    assert (await ready["rsc"].get(ready.transfer))["status"] == "scheduled"
    assert memberships(ready) == STILL_OUTSIDE
    await to(ready.world, "2025-09-01")
    assert (await ready["rsc"].get(ready.transfer))["status"] == "completed"
    assert memberships(ready) == [(cast.OUTGOING, "2025-09-01"), (cast.SUPPLIER, None)]


async def test_a_day_that_was_brought_forward_is_kept(ready: Case) -> None:
    for day, reason in (("2025-09-01", "the lease is not ready"), (cast.EFFECTIVE_ON, "it is")):
        body = {"effective_on": day, "confirmed": True, "reason": reason}
        await ready["rsc"].change(ready.transfer, "effective-date", body)
    await to(ready.world, cast.EFFECTIVE_ON)
    assert memberships(ready) == JOINED


async def test_a_refusal_that_is_taken_back_lets_the_day_come(ready: Case) -> None:
    await consent(ready["mat"], ready.transfer, "trust_board", "declined")
    again = await consent(ready["mat"], ready.transfer, "trust_board")
    assert again["status"] == "scheduled"
    await to(ready.world, cast.EFFECTIVE_ON)
    assert memberships(ready) == JOINED


async def test_a_cancelled_transfer_is_never_carried_out(ready: Case) -> None:
    for name in ("mat", "body"):
        tag = (await ready["rsc"].ask("GET", ready.transfer)).headers["etag"]
        path = f"{ready.transfer}/cancellation"
        answer = await ready[name].ask("POST", path, json={"reason": "second thoughts"}, headers={"If-Match": tag})
        problem(answer, 403, "not_your_move")
    gone = await ready["rsc"].change(ready.transfer, "cancellation", {"reason": "second thoughts"})
    assert gone["status"] == "cancelled"
    await to(ready.world, cast.EFFECTIVE_ON)
    assert memberships(ready) == STILL_OUTSIDE
    assert (await ready["rsc"].get(ready.contract))["status"] == "completed"


async def test_what_was_carried_out_is_not_cancelled(ready: Case) -> None:
    await to(ready.world, cast.EFFECTIVE_ON)
    tag = (await ready["rsc"].ask("GET", ready.transfer)).headers["etag"]
    path = f"{ready.transfer}/cancellation"
    answer = await ready["rsc"].ask("POST", path, json={"reason": "second thoughts"}, headers={"If-Match": tag})
    assert problem(answer, 409, "no_way_back")["detail"] == "It can only be reversed by a new transfer."
    assert memberships(ready) == JOINED


async def test_the_same_full_membership_again_gives_the_same_answer(case: Case) -> None:
    body = membership_body(case)
    first = await join(case, body)
    before = everything(case.world)
    assert await join(case, body) == first
    assert everything(case.world) == before
    assert memberships(case) == JOINED


async def test_another_transfer_of_the_same_contract_is_refused(case: Case) -> None:
    await join(case, membership_body(case))
    before = everything(case.world)
    with pytest.raises(Refused) as refused:
        await join(case, membership_body(case))
    assert (refused.value.status, refused.value.code) == (409, "already_transferred")
    assert everything(case.world) == before


async def test_of_several_at_once_one_full_membership_is_opened(case: Case) -> None:
    body = membership_body(case)
    same = [join(case, body) for _ in range(4)]
    others = [join(case, membership_body(case)) for _ in range(2)]
    found = await asyncio.gather(*same, *others, return_exceptions=True)
    answers = {str(each) for each in found if not isinstance(each, BaseException)}
    assert len(answers) == 1
    assert all(each.status == 409 for each in found if isinstance(each, Refused))
    assert not [each for each in found if isinstance(each, BaseException) and not isinstance(each, Refused)]
    assert memberships(case) == JOINED
    assert case.world.rows("SELECT count(*) FROM outcomes.full_membership") == [(1,)]


async def test_a_school_without_a_ring_fence_is_not_made_a_member(case: Case) -> None:
    body = membership_body(case) | {"contract_id": str(uuid4())}
    with pytest.raises(Refused) as refused:
        await join(case, body)
    assert refused.value.status == 404
    assert memberships(case) == STILL_OUTSIDE


async def test_a_new_urn_is_another_one_and_ends_the_old(case: Case) -> None:
    body = membership_body(case)
    for wrong in ({"new_urn": int(cast.SCHOOL)}, {"new_urn": 99_999}, {"new_laestab": "12"}):
        with pytest.raises(Refused) as refused:
            await join(case, body | wrong)
        assert refused.value.status == 422
    with pytest.raises(Refused) as taken:
        await join(case, body | {"new_urn": int(cast.SUPPLIERS_OWN_SCHOOL)})
    assert (taken.value.status, taken.value.code) == (409, "urn_taken")
    assert memberships(case) == STILL_OUTSIDE
    new = {"new_urn": 150_123, "new_laestab": "8889999"}
    [answer] = await join(case, body | new)
    assert answer["urn"] == "150123"
    query = (
        "SELECT scheme, value, valid_from::text, valid_to::text FROM outcomes.school_identifier i"
        " JOIN outcomes.establishment e USING (school_id) WHERE e.urn = %(urn)s AND scheme <> 'ukprn' ORDER BY 1, 3"
    )
    held = case.world.rows(query, urn=int(cast.SCHOOL))
    assert [row for row in held if row[2] == cast.EFFECTIVE_ON] == [
        ("laestab", "8889999", cast.EFFECTIVE_ON, None),
        ("urn", "150123", cast.EFFECTIVE_ON, None),
    ]
    assert {row[3] for row in held if row[2] != cast.EFFECTIVE_ON} == {cast.EFFECTIVE_ON}


async def test_a_refusal_of_the_act_leaves_a_way_back(ready: Case) -> None:
    await join(ready, membership_body(ready))
    await to(ready.world, cast.EFFECTIVE_ON)
    found = await ready["rsc"].get(ready.transfer)
    assert (found["status"], found["reason_code"]) == ("scheduled", "refused:already_transferred")
    gone = await ready["rsc"].change(ready.transfer, "cancellation", {"reason": "it has joined in another way"})
    assert gone["status"] == "cancelled"


async def test_nobody_gives_up_what_is_being_carried_out(ready: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = calls.open_memberships

    async def given_up_meanwhile(*args: Any) -> Json:
        tag = {"If-Match": (await ready["rsc"].ask("GET", ready.transfer)).headers["etag"]}
        for action in ("cancellation", "hold"):
            path, why = f"{ready.transfer}/{action}", {"reason": "second thoughts"}
            problem(await ready["rsc"].ask("POST", path, json=why, headers=tag), 409, "no_way_back")
        return await answered(*args)

    monkeypatch.setattr(calls, "open_memberships", given_up_meanwhile)
    await to(ready.world, cast.EFFECTIVE_ON)
    assert memberships(ready) == JOINED


async def test_a_lease_that_expires_under_a_live_worker_does_no_harm(
    ready: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_clock(cast.EFFECTIVE_ON)
    answered, begun, go_on = calls.open_memberships, asyncio.Event(), asyncio.Event()

    async def slow_the_first_time(*args: Any) -> Json:
        answer = await answered(*args)
        if not begun.is_set():
            begun.set()
            await go_on.wait()
        return answer

    monkeypatch.setattr(calls, "open_memberships", slow_the_first_time)
    slow = asyncio.create_task(ready.world.settle(1))
    await begun.wait()
    change(ready.world.database_url, "UPDATE gateway.job SET lease_until = now() WHERE kind = 'carry_out'")
    await ready.world.settle()
    before = everything(ready.world)
    assert (await ready["rsc"].get(ready.transfer))["status"] == "completed"
    go_on.set()
    await slow
    await ready.world.settle()
    assert everything(ready.world) == before
    assert memberships(ready) == JOINED
