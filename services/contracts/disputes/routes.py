"""The door for disputes."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.contracts.claims.routes import MOVES, Writer, for_update, tagged
from services.contracts.claims.schemas import ClaimOut
from services.contracts.disputes import schemas, service
from services.kernel.bodies import IfMatch
from services.kernel.http import Session
from services.kernel.types import utc_now

router = APIRouter(prefix="/v1/claims", tags=["finance"])


@router.post("/{claim_id}/dispute", response_model=ClaimOut, responses=MOVES)
async def dispute_claim(
    claim_id: UUID, body: schemas.DisputeIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Dispute a certified claim, or lines of it; gives the claim that is in dispute. The rest is still due."""
    row, claim = await for_update(session, claim_id, match)
    found = await service.dispute(session, row=row, claim=claim, body=body, caller=caller, now=utc_now())
    return await tagged(session, found)


@router.post("/{claim_id}/dispute-resolution", response_model=ClaimOut, responses=MOVES)
async def resolve_dispute(
    claim_id: UUID, body: schemas.ResolutionIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """End a dispute: the claim is payable, without the days in dispute, or it is not."""
    row, claim = await for_update(session, claim_id, match)
    found = await service.resolve(session, row=row, claim=claim, body=body, caller=caller, now=utc_now())
    return await tagged(session, found)
