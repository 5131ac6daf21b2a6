"""Whatever anybody does, in whatever order or at once: the ledger balances, nothing is paid twice, too much, or to
another, and of moves that exclude each other one is made.
"""

from asyncio import gather
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise, permutations
from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.contracts.awards.service import award
from services.contracts.queries import locked_contract
from services.contracts.rules.claims import MAY, ClaimMove, ClaimStatus
from services.contracts.rules.claims import TABLE as CLAIM_MOVES
from services.contracts.rules.ledger import GAINED, Account
from services.contracts.rules.life import Role
from services.demo import cast
from services.kernel.types import utc_now
from tests.integration.books import Hands, check_books, hands_of, ledger, set_finance, submitted
from tests.integration.conftest import active_contract, record, to
from tests.integration.scenes import Actors
from tests.integration.test_books import SELF, verdict
from tests.world import Actor, Json, World, move_clock

STEPS, MOST_STEPS, SEED = 42, 150, 7
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
RIVALS = {
    "prepares": (Role.SUPPLIER, "P. Reparer"),
    "certifies": (Role.SUPPLIER, "C. Ertifier"),
    "mat": (Role.SUPPLIER, "M. Anager"),
    "approves": (Role.COMMISSIONER, "A. Pprover"),
    "pays": (Role.COMMISSIONER, "P. Ayer"),
}
"""Who acts at the same moment, in which role, and under which name."""
SAME = {
    ClaimMove.CERTIFY: ("certifies", "mat", "prepares"),
    ClaimMove.APPROVE: ("approves", "pays"),
    ClaimMove.PAY: ("pays", "approves"),
}
"""Moves of which one succeeds, whoever else makes the same at that moment."""
ELSE = {"same_hand", "recorded_by_you", "bad_terms"}
"""Refusals for other reasons than that somebody was first."""
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

    async def ask(self, kind: str, name: str, path: str, body: Json) -> httpx.Response:
        """Ask for something; it is done or refused, and never breaks."""
        answer = await self.callers[name].ask("POST", path, json=body, headers={"If-Match": "*"})
        assert answer.status_code < 500, answer.text
        if name in {"stranger", "body"}:
            assert answer.status_code >= 400, f"{name} may not {kind}"
        self.done[kind] += answer.is_success
        return answer

    async def step(self) -> None:
        """One thing that somebody does, or tries to."""
        weights = {"claim": 6, "move": 20, "record": 3, "withdraw": 1, "rest": 2, "judge": 2, "wait": 3, "rush": 9}
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
        claims, live = self.claims()
        if not claims:
            return
        claim_id, status, lines = self.random.choice(live if live and self.random.random() < 0.9 else claims)
        usual = [each for each in CLAIM_MOVES[ClaimStatus(status)] if each in ACTIONS]
        moves = usual if usual and self.random.random() < 0.85 else list(ACTIONS)
        [move] = self.random.choices(moves, [OFTEN.get(each, 6) for each in moves])
        name, person = USUAL[move]
        if self.random.random() < 0.2:
            name, person = self.random.choice(list(self.callers)), self.random.choice(PEOPLE)
        await self.make(move, name, person, claim_id, lines, self.random.choice([0, 0, 0, 0, 1, -1]))

    def claims(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """All claims, and those that can still move."""
        found = self.world.rows(CLAIMS)
        return found, [each for each in found if CLAIM_MOVES[ClaimStatus(each[1])]]

    async def make(
        self, move: ClaimMove, name: str, person: str, claim_id: str, lines: list[Json], off: int = 0
    ) -> httpx.Response:
        """Make a move on a claim, as somebody; a payment misses the sum by `off`."""
        body: Json = {"signed_by": person}
        if move in {ClaimMove.REJECT, ClaimMove.WITHDRAW, ClaimMove.DISPUTE, ClaimMove.RESOLVE}:
            body["reason"] = "as drawn"
        if move is ClaimMove.DISPUTE and lines and self.random.random() < 0.6:
            body["items"] = [{name: line[name] for name in ("kind", "code")} for line in self.random.sample(lines, 1)]
        if move is ClaimMove.RESOLVE:
            body["finding"] = self.random.choice(["payable", "payable", "not_payable"])
        if move is ClaimMove.PAY:
            asked = "SELECT coalesce(sum(CASE series WHEN 'INV' THEN gross_pence ELSE owed_pence - gross_pence END), 0)"
            due = self.world.rows(f"{asked} FROM contracts.invoice WHERE claim_id = %(id)s", id=claim_id)[0][0]
            body |= {"paid_on": self.day.isoformat(), "amount_pence": max(int(due) + off, 0), "reference": "BACS"}
        return await self.ask(move, name, f"/v1/claims/{claim_id}/{ACTIONS[move]}", body)

    async def rush(self) -> None:
        """Two or three act at the same moment: on one claim, or to claim the same money."""
        _, live = self.claims()
        if live and self.random.random() < 0.8:
            claim_id, status, _ = self.random.choice(live)
            names = self.random.sample(list(RIVALS), self.random.randint(2, 3))
            acts = [(name, self.drawn_for(RIVALS[name][0], ClaimStatus(status))) for name in names]
            await self.race(claim_id, acts, judged=self.random.random() < 0.2)
        else:
            await self.grab()

    async def grab(self) -> None:
        """All hands of the trust claim everything that is earned: one of them gets it, if there is anything."""
        earned = {code for (_, code), pile in ledger(self.world).items() if pile.get(Account.EARNED, 0) > 0}
        body: Json = {"contract_id": self.path.rpartition("/")[2], "prepared_by": PEOPLE[0]}
        names = [name for name, (role, _) in RIVALS.items() if role is Role.SUPPLIER]
        answers = await gather(*(self.ask("claim", name, "/v1/claims", body) for name in names))
        made = [each.json() for each in answers if each.is_success]
        assert [{line["code"] for line in each["lines"]} for each in made] == ([earned] if earned else [])

    async def race(self, claim_id: str, acts: Sequence[tuple[str, ClaimMove]], *, judged: bool = False) -> None:
        """Moves on one claim, perhaps with a verdict beside them: all is as if they had come one by one."""
        start, lines = next((ClaimStatus(each[1]), each[2]) for each in self.claims()[0] if each[0] == claim_id)
        asked = [self.make(move, name, RIVALS[name][1], claim_id, lines) for name, move in acts]
        answers, _ = await gather(gather(*asked), self.judge() if judged else gather())
        said = [each.json() for each in answers]
        made = [ClaimStatus(each["status"]) for each in said if each.get("id") == claim_id]
        end = next(ClaimStatus(each[1]) for each in self.claims()[0] if each[0] == claim_id)
        emptied = [ClaimStatus.VOID] if judged and end is ClaimStatus.VOID else []
        ways = [(start, *way) for way in permutations([*made, *emptied])]
        assert any(way[-1] is end and all(b in CLAIM_MOVES[a].values() for a, b in pairwise(way)) for way in ways), said
        for (_, move), answer in zip(acts, said, strict=True):
            if answer.get("code") == "status_forbids":
                now = ClaimStatus(answer["status_now"])
                assert now in ways[0], said
                assert move not in CLAIM_MOVES[now], said
                self.done["too late"] += now is not start
            else:
                assert answer.get("code") in {None, *ELSE, *(["wrong_amount"] if judged else [])}, answer

    def drawn_for(self, role: Role, status: ClaimStatus) -> ClaimMove:
        """A move that this role may make, mostly one that the claim allows."""
        own = [each for each in ACTIONS if role in MAY[each]]
        weights = [OFTEN.get(each, 6) * (1 if each in CLAIM_MOVES[status] else 0.1) for each in own]
        [move] = self.random.choices(own, weights)
        return move

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
    claim_id = (await submitted(hands, path, "M1")).rpartition("/")[2]
    for move, names in SAME.items():
        await walk.race(claim_id, [(name, move) for name in names])
        assert walk.done[move] == 1, f"{move} at once: {walk.done}"
        await walk.check()
    wanted = {"claim", "record", "judge", "too late", *USUAL} - OFTEN.keys() - {ClaimMove.RESOLVE}
    for taken in range(MOST_STEPS):
        if taken >= STEPS and wanted <= (+walk.done).keys():
            break
        await walk.step()
        await walk.check()
    assert wanted <= (+walk.done).keys(), walk.done
