"""The main job cut into stages: what people do, then what workers do. A worker can be killed at any of its points."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from services.demo import cast
from services.kernel.db import Database
from services.kernel.jobs import Claim, Worker
from tests.world import Actor, agreed_contract, move_clock, plain_url

Actors = dict[str, Actor]
People = Callable[[Actors], Awaitable[None]]


APART = frozenset({"publish", "announce", "integrate", "pull", "hear"})
"""Kinds of jobs that follow every event or leaf, or look for them again and again."""
WRITTEN = text("SELECT pg_current_xact_id_if_assigned()")
"""Whether the present transaction has written anything."""


class Points:
    """Counts the points at which a worker could be killed, and has it killed at one of them.

    A point lies after every commit that wrote something, the claim of a job included: a death anywhere else, before or
    inside the next transaction, or while another service answers, leaves what a death at the point before it leaves.
    `inside` dies right before that commit, with everything written and nothing committed. Looking for work has no
    points. Work that follows every event or leaf is killed apart from all other work: `only` names its kind.
    `die` is told at which point of which kind of job.
    """

    def __init__(
        self, kill_at: int, *, die: Callable[[str], None], only: str | None = None, inside: bool = False
    ) -> None:
        self.kill_at, self.only, self.inside, self.die = kill_at, only, inside, die
        self.passed, self.at_work, self.kind, self.step = 0, False, "", 0

    def reached(self) -> None:
        """One more point: the last one of this worker, if it is its turn."""
        self.passed += self.at_work
        self.step += 1
        if self.at_work and self.passed == self.kill_at:
            self.die(f"{self.kind} {self.step}")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Every transaction passes through the points."""
        transaction, claim = Database.transaction, Worker.claim

        async def watched_claim(worker: Worker, now: datetime, *several: Any) -> list[Claim]:
            self.at_work = False
            taken = await claim(worker, now, *several)
            self.kind, self.step = taken[0].kind if taken else several[0][0] if several else "", 0
            self.at_work = bool(self.kind) and (self.kind if self.kind in APART else None) == self.only
            if taken:
                self.reached()
            return taken

        @asynccontextmanager
        async def watched_transaction(database: Database, caller: Any) -> Any:
            wrote = False
            async with transaction(database, caller) as session:
                yield session
                if self.at_work:
                    await session.flush()
                    wrote = (await session.execute(WRITTEN)).scalar_one() is not None
                    if wrote and self.inside:
                        self.reached()
            if wrote and not self.inside:
                self.reached()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Database, "transaction", watched_transaction)
            patch.setattr(Worker, "claim", watched_claim)
            yield


async def the_contract(actors: Actors) -> str:
    """The path of the only contract."""
    found = (await actors["rsc"].get("/v1/contracts"))["data"]
    return f"/v1/contracts/{found[0]['id']}"


async def sign(actors: Actors) -> None:
    """The parties sign; then the first day comes."""
    await agreed_contract(actors)
    move_clock("2023-09-01")


async def record(actors: Actors) -> None:
    """All milestones are recorded; then the last day passes."""
    path = await the_contract(actors)
    for code, occurred, recorded, note in cast.RECORDS:
        move_clock(recorded)
        body = {"status": "met", "occurred_on": occurred, "note": note}
        await actors["mat"].post(f"{path}/milestones/{code}/records", body)
    move_clock("2024-09-01")


async def evaluate(actors: Actors) -> None:
    """The results are judged."""
    move_clock("2025-03-21")
    path = await the_contract(actors)
    file = cast.INSPECTION
    form = {"feed": file.feed, "release_status": "final", "published_on": file.published_on}
    sent = await actors["dfe"].ask("POST", "/v1/releases", data=form, files={"file": (file.name, cast.INSPECTED)})
    assert sent.status_code == 202, sent.text
    await actors["rsc"].post(f"{path}/evaluations", {"academic_year": cast.YEAR, "run": "final"})


async def consent(actors: Actors) -> None:
    """Everybody consents, every step is finished; then the day comes."""
    found = (await actors["rsc"].get("/v1/transfers"))["data"][0]
    path = f"/v1/transfers/{found['id']}"
    for name, by in (("rsc", "rsc"), ("mat", "trust_board"), ("body", "outgoing_trust")):
        decision = {"by": by, "decision": "approved", "decided_on": "2025-03-21"}
        await actors[name].change(path, "consents", decision, 201)
    day = {"effective_on": cast.EFFECTIVE_ON, "confirmed": True, "reason": "as agreed"}
    await actors["rsc"].change(path, "effective-date", day)
    owners = {"commissioner": "rsc", "supplier": "mat", "responsible_body": "body"}
    for step in found["steps"]:
        if step["owner"] in owners and step["section"] != "after" and not step["optional"]:
            await actors[owners[step["owner"]]].change(path, f"steps/{step['key']}/completion", {})
    move_clock(cast.EFFECTIVE_ON)


