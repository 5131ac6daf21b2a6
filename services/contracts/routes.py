"""The contracts service's door: parse, require a scope, call one service function, shape the answer."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from services.contracts import calls, queries, schemas, service
from services.contracts.models import Contract, Event
from services.contracts.rules.life import Move, Status
from services.kernel.auth import Caller, require
from services.kernel.bodies import Cursor, IfMatch, Limit, check_match, decode_cursor, entity_tag, page
from services.kernel.events import read_after
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.kernel.peers import Peer
from services.kernel.types import utc_now

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


async def shape(session: Session, row: Contract) -> schemas.ContractOut:
    """The contract with its outcomes, milestones and signatures."""
    return (await shapes(session, [row]))[0]


async def shapes(session: Session, rows: list[Contract]) -> list[schemas.ContractOut]:
    """Contracts with their parts, in three reads however many they are."""
    await session.flush()
    ids = [row.id for row in rows]
    outcomes, milestones = await queries.outcomes(session, ids), await queries.milestones(session, ids)
    signatures = await queries.signatures(session, ids)
    return [
        schemas.ContractOut.of(
            row,
            [each for each in outcomes if each.contract_id == row.id],
            [each for each in milestones if each.contract_id == row.id],
            [each for each in signatures if each.contract_id == row.id],
        )
        for row in rows
    ]


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
    ends_before: date | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """Contracts that the caller may see, oldest first."""
    place = decode_cursor(cursor, UUID)
    urn = int(school_urn) if school_urn else None
    filters = {"status": status, "school_urn": urn, "supplier_uid": supplier_uid, "region": region}
    after = place[0] if place else None
    rows = await queries.contracts_page(session, filters=filters, ends_before=ends_before, after=after, limit=limit)
    return page(list(await shapes(session, rows)), limit, [rows[-1].id] if rows else None, request)


@router.get(
    "/v1/contracts/{contract_id}", response_model=schemas.ContractOut, tags=["contracts"], responses=problems(404)
)
async def read_contract(contract_id: UUID, request: Request, caller: Reader, session: Session) -> Response:
    """One contract as it stands."""
    answer = await shape(session, await queries.contract(session, contract_id))
    if request.headers.get("if-none-match") == entity_tag(answer.version):
        return Response(status_code=304, headers={"ETag": entity_tag(answer.version)})
    return tagged(answer)


TRANSITION = problems(404, 409)


@router.post(
    "/v1/contracts/{contract_id}/offer", response_model=schemas.ContractOut, tags=["contracts"], responses=TRANSITION
)
async def offer_contract(contract_id: UUID, caller: Writer, session: Session, match: IfMatch) -> JSONResponse:
    """Offer the draft to supplier and responsible body; its terms are hashed and no longer change."""
    row = await for_update(session, contract_id, match)
    return tagged(await shape(session, await service.offer(session, row=row, caller=caller, now=utc_now())))


@router.post(
    "/v1/contracts/{contract_id}/signatures",
    status_code=201,
    response_model=schemas.ContractOut,
    tags=["contracts"],
    responses=TRANSITION,
)
async def sign_contract(
    contract_id: UUID, body: schemas.SignatureIn, caller: Writer, session: Session, match: IfMatch, outcomes: Outcomes
) -> JSONResponse:
    """Sign for one's own party; the last signature makes the contract agreed."""
    seen = await queries.contract(session, contract_id)
    facts = await calls.facts(
        outcomes, urn=str(seen.school_urn), uid=seen.supplier_uid, measures=[], starts_on=seen.starts_on
    )
    row = await for_update(session, contract_id, match)
    row = await service.sign(session, row=row, body=body, facts=facts, caller=caller, now=utc_now())
    return tagged(await shape(session, row), 201)


def add_move(path: str, step: Move, summary: str) -> None:
    """A route for a move that needs nothing but a reason."""

    async def make_move(
        contract_id: UUID, body: schemas.Reason, caller: Writer, session: Session, match: IfMatch
    ) -> JSONResponse:
        row = await for_update(session, contract_id, match)
        row = await service.move(session, row=row, step=step, reason=body.reason, caller=caller, now=utc_now())
        return tagged(await shape(session, row))

    make_move.__doc__ = summary
    router.add_api_route(
        f"/v1/contracts/{{contract_id}}/{path}",
        make_move,
        methods=["POST"],
        name=f"{step.value}_contract",
        response_model=schemas.ContractOut,
        tags=["contracts"],
        responses=TRANSITION,
    )


add_move("cancellation", Move.CANCEL, "Cancel a contract that has not begun.")
add_move("suspension", Move.SUSPEND, "Suspend an active contract; its term goes on.")
add_move("resumption", Move.RESUME, "Resume a suspended contract.")
add_move("termination", Move.TERMINATE, "End a contract early; its ring-fence ends today.")


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


@router.put("/internal/transfers/{transfer_id}", response_model=schemas.ContractOut, tags=["internal"])
async def complete_transfer(
    transfer_id: UUID, body: schemas.TransferredIn, caller: Internal, session: Session
) -> schemas.ContractOut:
    """Freeze a contract whose school has become a full member."""
    row = await service.transfer(
        session, contract_id=body.contract_id, transfer_id=transfer_id, caller=caller, now=utc_now()
    )
    return await shape(session, row)


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
