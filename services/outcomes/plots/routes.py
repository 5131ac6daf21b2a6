"""The contracts service's door to pictures of verdicts. Not offered at the gateway."""

import asyncio
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response

from services.kernel.bodies import entity_tag
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.outcomes.evaluations import queries
from services.outcomes.evaluations.routes import Internal
from services.outcomes.plots import facts
from services.outcomes.plots.schemas import PlotIn, shown
from services.outcomes.spreadsheets import as_csv
from services.pictures import Format, Plot, PlotOut

router = APIRouter(tags=["internal"])
LASTING = frozenset({Plot.CHANGES, Plot.FUNNEL, Plot.SYNTHETIC, Plot.BALANCE})
"""What never changes for a verdict; the others also hang on the path as agreed now, other contracts or the tables."""


@router.post("/internal/evaluations/{evaluation_id}/plots/{name}", response_model=PlotOut, responses=problems(404))
async def draw(
    evaluation_id: UUID,
    name: Plot,
    body: PlotIn,
    request: Request,
    caller: Internal,
    session: Session,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A picture of an outcome of a verdict; nothing is written, and 304 where the reader has it already."""
    from services.outcomes.plots import drawing  # noqa: PLC0415 - large, and most processes draw nothing

    row = await queries.evaluation(session, evaluation_id)
    tables = facts.Tables(request.app.state.tables, request.app.state.rule, caller)
    subject, figure = await facts.figure(session, plot=name, row=row, asked=body, tables=tables)
    told = shown(evaluation_id, subject.agreed.code, subject.measure.code, figure)
    tag = entity_tag({"figure": asdict(figure), "of": told.evaluation_id, "as": body.format, "by": drawing.VERSION})
    if tag in [each.strip() for each in (if_none_match or "").split(",")]:
        answer = Response(status_code=304)
    elif body.format is Format.CSV:
        answer = as_csv(figure.columns, map(dict, figure.rows), f"{name}-{evaluation_id}-{told.outcome}.csv")
    elif body.format is Format.JSON:
        answer = Response(told.model_dump_json(), media_type="application/json")
    else:
        drawn = await asyncio.to_thread(drawing.DRAW[body.format], figure)
        answer = Response(drawn, media_type=body.format.media_type)
    answer.headers["ETag"] = tag
    answer.headers["Cache-Control"] = "private, max-age=86400, immutable" if name in LASTING else "private, no-cache"
    return answer
