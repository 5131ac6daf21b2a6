"""The door to what was observed of a school."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.kernel.bodies import Cursor, Limit, decode_cursor, page
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.outcomes import disclosure, queries
from services.outcomes.observations import schemas
from services.outcomes.routes import Reader, UrnPath, known_school
from services.outcomes.rules.years import academic_year_from
from services.outcomes.schemas import AcademicYear, MeasureCode

router = APIRouter(tags=["schools"])


@router.get("/v1/schools/{urn}/observations", response_model=schemas.ObservationPage, responses=problems(404))
async def list_observations(
    urn: UrnPath,
    request: Request,
    caller: Reader,
    session: Session,
    measure: Annotated[MeasureCode | None, Query()] = None,
    academic_year: Annotated[AcademicYear | None, Query()] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> JSONResponse:
    """What current releases say of a school: a value, or the reason why there is none, for each measure and year.

    A school that tables speak of is answered also where the register as ingested does not have it. Results that would
    tell of single pupils are suppressed, but for DfE and for those who answer for the school.
    """
    year = academic_year_from(academic_year) if academic_year else None
    place = decode_cursor(cursor, str, int)
    rows = await queries.school_observations(
        session,
        int(urn),
        measure=measure,
        academic_year=year,
        after=(place[0], place[1]) if place else None,
        limit=limit,
    )
    if not rows:
        await known_school(session, urn)
    whole = await disclosure.seen_whole(session, int(urn), caller)
    telling = await disclosure.disclosive(session, int(urn), [row for row, _release in rows])
    shown = [
        schemas.ObservationOut.of(row, release, disclosive=(row.measure, row.academic_year) in telling, entitled=whole)
        for row, release in rows
    ]
    last = [rows[-1][0].measure, rows[-1][0].academic_year] if rows else None
    return page(shown, limit, last, request)
