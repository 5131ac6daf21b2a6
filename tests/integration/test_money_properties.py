"""Whatever anybody does, in whatever order: the ledger balances, and nothing is paid twice, too much, or to another."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from uuid import UUID

import pytest

from services.contracts.awards.service import award
from services.contracts.queries import locked_contract
from services.contracts.rules.claims import TABLE as CLAIM_MOVES
from services.contracts.rules.claims import ClaimMove, ClaimStatus
from services.contracts.rules.ledger import GAINED, Account
from services.demo import cast
from services.kernel.types import utc_now
from tests.integration.books import Hands, check_books, hands_of, ledger, set_finance
from tests.integration.conftest import active_contract, record, to
from tests.integration.scenes import Actors
from tests.integration.test_books import SELF, verdict
from tests.world import Actor, Json, World, move_clock

STEPS, SEED = 50, 7
ACTIONS = {
    ClaimMove.CERTIFY: "certification",
    ClaimMove.APPROVE: "approval",
    ClaimMove.REJECT: "rejection",
    ClaimMove.WITHDRAW: "rejection",
    ClaimMove.DISPUTE: "dispute",
    ClaimMove.RESOLVE: "dispute-resolution",
    ClaimMove.PAY: "payment",
}
PEOPLE = ("P. Reparer", "C. Ertifier", "A. Pprover", "P. Ayer")
USUAL = {
    ClaimMove.CERTIFY: ("certifies", "C. Ertifier"),
    ClaimMove.APPROVE: ("approves", "A. Pprover"),
    ClaimMove.REJECT: ("approves", "A. Pprover"),
    ClaimMove.WITHDRAW: ("prepares", "P. Reparer"),
    ClaimMove.DISPUTE: ("approves", "A. Pprover"),
    ClaimMove.RESOLVE: ("pays", "A. Pprover"),
    ClaimMove.PAY: ("pays", "P. Ayer"),
}
OFTEN = {ClaimMove.REJECT: 0.5, ClaimMove.WITHDRAW: 0.5, ClaimMove.DISPUTE: 2}
"""How often moves are drawn that lead no claim to its payment."""
CLAIMS = "SELECT id::text, status, lines FROM contracts.claim ORDER BY id"
PAID_TWICE = (
    "SELECT claim_id, kind, code FROM contracts.ledger_entry e WHERE account = 'paid' AND amount_pence > 0"
    " GROUP BY 1, 2, 3 HAVING count(*) > 1"
)
INVOICED = (
    "SELECT c.id FROM contracts.claim c JOIN contracts.invoice i ON i.claim_id = c.id AND i.series = 'INV'"
    " GROUP BY c.id, c.status HAVING count(*) > 1 OR c.status NOT IN ('approved', 'paid', 'void')"
)


@dataclass
class Walk:
    """One contract on a random way, and what succeeded on it."""

    world: World
    callers: Mapping[str, Actor]
    path: str
    random: Random
    day: date
    done: Counter[str] = field(default_factory=Counter)

    async def work(self, days: int = 0) -> None:
        """The clock goes on, and what is due is done."""
        self.day += timedelta(days=days)
        move_clock(self.day.isoformat())
        await self.world.settle(1, patient=False)

    async def ask(self, kind: str, name: str, path: str, body: Json) -> None:
        """Ask for something; it is done or refused, and never breaks."""
        answer = await self.callers[name].ask("POST", path, json=body, headers={"If-Match": "*"})
        assert answer.status_code < 500, answer.text
        if name in {"stranger", "body"}:
            assert answer.status_code >= 400, f"{name} may not {kind}"
        self.done[kind] += answer.is_success

    async def step(self) -> None:
        """One thing that somebody does, or tries to."""
        weights = {"claim": 6, "move": 20, "record": 3, "withdraw": 1, "rest": 2, "judge": 2, "wait": 3}
        [kind] = self.random.choices(list(weights), list(weights.values()))
        await getattr(self, kind)()

    async def claim(self) -> None:
        """Everything that is earned, or parts of the contract whatever they are, by the trust or somebody else."""
        parts = list(ledger(self.world))
        body: Json = {"contract_id": self.path.rpartition("/")[2], "prepared_by": PEOPLE[0]}
        if self.random.random() < 0.5:
            some = self.random.sample(parts, self.random.randint(1, 3))
            body["items"] = [{"kind": kind.partition("/")[2], "code": code} for kind, code in some]
        name = "prepares" if self.random.random() < 0.7 else self.random.choice(list(self.callers))
        await self.ask("claim", name, "/v1/claims", body)

    async def move(self) -> None:
        """A move on a claim: mostly one that it may make by who makes it usually, else any by anybody."""
        claims = self.world.rows(CLAIMS)
        if not claims:
            return
        live = [each for each in claims if CLAIM_MOVES[ClaimStatus(each[1])]]
        claim_id, status, lines = self.random.choice(live if live and self.random.random() < 0.9 else claims)
        usual = [each for each in CLAIM_MOVES[ClaimStatus(status)] if each in ACTIONS]
        moves = usual if usual and self.random.random() < 0.85 else list(ACTIONS)
        [move] = self.random.choices(moves, [OFTEN.get(each, 6) for each in moves])
        name, person = USUAL[move]
        if self.random.random() < 0.2:
            name, person = self.random.choice(list(self.callers)), self.random.choice(PEOPLE)
        body: Json = {"signed_by": person}
        if move in {ClaimMove.REJECT, ClaimMove.WITHDRAW, ClaimMove.DISPUTE, ClaimMove.RESOLVE}:
            body["reason"] = "as drawn"
        if move is ClaimMove.DISPUTE and self.random.random() < 0.6:
            body["items"] = [{name: line[name] for name in ("kind", "code")} for line in self.random.sample(lines, 1)]
        if move is ClaimMove.RESOLVE:
            body["finding"] = self.random.choice(["payable", "payable", "not_payable"])
        if move is ClaimMove.PAY:
            asked = "SELECT coalesce(sum(CASE series WHEN 'INV' THEN gross_pence ELSE owed_pence - gross_pence END), 0)"
            due = self.world.rows(f"{asked} FROM contracts.invoice WHERE claim_id = %(id)s", id=claim_id)[0][0]
            amount = int(due) + self.random.choice([0, 0, 0, 0, 1, -1])
            body |= {"paid_on": self.day.isoformat(), "amount_pence": max(amount, 0), "reference": "BACS"}
        await self.ask(move, name, f"/v1/claims/{claim_id}/{ACTIONS[move]}", body)

    async def record(self) -> None:
        """A milestone is recorded, in any way."""
        status = self.random.choice(["met", "met", "met", "not_met", "partially_met"])
        body = {"status": status, "occurred_on": self.day.isoformat()}
        code, name = self.random.choice(["M1", "M2", "M3"]), self.random.choice(["mat", "approves"])
        await self.ask("record", name, f"{self.path}/milestones/{code}/records", body)
        await self.work()

    async def withdraw(self) -> None:
        """A record is taken back."""
        found = self.world.rows("SELECT id::text FROM gateway.milestone_record ORDER BY id")
        if found:
            name = self.random.choice(["mat", "approves"])
            path = f"/v1/milestone-records/{self.random.choice(found)[0]}/withdrawal"
            await self.ask("withdraw record", name, path, {"reason": "as drawn"})
            await self.work()

    async def rest(self) -> None:
        """The contract is suspended, goes on, or is decided on."""
        stops = {name: self.random.random() < 0.6 for name in ("clock", "payments", "reviews", "ring_fence")}
        kind = self.random.choice(["suspension", "resumption", "resumption", "suspension-resolution"])
        body: Json = {"reason": "as drawn"} | ({"stops": stops} if kind == "suspension" else {})
        body |= {"finding": "payable"} if kind == "suspension-resolution" else {}
        name = self.random.choice(["approves", "approves", "mat", "body"])
        if name != "body" or kind != "suspension":
            await self.ask(kind, "approves" if name == "body" else name, f"{self.path}/{kind}", body)
        await self.work()

    async def judge(self) -> None:
        """Outcomes has reached another verdict, as after a revision."""
        settled = {"run": "final", "release_status": self.random.choice(["revised", "provisional"])}
        found = verdict(self.random.choice([0.0, 0.3, 0.5, 0.8, 1.0]), **settled)
        async with self.world.database("contracts").transaction(SELF) as session:
            row = await locked_contract(session, UUID(self.path.rpartition("/")[2]))
            await award(session, row=row, evaluation=found, caller=SELF, now=utc_now())
        self.done["judge"] += 1

    async def wait(self) -> None:
        """Days pass."""
        await self.work(self.random.randint(1, 45))

    async def check(self) -> None:
        """What always holds, holds."""
        check_books(self.world)
        held = ledger(self.world)
        for part, pile in held.items():
            gained = sum(pile.get(account, 0) for account in GAINED)
            assert 0 <= gained <= -pile[Account.VALUE], (part, pile)
        [(value, paid)] = self.world.rows(
            "SELECT value_pence, (SELECT sum(paid_pence) FROM contracts.payment) FROM contracts.contract"
        )
        assert 0 <= paid <= value
        assert self.world.rows(PAID_TWICE) == []
        assert self.world.rows(INVOICED) == []
        assert {row[0] for row in self.world.rows("SELECT DISTINCT supplier_uid FROM contracts.claim")} <= {
            cast.SUPPLIER
        }
        told = await self.callers["prepares"].get(f"{self.path}/statement")
        totals: Counter[str] = Counter()
        for pile in held.values():
            totals.update({account.value: amount for account, amount in pile.items()})
        assert {name: each["closing_pence"] for name, each in told["totals"].items() if each["closing_pence"]} == {
            name: amount for name, amount in totals.items() if amount
        }
        assert (await self.callers["stranger"].get("/v1/claims"))["data"] == []


@pytest.mark.timeout(240)
async def test_money_stays_right_on_any_way(seeded_world: World, actors: Actors) -> None:
    path = await active_contract(seeded_world, actors)
    await record(actors["mat"], path, "M1", "2023-09-01")
    await to(seeded_world, "2023-12-04")
    await set_finance(actors["finance"], path)
    hands: Hands = await hands_of(seeded_world, actors)
    stranger = await seeded_world.key(cast.ANOTHER_TRUST)
    callers = {**vars(hands), "mat": actors["mat"], "body": actors["body"], "stranger": stranger}
    walk = Walk(seeded_world, callers, path, Random(SEED), date(2023, 12, 4))
    for _ in range(STEPS):
        await walk.step()
        await walk.check()
    reached = {"claim", "record", "judge", *USUAL} - OFTEN.keys() - {ClaimMove.RESOLVE}
    assert reached <= {each for each, count in walk.done.items() if count}, walk.done
