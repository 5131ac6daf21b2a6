"""The door of the register of suppliers."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from services.contracts import calls
from services.contracts.queries import events_page
from services.contracts.register import Supplier
from services.contracts.routes import TRANSITION, Outcomes, Reader, Writer
from services.contracts.rules.life import ROLES
from services.contracts.rules.suppliers import Phase, SupplierMove, SupplierStatus, check_writer
from services.contracts.schemas import EventOut, EventPage, Reason, Uid
from services.contracts.suppliers import queries, schemas, service
from services.kernel.bodies import (
    Cursor,
    IfMatch,
    Limit,
    PreconditionFailed,
    check_match,
    decode_cursor,
    entity_tag,
    if_match,
    page,
)
from services.kernel.errors import NotFound
from services.kernel.http import Session
from services.kernel.idempotency import Idempotent
from services.kernel.openapi import problems
from services.kernel.types import utc_now

router = APIRouter(tags=["suppliers"])
UidPath = Annotated[Uid, Path()]
Name = Annotated[
    str | None, Query(min_length=1, max_length=100, pattern=r"^[^\x00]*$", description="Part of the name, in any case")
]
MaybeMatch = Annotated[
    str | None, Header(alias="If-Match", description="Needed where the trust is on the register already")
]
CREATED: dict[int | str, dict[str, Any]] = {
    201: {"model": schemas.SupplierOut, "description": "The trust is on the register now"}
}


async def shape(session: Session, row: Supplier) -> schemas.SupplierOut:
    """The entry with its track record."""
    await session.flush()
    return schemas.SupplierOut.of(row, await queries.records(session))


def tagged(
    answer: schemas.SupplierOut | schemas.MatterOut, status: int = 200, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The answer with its entity tag, which changes with the track record too."""
    body = answer.model_dump(mode="json")
    return JSONResponse(body, status, {"ETag": entity_tag(body), **(headers or {})})


async def locked(session: Session, uid: str) -> Supplier:
    """The entry, locked; raises NotFound."""
    row = await queries.locked_supplier(session, uid)
    if row is None:
        raise NotFound(f"No trust with UID {uid} is on the register of suppliers.")
    return row


async def for_update(session: Session, uid: str, match: str) -> Supplier:
    """The entry, locked, once it is sure that the caller read its present version."""
    row = await locked(session, uid)
    check_match(match, entity_tag((await shape(session, row)).model_dump(mode="json")))
    return row


