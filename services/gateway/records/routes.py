"""Milestone records: the gateway's own, durable when answered, without asking any other service."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ValidationError

from services.gateway import calls
from services.gateway.beliefs import Belief
from services.gateway.following.service import follow
from services.gateway.records import queries, recording, service
from services.gateway.records.schemas import LineIn, LineOut, ManyIn, ManyOut, RecordIn, RecordOut, RecordPage
from services.kernel.auth import Caller, require
from services.kernel.bodies import decode_cursor, page, tag_of
from services.kernel.errors import DomainError, NotFound, Unavailable, Unprocessable, problem
from services.kernel.http import Session
from services.kernel.idempotency import IdempotencyKey, Keyed
from services.kernel.openapi import problems
from services.kernel.peers import Refused
from services.kernel.problems import escaped
from services.kernel.types import utc_now

router = APIRouter(tags=["milestones"])
WRITE = "milestones:write"
Recorder = Annotated[Caller, require(WRITE)]
Reader = Annotated[Caller, require("contracts:read")]
CODE = re.compile(r"^[A-Za-z0-9_-]{1,40}$")
MilestoneCode = Annotated[str, Path(pattern=CODE.pattern)]
MOST_BYTES = 16_000_000
"""Room for a thousand records with long notes and several documents each."""
AT_ONCE = 8
"""So many contracts that are new here are asked for at the same time."""


async def learn(request: Request, contract_id: UUID, caller: Caller, *, known: bool) -> None:
    """Ask contracts for a contract, under the caller's own rights, and keep what the gateway needs of it.

    Raises NotFound when it is not theirs; when contracts does not answer, what is known has to do.
    """
    try:
        contract = await calls.contract(request.app.state.contracts, contract_id, caller)
    except Refused as error:
        raise NotFound("No such contract.") from error
    except Unavailable:
        if not known:
            raise
        return
    async with request.app.state.database.transaction(calls.SELF) as other:
        await follow(other, contracts=[contract])


async def learn_all(request: Request, wanted: set[UUID], caller: Caller) -> dict[UUID, DomainError]:
    """Learn, of many contracts, those that are new here or were not in force when last seen; each is asked for once.

    Gives what stands against those not to be had.
    """
    async with request.app.state.database.transaction(caller) as session:
        known = {ref.contract_id: ref.status for ref in await queries.contract_refs(session, wanted)}
    failed: dict[UUID, DomainError] = {}
    room = asyncio.Semaphore(AT_ONCE)

    async def one(contract_id: UUID) -> None:
        async with room:
            try:
                await learn(request, contract_id, caller, known=contract_id in known)
            except DomainError as error:
                failed[contract_id] = error

    await asyncio.gather(*(one(each) for each in wanted if known.get(each) not in service.RECORDABLE))
    return failed


@router.post(
    "/v1/contracts/{contract_id}/milestones/{code}/records",
    status_code=201,
    response_model=RecordOut,
    responses=problems(404, 409),
)
async def record_milestone(
    contract_id: UUID, code: MilestoneCode, body: RecordIn, request: Request, caller: Recorder, key: IdempotencyKey
) -> Response:
    """Record that a milestone was met, partially met or not met; answered once it is durable."""
    return await recorded(request, service.Asked(contract_id, code, body), caller, key, await request.body())


async def recorded(request: Request, asked: service.Asked, caller: Caller, key: str, body: bytes) -> Response:
    """Record it; a contract that is new here, or was not in force when last seen, is asked for first."""
    wanted = one(request, asked, caller, key, body)
    recorder: recording.Recorder = request.app.state.recorder
    try:
        return shown(await recorder.record(wanted))
    except (service.NotLearnt, service.NotInForce) as error:
        await learn(request, asked.contract_id, caller, known=not isinstance(error, service.NotLearnt))
    return shown(await recorder.record(wanted))


async def recorded_on_belief(request: Request, asked: service.Asked, belief: Belief, key: str, body: bytes) -> Response:
    """Record it for a caller whom the database confirms as it writes; raises NotConfirmed for all that is not plain."""
    recorder: recording.Recorder = request.app.state.recorder
    return shown(await recorder.record(one(request, asked, belief.caller, key, body, belief)))


def one(
    request: Request, asked: service.Asked, caller: Caller, key: str, body: bytes, belief: Belief | None = None
) -> recording.Request:
    """A request for a single record."""
    headers = {"Location": f"/v1/contracts/{asked.contract_id}/records"}
    once = Keyed.of(request, caller, key, body)
    return recording.Request(caller, once, [asked], utc_now(), partial(said, headers), belief)


def said(headers: Mapping[str, str], found: Sequence[recording.Found]) -> recording.Answer:
    """The answer that a single record has; raises what stands against it."""
    (one,) = found
    if isinstance(one, DomainError):
        raise one
    return answer(201, one, headers)


def answer(status: int, body: BaseModel, headers: Mapping[str, str]) -> recording.Answer:
    """An answer with its entity tag."""
    text = body.model_dump_json()
    return recording.Answer(status, text, {"ETag": tag_of(text.encode()), **headers})


def shown(found: recording.Answer) -> Response:
    """An answer as it is sent."""
    return Response(found.body, found.status, found.headers, "application/json")


@router.post(
    "/v1/milestone-records",
    response_model=ManyOut,
    responses=problems(409),
    max_body_size=MOST_BYTES,
    openapi_extra={"x-max-body-bytes": MOST_BYTES},
)
async def record_milestones(body: ManyIn, request: Request, caller: Recorder, key: IdempotencyKey) -> Response:
    """Record up to 1000 milestones, on any of the caller's contracts.

    Each record is taken or refused by itself, for its own reason; a wrong one does not spoil the others. Those that
    were taken are durable with the answer.
    """
    asked = [read(each) for each in body.records]
    contracts = {each.contract_id for each in asked if isinstance(each, service.Asked)}
    failed = await learn_all(request, contracts, caller)
    lines = [failed.get(each.contract_id, each) if isinstance(each, service.Asked) else each for each in asked]
    once = Keyed.of(request, caller, key, await request.body())
    many = recording.Request(caller, once, lines, utc_now(), partial(said_of_many, request.url.path))
    recorder: recording.Recorder = request.app.state.recorder
    (found,) = await recorder.record_together([many])
    if isinstance(found, Exception):
        raise found
    return shown(found)


def said_of_many(path: str, found: Sequence[recording.Found]) -> recording.Answer:
    """The answer that many records have."""
    return answer(200, ManyOut(results=[result(each, path) for each in found]), {})


def read(line: dict[str, Any]) -> service.Asked | Unprocessable:
    """One of many records, or what is wrong with it."""
    try:
        found = LineIn.model_validate(line)
    except ValidationError as error:
        errors = [
            {"pointer": "".join(f"/{escaped(part)}" for part in each["loc"]), "detail": each["msg"]}
            for each in error.errors()
        ]
        return Unprocessable("Some fields are not as they should be; see errors.", errors=errors)
    return service.Asked(found.contract_id, found.milestone_code, found)


def result(found: recording.Found, path: str) -> LineOut:
    """What became of one of many records, as the answer says it."""
    if isinstance(found, DomainError):
        return LineOut.model_validate({"status": found.status, "problem": problem(found, instance=path)})
    return LineOut(status=201, record=found)


@router.get("/v1/contracts/{contract_id}/records", response_model=RecordPage, responses=problems(404))
async def list_records(
    contract_id: UUID,
    request: Request,
    caller: Reader,
    session: Session,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> JSONResponse:
    """What was recorded on a contract, oldest first, and what became of it there."""
    if await queries.contract_ref(session, contract_id) is None:
        await learn(request, contract_id, caller, known=False)
    place = decode_cursor(cursor, UUID)
    after = place[0] if place else None
    rows = await queries.records_page(session, contract_id, after=after, limit=limit)
    answers = [
        RecordOut.of(row, applied=applied, log_index=index, withdrawn_at=withdrawn_at)
        for row, applied, index, withdrawn_at in rows
    ]
    return page(list(answers), limit, [answers[-1].id] if answers else None, request)
