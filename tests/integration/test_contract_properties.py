"""Whatever the parties and the clock do: money sums, statuses follow the table, and every day can be read again."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.contracts.rules.life import TABLE, Status
from services.demo import cast
from services.kernel.types import Kind, utc_now
from tests.integration.conftest import signature
from tests.integration.scenes import Actors
from tests.world import Json, World, clone, drop, move_clock, world_on

FIRST = date(2023, 6, 20)
TERM = {
    "starts_on": "2023-09-01",
    "ends_on": "2024-08-31",
    "latest_ends_on": "2025-08-31",
    "break_points": ["2024-03-31"],
}
REACHABLE: dict[str, set[str]] = {status.value: {to.value for to in moves.values()} for status, moves in TABLE.items()}
WHY = {"reason": "as drawn"}
ACTORS = ("rsc", "mat", "body", "dfe")
PARTIES = {"rsc": "commissioner", "mat": "supplier", "body": "responsible_body"}


@dataclass
class Stage:
    """The system, its actors, a loop to run them in, and schools that have no contract yet."""

    loop: asyncio.Runner
    world: World
    actors: Actors
    schools: list[str]


@pytest.fixture(scope="module")
def stage(owner_url: str, seeded: str, keys_dir: Path) -> Iterator[Stage]:
    """One system for all examples; each takes a school of its own."""
    url = clone(owner_url, seeded)
    before = os.environ.get("RINGFENCE_NOW")
    move_clock(FIRST.isoformat())
    with asyncio.Runner() as loop:
        context = world_on(url, keys_dir)
        world = loop.run(context.__aenter__())
        query = (
            "SELECT e.urn::text FROM outcomes.establishment e LEFT JOIN outcomes.membership m ON m.urn = e.urn AND"
            " m.left_on IS NULL WHERE e.region = %(region)s AND e.status LIKE 'open%%' AND e.phase = 'Secondary' AND"
            " m.trust_uid IS DISTINCT FROM %(uid)s ORDER BY e.urn LIMIT 120"
        )
        schools = [urn for (urn,) in world.rows(query, region=cast.REGION, uid=cast.SUPPLIER)]
        actors = loop.run(world.cast())
        actors["body"] = loop.run(world.client(Kind.RESPONSIBLE_BODY, urns=schools))
        yield Stage(loop, world, actors, schools)
        loop.run(context.__aexit__(None, None, None))
    if before is None:
        os.environ.pop("RINGFENCE_NOW", None)
    else:
        os.environ["RINGFENCE_NOW"] = before
    drop(owner_url, url)


actors_drawn = st.sampled_from(ACTORS)
stops = st.fixed_dictionaries({name: st.booleans() for name in ("clock", "payments", "reviews", "ring_fence")})
later = st.integers(0, 200)
steps = st.one_of(
    st.tuples(st.just("sign"), actors_drawn),
    st.tuples(st.just("sign_all"), st.none()),
    st.tuples(st.sampled_from(["offer", "offer-withdrawal", "refusal", "cancellation", "resumption"]), actors_drawn),
    st.tuples(st.just("suspension"), stops),
    st.tuples(
        st.just("termination"),
        st.tuples(actors_drawn, st.sampled_from(["agreement", "breach", "convenience", "school_closed"]), later),
    ),
    st.tuples(st.just("variation"), st.tuples(actors_drawn, later, st.integers(0, 400), st.integers(0, 30_000_000))),
    st.tuples(st.just("sign_variation"), st.none()),
    st.tuples(st.just("refuse_variation"), actors_drawn),
    st.tuples(st.just("record"), st.tuples(st.sampled_from(["M1", "M2", "M3"]), st.sampled_from(["met", "not_met"]))),
    st.tuples(st.just("correction"), st.none()),
)
begun = st.lists(st.tuples(st.integers(0, 3), steps), max_size=3)
plans = st.lists(st.tuples(st.integers(0, 120), steps), min_size=3, max_size=12)


@dataclass
class Play:
    """One contract on its way through a plan."""

    stage: Stage
    path: str
    day: date = FIRST
    seen: dict[date, Json] = field(default_factory=dict)

    async def go(self, days: int) -> None:
        """The clock goes on, and what is due is done."""
        self.day += timedelta(days=days)
        move_clock(self.day.isoformat())
        await self.work()

    async def work(self) -> None:
        """Every worker does what is due."""
        for _ in range(2):
            for worker in self.stage.world.system.workers:
                for _ in range(30):
                    if not await worker.run_once(utc_now()):
                        break

    async def ask(self, name: str, action: str, body: Json = None) -> Any:
        """Ask for a move; it is done or refused, and never breaks."""
        answer = await self.stage.actors[name].ask(
            "POST", f"{self.path}/{action}", json=body, headers={"If-Match": "*"}
        )
        assert answer.status_code < 500, answer.text
        return answer

    async def step(self, kind: str, how: Any) -> None:
        """One step of the plan."""
        number = len((await self.stage.actors["rsc"].get(self.path))["variations"])
        match kind:
            case "sign":
                await self.ask(how, "signatures", signature(PARTIES.get(how, "commissioner")))
            case "sign_all" | "sign_variation":
                action = "signatures" if kind == "sign_all" else f"variations/{max(number, 1)}/signatures"
                for name, party in PARTIES.items():
                    await self.ask(name, action, signature(party))
            case "offer":
                await self.ask(how, kind)
            case "suspension":
                await self.ask("rsc", kind, {**WHY, "stops": how})
            case "termination":
                name, ground, days = how
                ends_on = (self.day + timedelta(days=days)).isoformat()
                await self.ask(name, kind, {**WHY, "ground": ground, "ends_on": ends_on})
            case "variation":
                name, days, longer, fee = how
                ends_on = (date(2024, 8, 31) + timedelta(days=longer)).isoformat()
                changes = {"ends_on": ends_on, "fee_pence": fee}
                effective_on = (self.day + timedelta(days=days)).isoformat()
                body = {"effective_on": effective_on, "rationale": "as drawn", "changes": changes}
                await self.ask(name, "variations", body)
            case "refuse_variation":
                await self.ask(how, f"variations/{max(number, 1)}/refusal", WHY)
            case "record":
                code, status = how
                await self.ask(
                    "mat", f"milestones/{code}/records", {"status": status, "occurred_on": self.day.isoformat()}
                )
            case "correction":
                await self.ask("rsc", "corrections", {**WHY, "title": f"Corrected on {self.day}"})
            case _:
                await self.ask(how, kind, WHY)
        await self.work()

    async def look(self) -> None:
        """Everything that always holds, holds; and the view of the day is kept."""
        found = await self.stage.actors["rsc"].get(self.path)
        fresh = await self.stage.actors["rsc"].ask("GET", self.path, headers={"If-None-Match": '"another"'})
        assert fresh.json() == found, "the gateway told what it had kept of before"
        parts = found["fee_pence"] + sum(each["payment_pence"] for each in [*found["milestones"], *found["outcomes"]])
        assert found["value_pence"] == parts
        payments = (await self.stage.actors["rsc"].get(f"{self.path}/payments"))["data"]
        if payments:
            assert sum(each["amount_pence"] for each in payments) == found["value_pence"]
        assert found["term"]["ends_on"] <= found["term"]["latest_ends_on"]
        self.seen[self.day] = found

    async def check_history(self) -> None:
        """Statuses followed the table, and each day reads as it was read then."""
        events = (await self.stage.actors["rsc"].get(f"{self.path}/events", limit=200))["data"]
        statuses = [each["data"]["status"] for each in events]
        assert statuses[0] == Status.DRAFT
        for before, after in pairwise(statuses):
            assert before == after or after in REACHABLE[before], statuses
        assert [each["data"]["version"] for each in events] == list(range(1, len(events) + 1))
        for day, view in self.seen.items():
            then = await self.stage.actors["rsc"].get(self.path, as_of=day.isoformat())
            assert {name: then[name] for name in then if then[name] != view[name]} == {}, day


@settings(max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(prelude=begun, agreed=st.booleans(), plan=plans)
def test_whatever_happens_money_sums_and_every_day_reads_as_it_was(
    stage: Stage, prelude: list[Any], agreed: bool, plan: list[Any]
) -> None:
    async def play() -> None:
        move_clock(FIRST.isoformat())
        terms = {"school_urn": stage.schools.pop(), "term": TERM}
        made = await stage.actors["rsc"].post("/v1/contracts", cast.CONTRACT | terms)
        scene = Play(stage, f"/v1/contracts/{made['id']}")
        first: list[Any] = [(0, ("offer", "rsc")), (0, ("sign_all", None))] if agreed else []
        for days, (kind, how) in [*prelude, *first, *plan]:
            await scene.go(days)
            await scene.step(kind, how)
            await scene.look()
        await scene.check_history()

    stage.loop.run(play())


terms = st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 500), st.booleans()), min_size=2, max_size=7)


@settings(max_examples=6, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(drawn=terms)
def test_two_contracts_for_a_school_never_share_a_day_and_nothing_else_keeps_one_out(
    stage: Stage, drawn: list[tuple[int, int, bool]]
) -> None:
    async def play() -> None:
        move_clock(FIRST.isoformat())
        urn, held = stage.schools.pop(), []
        for start, length, given_up in drawn:
            first = FIRST + timedelta(days=start)
            last = first + timedelta(days=length)
            term = {"starts_on": first.isoformat(), "ends_on": last.isoformat()}
            wanted = cast.CONTRACT | {"school_urn": urn, "term": term, "milestones": []}
            answer = await stage.actors["rsc"].ask("POST", "/v1/contracts", json=wanted)
            taken = any(first <= other_last and other_first <= last for other_first, other_last in held)
            assert answer.status_code == (409 if taken else 201), answer.text
            if taken:
                continue
            path = f"/v1/contracts/{answer.json()['id']}"
            if given_up:
                await stage.actors["rsc"].change(path, "cancellation", WHY)
            else:
                held.append((first, last))

    stage.loop.run(play())
