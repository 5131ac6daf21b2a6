"""Recording for all callers that ask at the same time: one transaction, in which each has its own answer and rights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy.exc import DBAPIError

from services.gateway.beliefs import Belief, NotConfirmed
from services.gateway.records import queries
from services.gateway.records.schemas import RecordOut
from services.gateway.records.service import Asked, made
from services.gateway.together import Together
from services.gateway.wire import Wire
from services.kernel.auth import Caller
from services.kernel.db import is_unreachable
from services.kernel.errors import DomainError
from services.kernel.idempotency import AGAIN, Keyed
from services.kernel.types import uuid7

Json = dict[str, Any]
Found = RecordOut | DomainError
REQUESTS, ROUNDS = 64, 3
"""At most so many requests in a transaction; three of these, so that the disk makes some durable while others work."""
REMEMBERED = 20_000
"""Contracts of which it is remembered how they stood; the oldest makes room."""


class Answer(NamedTuple):
    """What a request is answered, and what is kept to answer it again."""

    status: int
    body: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks under one key: records, what cannot be one, and how the answer tells what became of each.

    `answer` may raise a DomainError: then nothing of the request is written, and its key is not used up. Where the
    caller is only believed to be who it is, the database confirms that as it writes, or the request is NotConfirmed.
    """

    caller: Caller
    once: Keyed
    asked: Sequence[Asked | DomainError]
    now: datetime
    answer: Callable[[Sequence[Found]], Answer]
    belief: Belief | None = None


Requests = Mapping[int, Request]
"""Requests of a batch by their places in it."""
Outcomes = dict[int, Answer | Exception]
"""What became of them; those that have to be taken up again are missing."""


class Recorder:
    """The one writer of a process. What it remembers of contracts is a guess, which the database checks.

    Mostly nothing has changed: then a batch is one statement, which writes only what the guess was right about, and is
    durable when it has been answered. All else is taken up again with what the database says now.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.refs: dict[UUID, queries.Ref] = {}
        self.record = Together(self.record_together, most=REQUESTS, rounds=ROUNDS)

    async def record_together(self, requests: Sequence[Request]) -> list[Answer | Exception]:
        """Carry out what several callers ask, each by itself: its answer, or what stands against it.

        A request whose key somebody else is using at this moment is taken up again when that is settled. Should the
        database refuse the whole, each is tried alone, so that none suffers for another.
        """
        outcomes = await self.guessed(dict(enumerate(requests)))
        for place, each in enumerate(requests):
            if each.belief is not None and place not in outcomes:
                outcomes[place] = NotConfirmed()
        while left := {place: each for place, each in enumerate(requests) if place not in outcomes}:
            try:
                outcomes |= await self.looked_up(left)
            except DBAPIError as error:
                if len(left) == 1 or is_unreachable(error):
                    outcomes |= dict.fromkeys(left, error)
                    continue
                for place, each in left.items():
                    (outcomes[place],) = await self.record_together([each])
        return [outcomes[place] for place in range(len(requests))]

    async def guessed(self, requests: Requests) -> Outcomes:
        """Carry out what can be by what is remembered; a refusal is never told by that."""
        outcomes, plans = Outcomes(), list[Json]()
        for (caller, belief), mine in by_caller(requests).items():
            plan = new_plan(caller, belief)
            for place, request in mine.items():
                try:
                    outcomes[place] = planned(request, self.refs, plan, sure=False)
                except DomainError:
                    continue
            plans.append(plan)
        try:
            return await self.written(plans, requests, outcomes)
        except DBAPIError:
            return {}

    async def looked_up(self, requests: Requests) -> Outcomes:
        """Carry them out by what the database says now of their keys and contracts."""
        outcomes, plans = Outcomes(), list[Json]()
        groups = by_caller(requests)
        asked = {caller: wanted(mine) for (caller, _), mine in groups.items()}
        known = await queries.before_recording(self.wire, asked)
        for ((caller, _), mine), (answers, refs) in zip(groups.items(), known, strict=True):
            self.remember(refs)
            plan = new_plan(caller)
            for place, request in mine.items():
                try:
                    kept = answers.get(request.once.key)
                    outcomes[place] = again(request, kept) if kept else planned(request, refs, plan)
                except DomainError as error:
                    outcomes[place] = error
            plans.append(plan)
        return await self.written(plans, requests, outcomes)

    async def written(self, plans: Sequence[Json], requests: Requests, outcomes: Outcomes) -> Outcomes:
        """Write what is planned, and wake the delivery of each contract; gives the outcomes that hold."""
        plans = [plan for plan in plans if plan["answers"]]
        if not plans:
            return outcomes
        contracts = {each["contract_id"] for plan in plans for each in plan["records"]}
        jobs = [{"id": str(uuid7()), "key": contract_id} for contract_id in sorted(contracts)]
        taken = await queries.record_milestones(self.wire, plans, jobs)
        missed = {each["key"] for plan in plans for each in plan["answers"]} - taken
        return {place: each for place, each in outcomes.items() if requests[place].once.key not in missed}

    def remember(self, refs: Mapping[UUID, queries.Ref]) -> None:
        """Remember how contracts stand."""
        self.refs |= refs
        while len(self.refs) > REMEMBERED:
            del self.refs[next(iter(self.refs))]


def by_caller(requests: Requests) -> dict[tuple[Caller, Belief | None], dict[int, Request]]:
    """Requests by caller and what it is believed for, of each key the first.

    In one order everywhere, so that replicas do not wait in a ring.
    """
    found: dict[tuple[Caller, Belief | None], dict[int, Request]] = {}
    keys = set[str]()
    for place, each in sorted(requests.items(), key=lambda item: (item[1].caller.client_id, item[1].once.key)):
        if each.once.key not in keys:
            found.setdefault((each.caller, each.belief), {})[place] = each
        keys.add(each.once.key)
    return found


def wanted(requests: Requests) -> tuple[list[str], set[UUID]]:
    """The keys of requests, and the contracts that they are about."""
    asked = [one for each in requests.values() for one in each.asked if isinstance(one, Asked)]
    return [each.once.key for each in requests.values()], {each.contract_id for each in asked}


def again(request: Request, kept: queries.Kept) -> Answer:
    """The answer that was given before; raises KeyReused where it was given to another request."""
    request.once.check(kept.fingerprint)
    return Answer(kept.status, kept.body, kept.headers | AGAIN)


def new_plan(caller: Caller, belief: Belief | None = None) -> Json:
    """What is to be written for a caller, under its bounds, once what is believed is confirmed: nothing yet."""
    told = belief.plain() if belief else None
    return {"bounds": caller.bounds(), "actor": caller.actor(), "belief": told, "answers": [], "records": []}


def planned(request: Request, refs: Mapping[UUID, queries.Ref], plan: Json, *, sure: bool = True) -> Answer:
    """The answer to a request, whose rows are added to the plan; raises what stands against it as a whole.

    Unless it is sure how the contracts stand, that is whatever stands against any of its records.
    """
    found, rows = list[Found](), list[Json]()
    for each in request.asked:
        if isinstance(each, DomainError):
            found.append(each)
            continue
        try:
            row, told = made(refs.get(each.contract_id), each, request.caller, request.now)
        except DomainError as error:
            if not sure:
                raise
            found.append(error)
            continue
        found.append(row)
        rows.append(told | {"key": request.once.key})
    answer = request.answer(found)
    kept = {"key": request.once.key, "fingerprint": request.once.fingerprint, **answer._asdict()}
    plan["answers"].append(kept | {"headers": to_json(answer.headers).decode()})
    plan["records"] += rows
    return answer
