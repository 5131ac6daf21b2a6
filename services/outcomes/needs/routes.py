"""The door to the list of schools by need."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.kernel.bodies import Cursor, Limit, decode_cursor, page
from services.kernel.errors import BadRequest
from services.kernel.http import Session
from services.kernel.types import london_date, real_now
from services.outcomes.needs import schemas, service
from services.outcomes.needs.estimates import PHASES
from services.outcomes.routes import PLAIN, Reader
from services.outcomes.rules.measures import KeyStage
from services.outcomes.rules.targeting import THRESHOLDS
from services.outcomes.spreadsheets import CSV, as_csv, wants_csv

router = APIRouter()
COLUMNS = [
    *("urn", "name", "la_code", "la_name", "region", "phase", "key_stage", "tier", "rule", "reason"),
    *("need", "expected_rank", "rank_low", "rank_high", "p_worst_decile", "schools"),
    *(f"{name}{end}" for name in THRESHOLDS.weights for end in ("", "_estimate", "_missing")),
]


@router.get("/v1/needs", response_model=schemas.NeedPage, tags=["needs"], responses=CSV)
async def list_needs(
    request: Request,
    _caller: Reader,
    session: Session,
    region: Annotated[str | None, Query(max_length=60, pattern=PLAIN, examples=["South East"])] = None,
    la_code: Annotated[str | None, Query(pattern="^[0-9]{3}$", examples=["936"])] = None,
    key_stage: Annotated[KeyStage | None, Query(description="KS2 for primary schools, KS4 for secondary")] = None,
    tier: Annotated[int | None, Query(ge=0, le=5, description="0 statutory to 5 universal")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Schools by how urgent help is: tiers by rule first, need within a tier, each place with its uncertainty.

    Places are given within the phase and the place asked for (`among`). No school is left out for being small: what is
    not published is replaced by what is known of schools like it, and said to be. A result of which one or two pupils
    would stand out counts as the middle of what it may be. A person decides, not this list.
    """
    on = london_date(real_now())
    phases = [phase for phase, stage in PHASES.items() if key_stage in {None, stage}]
    schools, releases = await service.listed(session, phases=phases, region=region, la_code=la_code, on=on)
    if tier is not None:
        schools = [each for each in schools if each.tier == tier]
    if wants_csv(request):
        return as_csv(COLUMNS, map(flat, schools), "needs.csv")
    place = decode_cursor(cursor, int)
    start = 0
    if place is not None:
        at = {each.urn: number for number, each in enumerate(schools)}.get(str(place[0]))
        if at is None:
            raise BadRequest("The list has changed since that page; begin again without a cursor.")
        start = at + 1
    rows = schools[start : start + limit]
    more: dict[str, Any] = {
        "note": schemas.NOTE,
        "version": THRESHOLDS.version,
        "as_of": on.isoformat(),
        "weights": dict(THRESHOLDS.weights),
        "releases": [each.model_dump(mode="json") for each in releases],
    }
    return page(rows, limit, [int(rows[-1].urn)] if rows else None, request, **more)


def flat(school: schemas.NeedOut) -> dict[str, Any]:
    """A school as a row of a table."""
    row: dict[str, Any] = {name: getattr(school, name) for name in COLUMNS if hasattr(school, name)}
    row["schools"] = school.among.schools
    parts: Iterable[tuple[str, schemas.PartOut]] = school.parts.items()
    for name, part in parts:
        row |= {name: part.value, f"{name}_estimate": part.estimate, f"{name}_missing": part.missing}
    return row