REMINDERS = ("milestone.due_soon", "milestone.overdue")
"""What a reminder finds depends on whether it looks before or after a record arrives."""
NO_REMINDER = f"type NOT IN {REMINDERS}"
EVENTS = f"SELECT type, count(*) FROM contracts.event WHERE {NO_REMINDER} GROUP BY 1 ORDER BY 1"
ANNOUNCED = f"SELECT type, count(*) FROM gateway.announcement WHERE {NO_REMINDER} GROUP BY 1 ORDER BY 1"


async def let_it_run_out(_actors: Actors) -> None:
    """Nobody records anything; the last day passes."""
    move_clock("2024-09-01")


async def change_terms(actors: Actors) -> None:
    """All agree on a variation for a later day, and an offer is open until then; then that day has passed."""
    path = await the_contract(actors)
    variation = {"effective_on": "2023-10-01", "rationale": "as reviewed", "changes": {"title": "School improvement"}}
    await actors["rsc"].change(path, "variations", variation, 201)
    for name, party in (("rsc", "commissioner"), ("mat", "supplier"), ("body", "responsible_body")):
        signature = {"party": party, "signed_by": "somebody", "role": "authorised", "signed_on": "2023-09-01"}
        await actors[name].change(path, "variations/1/signatures", signature, 201)
    later = {"term": {"starts_on": "2024-09-01", "ends_on": "2025-08-31"}, "milestones": []}
    made = await actors["rsc"].post("/v1/contracts", cast.CONTRACT | later)
    await actors["rsc"].change(f"/v1/contracts/{made['id']}", "offer", {"lapses_on": "2023-09-20"})
    move_clock("2023-10-02")


ASIDE = {"expiry", "changes"}
"""Stages that begin where the one before them ended, and lead nowhere."""
STAGES: dict[str, tuple[str, People]] = {
    "activation": ("2023-06-20", sign),
    "expiry": ("2023-09-01", let_it_run_out),
    "changes": ("2023-09-01", change_terms),
    "milestones": ("2023-09-01", record),
    "proposal": ("2024-09-01", evaluate),
    "the_day": ("2025-03-21", consent),
}
"""By name: the day on which the stage begins, and what people do before the workers come."""


def state(database_url: str) -> dict[str, Any]:
    """All that must be the same however often a worker died: facts, without identifiers and instants."""
    with psycopg.connect(plain_url(database_url)) as connection:
        return {name: connection.execute(query).fetchall() for name, query in FACTS.items()}


FACTS = {
    "contract": "SELECT title, starts_on, status, reason_code, ended_on FROM contracts.contract ORDER BY 1, 2",
    "payments": "SELECT kind, code, status, earned_on::text FROM contracts.payment ORDER BY 1, 2, 3",
    "milestones": "SELECT code, status, decided_on::text FROM contracts.milestone ORDER BY 1",
    "applied": "SELECT milestone_code, result FROM contracts.applied_record ORDER BY 1",
    "contract_events": EVENTS,
    "published": "SELECT tags::text, count(*) FROM contracts.ocds_release GROUP BY 1 ORDER BY 1",
    "fences": ("SELECT school_urn, starts_on::text, ends_on::text, closed_on::text FROM outcomes.ring_fence"),
    "memberships": (
        "SELECT trust_uid, joined_on::text, left_on::text, source FROM outcomes.membership"
        f" WHERE urn = {cast.SCHOOL} ORDER BY joined_on"
    ),
    "full": "SELECT urn, trust_uid, effective_on::text FROM outcomes.full_membership",
    "transfers": "SELECT status, route, reason_code FROM gateway.transfer",
    "steps": "SELECT key, status FROM gateway.transfer_step ORDER BY 1",
    "hand_overs": "SELECT acknowledged_at, remote_id FROM gateway.hand_over",
    "discrepancies": "SELECT kind, closed_at FROM gateway.discrepancy ORDER BY 1",
    "records": "SELECT milestone_code, status FROM gateway.milestone_record ORDER BY 1",
    "deliveries": "SELECT result, count(*) FROM gateway.delivery GROUP BY 1 ORDER BY 1",
    "unnumbered": (
        "SELECT kind FROM gateway.leaf l LEFT JOIN gateway.log_entry e ON e.leaf_id = l.id WHERE e.index IS NULL"
    ),
    "numbered": (
        "SELECT count(*) = max(index) + 1, count(*) = (SELECT max(size) FROM gateway.checkpoint) FROM gateway.log_entry"
    ),
    "leaves": "SELECT kind, count(*) FROM gateway.leaf GROUP BY 1 ORDER BY 1",
    "announced": ANNOUNCED,
    "gateway_events": "SELECT type, count(*) FROM gateway.event GROUP BY 1 ORDER BY 1",
}
"""All that must be the same, by name."""


def let_leases_run_out(database_url: str, *, pauses: bool = True) -> None:
    """Time passes: whatever a dead worker held can be taken by another, and pauses are over too where wanted."""
    due = ", available_at = least(available_at, now())" if pauses else ""
    with psycopg.connect(plain_url(database_url)) as connection:
        for schema in ("contracts", "outcomes", "gateway"):
            held = "lease_until = CASE WHEN lease_until IS NULL THEN NULL ELSE now() - interval '1 second' END"
            connection.execute(f"UPDATE {schema}.job SET {held}{due}")
