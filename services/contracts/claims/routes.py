"""The door for claims."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.contracts.accounts import Claim
from services.contracts.claims import queries, schemas, service
from services.contracts.models import Contract
from services.contracts.queries import locked_contract
from services.contracts.rules.claims import ClaimStatus
from services.contracts.rules.ocds.releases import ocid_of
from services.kernel.auth import Caller, require
from services.kernel.bodies import Cursor, IfMatch, Limit, check_match, decode_cursor, entity_tag, page
from services.kernel.http import Session
from services.kernel.idempotency import Idempotent
from services.kernel.openapi import problems
from services.kernel.types import london_date, utc_now

router = APIRouter(prefix="/v1/claims", tags=["finance"])
Reader = Annotated[Caller, require("finance:read")]
Writer = Annotated[Caller, require("finance:write")]
MOVES = problems(404, 409)


def shown(row: Claim) -> schemas.ClaimOut:
    """The claim as it stands today."""
    return schemas.ClaimOut.of(row, london_date(utc_now()))


async def tagged(session: Session, row: Claim) -> JSONResponse:
    """The answer with the entity tag that the next move must name."""
    await session.flush()
    return JSONResponse(shown(row).model_dump(mode="json"), 200, {"ETag": entity_tag(row.version)})


async def for_update(session: Session, claim_id: UUID, match: str) -> tuple[Contract, Claim]:
    """The claim and its contract, which is locked, once it is sure that the caller read the claim's present version."""
    row = await locked_contract(session, (await queries.claim(session, claim_id)).contract_id)
    claim = await queries.claim(session, claim_id)
    check_match(match, entity_tag(claim.version))
    return row, claim


@router.post("", status_code=201, response_model=schemas.ClaimOut, responses=problems(404, 409))
async def submit_claim(body: schemas.ClaimIn, caller: Writer, session: Session, once: Idempotent) -> JSONResponse:
    """Claim what is earned; another person of the trust, with another credential, certifies it then."""
    await once.begin()
    row = await locked_contract(session, body.contract_id)
    claim = await service.submit(session, row=row, body=body, caller=caller, now=utc_now())
    return once.finish(201, shown(claim), {"Location": f"/v1/claims/{claim.id}"})


@router.get("", response_model=schemas.ClaimPage)
async def list_claims(
    request: Request,
    caller: Reader,
    session: Session,
    contract_id: UUID | None = None,
    status: ClaimStatus | None = None,
    late: Annotated[bool, Query(description="Only those that should have been paid before today")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """Claims that the caller may see, oldest first."""
    place = decode_cursor(cursor, UUID)
    rows = await queries.claims_page(
        session,
        contract_id=contract_id,
        status=status,
        late_on=london_date(utc_now()) if late else None,
        after=place[0] if place else None,
        limit=limit,
    )
    return page([shown(row) for row in rows], limit, [rows[-1].id] if rows else None, request)


@router.get("/{claim_id}", response_model=schemas.ClaimOut, responses=problems(404))
async def read_claim(claim_id: UUID, caller: Reader, session: Session) -> JSONResponse:
    """One claim."""
    return await tagged(session, await queries.claim(session, claim_id))


@router.post("/{claim_id}/certification", response_model=schemas.ClaimOut, responses=MOVES)
async def certify_claim(
    claim_id: UUID, body: schemas.SignedIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Certify a claim that somebody else of the trust has prepared; it is to be paid in 30 days."""
    row, claim = await for_update(session, claim_id, match)
    claim = await service.certify(session, row=row, claim=claim, person=body.signed_by, caller=caller, now=utc_now())
    return await tagged(session, claim)


@router.post("/{claim_id}/approval", response_model=schemas.ClaimOut, responses=MOVES)
async def approve_claim(
    claim_id: UUID, body: schemas.SignedIn, request: Request, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Approve a certified claim, of which you recorded no evidence; its invoice is issued."""
    row, claim = await for_update(session, claim_id, match)
    publisher = request.app.state.publisher
    ocid = ocid_of(publisher, str(row.id)) if publisher else None
    claim = await service.approve(
        session, row=row, claim=claim, person=body.signed_by, ocid=ocid, caller=caller, now=utc_now()
    )
    return await tagged(session, claim)


@router.post("/{claim_id}/rejection", response_model=schemas.ClaimOut, responses=MOVES)
async def reject_claim(
    claim_id: UUID, body: schemas.RejectionIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Reject a claim as its commissioner, or withdraw it as its trust; what it was for can be claimed anew."""
    row, claim = await for_update(session, claim_id, match)
    facts = {"person": body.signed_by, "reason": body.reason}
    claim = await service.reject(session, row=row, claim=claim, caller=caller, now=utc_now(), **facts)
    return await tagged(session, claim)


@router.post("/{claim_id}/payment", response_model=schemas.ClaimOut, responses=MOVES)
async def pay_claim(
    claim_id: UUID, body: schemas.PaidIn, caller: Writer, session: Session, match: IfMatch, once: Idempotent
) -> JSONResponse:
    """Note that an approved claim was paid, by somebody else than the one who approved it."""
    await once.begin()
    row, claim = await for_update(session, claim_id, match)
    claim = await service.pay(session, row=row, claim=claim, body=body, caller=caller, now=utc_now())
    return once.finish(200, shown(claim))
