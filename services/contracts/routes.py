"""The contracts service's door: parse, require a scope, call one service function, shape the answer."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from services.contracts import queries, schemas, service
from services.contracts.history import moments, standing
from services.contracts.models import Contract, Event
from services.contracts.rules.life import Status
from services.kernel.auth import Caller, require
from services.kernel.bodies import Cursor, Limit, check_match, decode_cursor, entity_tag, page
from services.kernel.errors import BadRequest, NotFound
from services.kernel.events import read_after
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.kernel.peers import Peer
from services.kernel.types import day_after, london_date, start_of_day, utc_now

router = APIRouter()
Reader = Annotated[Caller, require("contracts:read")]
Writer = Annotated[Caller, require("contracts:write")]
FinanceReader = Annotated[Caller, require("finance:read")]
OutcomesReader = Annotated[Caller, require("outcomes:read")]
OutcomesWriter = Annotated[Caller, require("outcomes:write")]
Internal = Annotated[Caller, require("internal")]


def outcomes_peer(request: Request) -> Peer:
    """The outcomes service, as this process reaches it."""
    peer: Peer = request.app.state.outcomes
    return peer


Outcomes = Annotated[Peer, Depends(outcomes_peer)]
VALIDATED = "private, no-cache"
"""May be kept for its caller, who asks each time whether it still stands."""
TRANSITION = problems(404, 409)
"""What a move of a contract may be refused with, besides what every request may."""


async def shape(session: Session, row: Contract) -> schemas.ContractOut:
    """The contract with its outcomes, milestones and signatures."""
    return (await shapes(session, [row]))[0]


async def shapes(session: Session, rows: list[Contract]) -> list[schemas.ContractOut]:
    """Contracts with their parts, in four reads however many they are."""
    await session.flush()
    ids = [row.id for row in rows]
    outcomes = by_contract(await queries.outcomes(session, ids))
    milestones = by_contract(await queries.milestones(session, ids))
    signatures = by_contract(await queries.signatures(session, ids))
    variations = by_contract(await queries.variations(session, ids))
    parts = (outcomes, milestones, signatures, variations)
    return [schemas.ContractOut.of(row, *(part[row.id] for part in parts)) for row in rows]


def by_contract(rows: Iterable[Any]) -> dict[UUID, list[Any]]:
    """Parts by the contract that they belong to, in their order."""
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.contract_id].append(row)
    return found


async def shape_as_of(session: Session, row: Contract, day: date, today: date) -> schemas.ContractOut:
    """The contract as it stood at the end of a day; raises BadRequest for a day to come, NotFound before the first."""
    if day > today:
        raise BadRequest("as_of is a day that has passed, or today.")
    found = standing(list(moments(await queries.events(session, [row.id]))), start_of_day(day_after(day)))
    if found is None or "contract" not in found.rows:
        raise NotFound(f"The contract did not exist on {day}.")
    return schemas.ContractOut.at(found, await queries.signatures(session, [row.id]))


def tagged(answer: schemas.ContractOut, status: int = 200) -> JSONResponse:
    """The answer with the entity tag that the next update must name."""
    body = answer.model_dump(mode="json")
    return JSONResponse(body, status, {"ETag": entity_tag(answer.version)})


async def for_update(session: Session, contract_id: UUID, match: str) -> Contract:
    """The contract, locked, once it is sure that the caller read its present version."""
    row = await queries.locked_contract(session, contract_id)
    check_match(match, entity_tag(row.version))
    return row


@router.get("/v1/contracts", response_model=schemas.ContractPage, tags=["contracts"])
async def list_contracts(
    request: Request,
    caller: Reader,
    session: Session,
    status: Status | None = None,
    school_urn: schemas.Urn | None = None,
    supplier_uid: schemas.Uid | None = None,
    region: Annotated[str | None, Query(max_length=60)] = None,
    ends_before: Annotated[date | None, Query(description="With it, those that end first come first")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """Contracts that the caller may see, oldest first."""
    after = decode_cursor(cursor, *((date, UUID) if ends_before else (UUID,)))
    urn = int(school_urn) if school_urn else None
    filters = {"status": status, "school_urn": urn, "supplier_uid": supplier_uid, "region": region}
    asked: dict[str, Any] = {"filters": filters, "ends_before": ends_before}
    rows = await queries.contracts_page(session, caller=caller, **asked, after=after, limit=limit)
    last = [rows[-1].ends_on, rows[-1].id] if rows and ends_before else [row.id for row in rows[-1:]]
    return page(await shapes(session, rows), limit, last or None, request)


@router.get(
    "/v1/contracts/{contract_id}", response_model=schemas.ContractOut, tags=["contracts"], responses=problems(404)
)
async def read_contract(
    contract_id: UUID,
    request: Request,
    caller: Reader,
    session: Session,
    as_of: Annotated[date | None, Query(description="As it stood at the end of this day; 404 before it began")] = None,
) -> Response:
    """One contract as it stands, or as it stood on a day."""
    row = await queries.contract(session, contract_id)
    if as_of is not None:
        return tagged(await shape_as_of(session, row, as_of, london_date(utc_now())))
    tag = entity_tag(row.version)
    known = request.headers.get("if-none-match") == tag
    answer = Response(status_code=304, headers={"ETag": tag}) if known else tagged(await shape(session, row))
    answer.headers["Cache-Control"] = VALIDATED
    return answer


@router.get(
    "/v1/contracts/{contract_id}/events",
    response_model=schemas.EventPage,
    tags=["contracts"],
    responses=problems(404),
)
async def list_events(
    contract_id: UUID, request: Request, caller: Reader, session: Session, limit: Limit = 100, cursor: Cursor = None
) -> JSONResponse:
    """All that happened to a contract, oldest first."""
    await queries.contract(session, contract_id)
    place = decode_cursor(cursor, int, int)
    after = (place[0], place[1]) if place else None
    rows = await queries.events_page(session, contract_id, after=after, limit=limit)
    last = [rows[-1].txid, rows[-1].position] if rows else None
    return page([schemas.EventOut.model_validate(row) for row in rows], limit, last, request)


@router.put("/internal/transfers", tags=["internal"])
async def complete_transfers(
    body: list[schemas.TransferredIn], caller: Internal, session: Session
) -> list[schemas.ContractOut]:
    """Freeze contracts whose schools have become full members; all of them or none."""
    transfers = {each.contract_id: each.transfer_id for each in body}
    return await shapes(session, await service.transfer(session, transfers=transfers, caller=caller, now=utc_now()))


@router.post("/internal/contracts", tags=["internal"])
async def read_contracts(
    body: Annotated[list[UUID], Body(max_length=100)], caller: Internal, session: Session
) -> list[schemas.ContractOut]:
    """Contracts as they stand, in the order of their ids; 404 where one of them is not there."""
    return await shapes(session, await queries.contracts(session, body))


@router.get("/internal/events", tags=["internal"])
async def read_events(
    caller: Internal,
    session: Session,
    txid: Annotated[int, Query(ge=0)] = 0,
    position: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> dict[str, Any]:
    """Events of all contracts after a place, skipping none."""
    return {"data": await read_after(session, Event, after=(txid, position), limit=limit)}
