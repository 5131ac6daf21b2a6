"""The contracts service's door to what shortlists are made from. Not offered at the gateway."""

from typing import Annotated

from fastapi import APIRouter

from services.kernel.auth import Caller, require
from services.kernel.http import Session
from services.outcomes.shortlists import schemas, service

router = APIRouter(tags=["internal"])
Internal = Annotated[Caller, require("internal")]


@router.post("/internal/shortlist")
async def read_shortlist(body: schemas.ShortlistIn, caller: Internal, session: Session) -> schemas.ShortlistOut:
    """The school and the trusts as the register shows them now, and how near they are to each other."""
    return await service.shortlist(session, body=body)
