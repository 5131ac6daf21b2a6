"""The door to what is kept apart: ring-fences, and performance tables of trusts made without them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from services.kernel.auth import Caller, require
from services.kernel.bodies import Cursor, Limit, decode_cursor, entity_tag, page
from services.kernel.errors import NotFound
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.kernel.types import utc_now
from services.outcomes.routes import Internal
from services.outcomes.rules.measures import KeyStage
from services.outcomes.rules.performance import View, performance
from services.outcomes.rules.years import academic_year_from
from services.outcomes.schemas import AcademicYear, Uid, Urn
from services.outcomes.spreadsheets import CSV, as_csv, wants_csv
from services.outcomes.tables import queries, schemas, service, views

router = APIRouter()
Reader = Annotated[Caller, require("outcomes:read")]
FENCE_COLUMNS = [name for name in schemas.RingFenceOut.model_fields if name != "series"]
TABLE_COLUMNS = ["view", "urn", "name", "measure", "state", "value", "low", "high", "n", "schools", "left_out"]


@router.get(
    "/v1/ring-fences",
    response_model=schemas.RingFencePage,
    tags=["ring-fences"],
    responses=CSV,
)
async def list_ring_fences(
    request: Request,
    caller: Reader,
    session: Session,
    school_urn: Urn | None = None,
    supplier_uid: Uid | None = None,
    on: Annotated[date | None, Query(description="Standing on this day")] = None,
    academic_year: Annotated[
        AcademicYear | None, Query(description="Standing in this year, with what the results of each key stage are")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Which schools' results are kept apart from which trust's tables, and when; JSON, or CSV on request.

    The register for DfE, Ofsted and trusts: with an academic year it says of every series of results whether it is kept
    apart, and whether the supplier answers for it. The CSV then has a row for each series.
    """
    place = decode_cursor(cursor, UUID)
    year = academic_year_from(academic_year) if academic_year else None
    rows = await queries.ring_fences_page(
        session,
        school_urn=int(school_urn) if school_urn else None,
        supplier_uid=supplier_uid,
        on=on,
        year=year,
        after=place[0] if place else None,
        limit=limit,
    )
    shown = [schemas.RingFenceOut.of(row, year, request.app.state.rule) for row in rows]
    answer = page(shown, limit, [rows[-1].contract_id] if rows else None, request)
    if not wants_csv(request):
        return answer
    columns = FENCE_COLUMNS if year is None else [*FENCE_COLUMNS, *schemas.SeriesOut.model_fields]
    table = as_csv(columns, fence_rows(shown), "ring-fences.csv")
    if "link" in answer.headers:
        table.headers["Link"] = answer.headers["link"]
    return table


def fence_rows(shown: Iterable[schemas.RingFenceOut]) -> Iterable[dict[str, Any]]:
    """A row for each ring-fence, or for each of its series where a year was asked for."""
    for fence in shown:
        row = fence.model_dump(mode="json", exclude={"series"})
        yield from ([row] if fence.series is None else (row | each.model_dump(mode="json") for each in fence.series))


@router.get(
    "/v1/trusts/{uid}/performance",
    response_model=views.PerformanceOut,
    tags=["ring-fences"],
    responses={**problems(404), **CSV},
)
async def read_performance(
    uid: Annotated[Uid, Path()],
    request: Request,
    caller: Reader,
    academic_year: AcademicYear,
    key_stage: KeyStage,
    view: Annotated[View | None, Query(description="One view only; all three when left out")] = None,
    time_weighting: Annotated[
        Literal["none", "cap4"], Query(description="cap4: three or four years weigh so much, as in 2015/16 and 2016/17")
    ] = "none",
) -> Response:
    """A trust's results of one year: as DfE counts, all full members, and, apart from both, those under contract."""
    year = academic_year_from(academic_year)
    async with request.app.state.tables.transaction(caller) as session:
        trust = await queries.trust(session, uid)
        if trust is None:
            raise NotFound(f"No trust with UID {uid} is in the register as ingested.")
        schools, releases = await queries.schools(session, uid, key_stage, year)
    rule = replace(request.app.state.rule, time_weighting=time_weighting)
    places, tables = performance(schools, key_stage, year, rule)
    wanted = {each: table for each, table in tables.items() if view in {None, each}}
    answer = views.performance_out(trust, key_stage, year, places, wanted, releases, rule)
    if wants_csv(request):
        name = f"trust-{uid}-{academic_year.replace('/', '-')}-{key_stage}.csv"
        return as_csv(TABLE_COLUMNS, table_rows(answer), name)
    body = answer.model_dump(mode="json")
    return JSONResponse(body, headers={"ETag": entity_tag(body)})


def table_rows(answer: views.PerformanceOut) -> Iterable[dict[str, Any]]:
    """For each view and measure: the trust as a whole, then each school in it."""
    for view, table in answer.views.items():
        for pooled in table.measures:
            yield {"view": view.value, "urn": "", "name": answer.trust.name, **pooled.model_dump(mode="json")}
            for member in table.members:
                result = member.results[pooled.measure].model_dump(mode="json")
                yield {"view": view.value, "urn": member.urn, "name": member.name, "measure": pooled.measure, **result}


@router.put("/internal/ring-fences/{contract_id}", tags=["internal"], responses=problems(409))
async def put_ring_fence(
    contract_id: UUID, body: schemas.RingFenceIn, caller: Internal, session: Session
) -> schemas.RingFenceOut:
    """Open a contract's ring-fence or set its days."""
    row = await service.fence(session, contract_id=contract_id, body=body, caller=caller, now=utc_now())
    return schemas.RingFenceOut.of(row)


@router.put("/internal/full-memberships", tags=["internal"], responses=problems(404, 409))
async def put_full_memberships(
    body: list[schemas.FullMembershipIn], request: Request, caller: Internal, session: Session
) -> list[schemas.FullMembershipOut]:
    """Make contracted schools full members of their trusts, in one transaction: all of them or none."""
    answers = await service.join(session, bodies=body, rule=request.app.state.rule, caller=caller, now=utc_now())
    return [schemas.FullMembershipOut.model_validate(each) for each in answers]
