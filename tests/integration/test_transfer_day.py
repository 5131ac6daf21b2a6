"""The day itself: carried out once all gates are finished, exactly once, and never taken back."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from services.demo import cast
from services.kernel.auth import service_caller
from services.kernel.peers import Peer, Refused
from tests.integration.conftest import Case, consent, finish_steps, memberships, problem, schedule, to
from tests.world import Json, World, move_clock

SELF = service_caller("gateway")
GATE = "authority_to_proceed"
STILL_OUTSIDE = [(cast.OUTGOING, None)]
JOINED = [(cast.OUTGOING, cast.EFFECTIVE_ON), (cast.SUPPLIER, None)]
TABLES = (
    "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname IN ('contracts', 'gateway', 'outcomes') AND c.relkind = 'r'"
    " AND c.relname NOT IN ('job', 'cursor') ORDER BY 1"
)


def everything(world: World) -> dict[str, Any]:
    """Every row of every table but the wake-ups, and how far events have been looked through."""
    return {name: sorted(map(repr, world.rows(f"SELECT * FROM {name}"))) for (name,) in world.rows(TABLES)}


def outcomes(case: Case) -> Peer:
    """The outcomes service, as the gateway reaches it."""
    peer: Peer = case.world.system.apps["gateway"].state.outcomes
    return peer


def membership_body(case: Case) -> Json:
    """What the gateway asks for on the day."""
    return {
        "contract_id": case.contract.rpartition("/")[2],
        "school_urn": int(cast.SCHOOL),
        "trust_uid": cast.SUPPLIER,
        "effective_on": cast.EFFECTIVE_ON,
        "new_urn": None,
    }


async def test_nothing_happens_before_the_day(case: Case) -> None:
    await schedule(case)
    await finish_steps(case)
    await to(case.world, "2025-05-31T23:00:00")
    assert (await case["rsc"].get(case.transfer))["status"] == "scheduled"
    assert memberships(case) == STILL_OUTSIDE


async def test_an_open_gate_holds_the_transfer_back_until_it_is_finished(case: Case) -> None:
    await schedule(case)
    await finish_steps(case, gates=False)
    await to(case.world, cast.EFFECTIVE_ON)
    waiting = await case["rsc"].get(case.transfer)
    assert (waiting["status"], waiting["reason_code"]) == ("scheduled", f"waiting_for_{GATE}")
    assert (await case["rsc"].get(case.contract))["status"] == "completed"
    assert memberships(case) == STILL_OUTSIDE
    await finish_steps(case)
    await case.world.settle()
    done = await case["rsc"].get(case.transfer)
    assert (done["status"], done["reason_code"]) == ("completed", None)
    assert memberships(case) == JOINED


async def test_the_day_closes_the_ring_fence_opens_the_membership_and_freezes_the_contract(case: Case) -> None:
    await schedule(case)
    await finish_steps(case)
    await to(case.world, cast.EFFECTIVE_ON)
    done = await case["rsc"].get(case.transfer)
    assert done["status"] == "completed"
    assert done["result"]["first_platform_year"] == "2025/26"
    assert done["result"]["first_dfe_year"] == "2027/28"
    assert {each["status"] for each in done["steps"]} == {"done"}
    contract = await case["rsc"].get(case.contract)
    assert (contract["status"], contract["transfer_id"]) == ("transferred", done["id"])
    fence = (await case["rsc"].get("/v1/ring-fences", school_urn=cast.SCHOOL))["data"][0]
    assert (fence["closed_on"], fence["closed_reason"], fence["ends_on"]) == (
        cast.EFFECTIVE_ON,
        "transferred",
        "2024-08-31",
    )
    assert (await case["rsc"].get(f"/v1/schools/{cast.SCHOOL}"))["trust"]["uid"] == cast.SUPPLIER
    body = {"status": "met", "occurred_on": "2024-07-12"}
    problem(await case["mat"].ask("POST", f"{case.contract}/milestones/M1/records", json=body), 409, "status_forbids")


async def test_settling_again_changes_nothing(case: Case) -> None:
    await schedule(case)
    await finish_steps(case)
    await to(case.world, cast.EFFECTIVE_ON)
    before = everything(case.world)
    assert before["gateway.transfer"]
    await to(case.world, "2025-07-01")
    assert everything(case.world) == before


async def test_many_workers_at_once_carry_it_out_once(case: Case) -> None:
    await schedule(case)
    await finish_steps(case)
    move_clock(cast.EFFECTIVE_ON)
    await asyncio.gather(*(case.world.settle() for _ in range(4)))
    assert (await case["rsc"].get(case.transfer))["status"] == "completed"
    assert memberships(case) == JOINED
    assert case.world.rows("SELECT count(*) FROM gateway.event WHERE type = 'transfer.completed'") == [(1,)]
    assert case.world.rows("SELECT count(*) FROM contracts.event WHERE type = 'contract.transferred'") == [(1,)]
    assert case.world.rows("SELECT count(*) FROM outcomes.full_membership") == [(1,)]


async def test_a_day_that_was_put_off_is_kept_on_the_new_day(case: Case) -> None:
    await schedule(case)
    await finish_steps(case)
    later = {"effective_on": "2025-09-01", "reason": "the lease is not ready"}
    assert (await case["rsc"].change(case.transfer, "effective-date", later))["status"] == "scheduled"
    await to(case.world, cast.EFFECTIVE_ON)
    assert (await case["rsc"].get(case.transfer))["status"] == "scheduled"
    assert memberships(case) == STILL_OUTSIDE
    await to(case.world, "2025-09-01")
    assert (await case["rsc"].get(case.transfer))["status"] == "completed"
    assert memberships(case) == [(cast.OUTGOING, "2025-09-01"), (cast.SUPPLIER, None)]


async def test_a_day_that_was_brought_forward_is_kept(case: Case) -> None:
    await schedule(case, "2025-09-01")
    await finish_steps(case)
    sooner = {"effective_on": cast.EFFECTIVE_ON, "reason": "all is ready"}
    await case["rsc"].change(case.transfer, "effective-date", sooner)
    await to(case.world, cast.EFFECTIVE_ON)
    assert memberships(case) == JOINED


async def test_a_refusal_that_is_taken_back_lets_the_day_come(case: Case) -> None:
    await schedule(case)
    await finish_steps(case)
    await consent(case["mat"], case.transfer, "trust_board", "declined")
    again = await consent(case["mat"], case.transfer, "trust_board")
    assert again["status"] == "scheduled"
    await to(case.world, cast.EFFECTIVE_ON)
    assert memberships(case) == JOINED


async def test_a_cancelled_transfer_is_never_carried_out(case: Case) -> None:
    await schedule(case)
    await finish_steps(case)
    for name in ("mat", "body"):
        tag = (await case["rsc"].ask("GET", case.transfer)).headers["etag"]
        path = f"{case.transfer}/cancellation"
        answer = await case[name].ask("POST", path, json={"reason": "second thoughts"}, headers={"If-Match": tag})
        problem(answer, 403, "not_your_move")
    gone = await case["rsc"].change(case.transfer, "cancellation", {"reason": "second thoughts"})
    assert gone["status"] == "cancelled"
    await to(case.world, cast.EFFECTIVE_ON)
    assert memberships(case) == STILL_OUTSIDE
    assert (await case["rsc"].get(case.contract))["status"] == "completed"


async def test_what_was_carried_out_is_not_cancelled(case: Case) -> None:
    await schedule(case)
    await finish_steps(case)
    await to(case.world, cast.EFFECTIVE_ON)
    tag = (await case["rsc"].ask("GET", case.transfer)).headers["etag"]
    path = f"{case.transfer}/cancellation"
    answer = await case["rsc"].ask("POST", path, json={"reason": "second thoughts"}, headers={"If-Match": tag})
    problem(answer, 409, "status_forbids")
    assert memberships(case) == JOINED


async def test_the_same_full_membership_again_gives_the_same_answer(case: Case) -> None:
    path, body = f"/internal/full-memberships/{uuid4()}", membership_body(case)
    first = await outcomes(case).ask("PUT", path, caller=SELF, body=body)
    before = everything(case.world)
    assert await outcomes(case).ask("PUT", path, caller=SELF, body=body) == first
    assert everything(case.world) == before
    assert memberships(case) == JOINED


async def test_another_transfer_of_the_same_contract_is_refused(case: Case) -> None:
    body = membership_body(case)
    await outcomes(case).ask("PUT", f"/internal/full-memberships/{uuid4()}", caller=SELF, body=body)
    before = everything(case.world)
    with pytest.raises(Refused) as refused:
        await outcomes(case).ask("PUT", f"/internal/full-memberships/{uuid4()}", caller=SELF, body=body)
    assert (refused.value.status, refused.value.code) == (409, "already_transferred")
    assert everything(case.world) == before


async def test_of_several_at_once_one_full_membership_is_opened(case: Case) -> None:
    path, body = f"/internal/full-memberships/{uuid4()}", membership_body(case)
    same = [outcomes(case).ask("PUT", path, caller=SELF, body=body) for _ in range(4)]
    others = [
        outcomes(case).ask("PUT", f"/internal/full-memberships/{uuid4()}", caller=SELF, body=body) for _ in range(2)
    ]
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
        await outcomes(case).ask("PUT", f"/internal/full-memberships/{uuid4()}", caller=SELF, body=body)
    assert refused.value.status == 404
    assert memberships(case) == STILL_OUTSIDE