@router.get("/v1/suppliers", response_model=schemas.SupplierPage)
async def list_suppliers(
    request: Request,
    caller: Reader,
    session: Session,
    status: SupplierStatus | None = None,
    phase: Phase | None = None,
    name: Name = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """The register of suppliers by UID: what each can carry, how it works, and what became of its contracts."""
    place = decode_cursor(cursor, str)
    after = place[0] if place else None
    rows = await queries.suppliers_page(session, status=status, phase=phase, name=name, after=after, limit=limit)
    records = await queries.records(session)
    shown = [schemas.SupplierOut.of(row, records) for row in rows]
    return page(shown, limit, [rows[-1].uid] if rows else None, request)


@router.get("/v1/suppliers/{uid}", response_model=schemas.SupplierOut, responses=problems(404))
async def read_supplier(uid: UidPath, request: Request, caller: Reader, session: Session) -> Response:
    """One trust on the register, with its track record by verdict."""
    answer = tagged(await shape(session, await queries.supplier(session, uid)))
    if request.headers.get("if-none-match") == answer.headers["etag"]:
        return Response(status_code=304, headers={"ETag": answer.headers["etag"]})
    return answer


@router.put(
    "/v1/suppliers/{uid}", response_model=schemas.SupplierOut, responses={**CREATED, **problems(404, 409, 412, 428)}
)
async def register_supplier(
    uid: UidPath,
    body: schemas.SupplierIn,
    caller: Writer,
    session: Session,
    outcomes: Outcomes,
    match: MaybeMatch = None,
) -> JSONResponse:
    """Put a trust on the register, or write its entry anew. Who it is comes from GIAS as ingested."""
    check_writer(ROLES[caller.kind], own=service.owns(caller, uid))
    trust = await calls.supplier(outcomes, uid)
    row = await queries.locked_supplier(session, uid)
    if row is not None:
        check_match(await if_match(match), entity_tag((await shape(session, row)).model_dump(mode="json")))
    elif match:
        raise PreconditionFailed("The trust is not on the register; leave If-Match out to put it there.")
    made = await service.register(session, row=row, trust=trust, body=body, caller=caller, now=utc_now())
    if row is not None:
        return tagged(await shape(session, made))
    return tagged(await shape(session, made), 201, {"Location": f"/v1/suppliers/{uid}"})


@router.post("/v1/suppliers/{uid}/suspension", response_model=schemas.SupplierOut, responses=TRANSITION)
async def suspend_supplier(
    uid: UidPath, body: Reason, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Keep a trust from new contracts; those that it has go on."""
    row, step = await for_update(session, uid, match), SupplierMove.SUSPEND
    return tagged(
        await shape(
            session,
            await service.move(session, row=row, step=step, reason=body.reason, caller=caller, now=utc_now()),
        )
    )


@router.post("/v1/suppliers/{uid}/reinstatement", response_model=schemas.SupplierOut, responses=TRANSITION)
async def reinstate_supplier(
    uid: UidPath, body: Reason, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Let a suspended trust enter into contracts again."""
    row, step = await for_update(session, uid, match), SupplierMove.REINSTATE
    return tagged(
        await shape(
            session,
            await service.move(session, row=row, step=step, reason=body.reason, caller=caller, now=utc_now()),
        )
    )


@router.get("/v1/suppliers/{uid}/matters", response_model=schemas.MatterPage, responses=problems(404))
async def list_matters(
    uid: UidPath, request: Request, caller: Reader, session: Session, limit: Limit = 100, cursor: Cursor = None
) -> JSONResponse:
    """What stands or stood against a supplier; for those who keep the register, and for the supplier itself."""
    service.check_sees_matters(caller, uid)
    await queries.supplier(session, uid)
    place = decode_cursor(cursor, UUID)
    rows = await queries.matters_page(session, uid, after=place[0] if place else None, limit=limit)
    return page([schemas.MatterOut.of(row) for row in rows], limit, [rows[-1].id] if rows else None, request)


@router.post("/v1/suppliers/{uid}/matters", status_code=201, response_model=schemas.MatterOut, responses=TRANSITION)
async def raise_matter(
    uid: UidPath, body: schemas.MatterIn, caller: Writer, session: Session, once: Idempotent, outcomes: Outcomes
) -> JSONResponse:
    """Raise a concern or a conflict of interest; while it is live, no new contract is entered into."""
    service.check_sees_matters(caller, uid)
    if body.school_urn is not None:
        await calls.check_school(outcomes, body.school_urn)
    await once.begin()
    row = await locked(session, uid)
    made = await service.raise_matter(session, row=row, body=body, caller=caller, now=utc_now())
    return once.finish(201, schemas.MatterOut.of(made), {"Location": f"/v1/suppliers/{uid}/matters/{made.id}"})


@router.get("/v1/suppliers/{uid}/matters/{matter_id}", response_model=schemas.MatterOut, responses=problems(404))
async def read_matter(uid: UidPath, matter_id: UUID, caller: Reader, session: Session) -> JSONResponse:
    """One matter; for those who keep the register, and for the supplier itself."""
    service.check_sees_matters(caller, uid)
    return tagged(schemas.MatterOut.of(await queries.matter(session, uid, matter_id)))


@router.post(
    "/v1/suppliers/{uid}/matters/{matter_id}/resolution", response_model=schemas.MatterOut, responses=TRANSITION
)
async def resolve_matter(
    uid: UidPath, matter_id: UUID, body: schemas.ResolutionIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Resolve a matter, once; it stays on the record."""
    service.check_sees_matters(caller, uid)
    row = await locked(session, uid)
    matter = await queries.matter(session, uid, matter_id)
    check_match(match, entity_tag(schemas.MatterOut.of(matter).model_dump(mode="json")))
    await service.resolve(session, row=row, matter=matter, body=body, caller=caller, now=utc_now())
    return tagged(schemas.MatterOut.of(matter))


@router.get("/v1/suppliers/{uid}/events", response_model=EventPage, responses=problems(404))
async def list_supplier_events(
    uid: UidPath, request: Request, caller: Reader, session: Session, limit: Limit = 100, cursor: Cursor = None
) -> JSONResponse:
    """All that happened to an entry, oldest first; matters show to those who may see them."""
    row = await queries.supplier(session, uid)
    place = decode_cursor(cursor, int, int)
    rows = await events_page(session, row.id, after=(place[0], place[1]) if place else None, limit=limit)
    last = [rows[-1].txid, rows[-1].position] if rows else None
    return page([EventOut.model_validate(each) for each in rows], limit, last, request)
