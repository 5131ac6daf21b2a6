"""The door for shortlists."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse

from services.contracts import calls
from services.contracts.routes import Outcomes, Reader
from services.contracts.rules import parties
from services.contracts.rules import shortlist as rules
from services.contracts.rules.capacity import Term
from services.contracts.schemas import Urn
from services.contracts.shortlists import schemas, service
from services.contracts.suppliers import queries
from services.kernel.bodies import Cursor, Limit, decode_cursor, page
from services.kernel.errors import NotFound
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.kernel.types import london_date, utc_now

router = APIRouter(tags=["suppliers"])
UrnPath = Annotated[Urn, Path()]
Day = Annotated[date | None, Query(ge=date(2000, 1, 1), le=date(2100, 1, 1), examples=["2026-09-01"])]


@router.get("/v1/schools/{urn}/suppliers", response_model=schemas.Shortlist, responses=problems(404, 409))
async def shortlist_suppliers(
    urn: UrnPath,
    request: Request,
    caller: Reader,
    session: Session,
    outcomes: Outcomes,
    starts_on: Day = None,
    ends_on: Day = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> JSONResponse:
    """Suppliers for a school, best first, each with the reasons for its place; the others with what keeps them out.

    Without a term: from the next 1 September for three years. The school's own trust is in neither list.
    """
    place = decode_cursor(cursor, int)
    term = Term(*rules.term(starts_on, ends_on, london_date(utc_now())))
    rows = await queries.suppliers(session)
    found = await calls.beside(outcomes, urn=urn, uids=[row.uid for row in rows])
    if found.school is None:
        raise NotFound(f"No school with URN {urn} is in the register as ingested.")
    school = parties.check_school(urn, found.school)
    listed = await service.shortlist(session, rows=rows, school=school, found=found, term=term, caller=caller)
    shown = [each for each in listed.ranked if place is None or each.rank > place[0]][:limit]
    return page(
        [schemas.EntryOut.of(each) for each in shown],
        limit,
        [shown[-1].rank] if shown else None,
        request,
        school=schemas.SchoolInNeed.of(school, found).model_dump(mode="json"),
        term=schemas.TermAsked.model_validate(term).model_dump(mode="json"),
        excluded=[schemas.ExcludedOut.model_validate(each).model_dump(mode="json") for each in listed.excluded],
    )
