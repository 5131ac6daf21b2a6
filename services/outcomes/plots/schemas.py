"""What is asked for a picture, and a picture's figures."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.kernel.bodies import Body, Code
from services.outcomes.rules.plots.figure import Figure
from services.outcomes.schemas import Day
from services.pictures import Format, Plot, PlotOut, Table

Name = Annotated[str, Field(min_length=1, max_length=400)]


class BesideIn(Body):
    """The latest verdict of another contract that the reader may see, and what to call it."""

    evaluation_id: Annotated[UUID, Field(strict=False)]
    contract: Name
    school: Name


class PlotIn(Body):
    """Which outcome, in which form, and what the contract calls those it speaks of.

    `trajectories` are the shares of the way that were agreed for each year, by outcome; null where none were.
    `agreed_until` is the last day of the contract as agreed, where it ended on another.
    """

    outcome: Code | None = None
    format: Annotated[Format, Field(strict=False)]
    contract: Name
    school: Name
    supplier: Name
    trajectories: dict[str, Annotated[list[float], Field(min_length=1, max_length=7)] | None] = {}
    agreed_until: Day | None = None
    beside: Annotated[list[BesideIn], Field(max_length=1000)] = []


def shown(evaluation_id: UUID, outcome: str, measure: str, figure: Figure) -> PlotOut:
    """This figure of an outcome of an evaluation."""
    return PlotOut(
        evaluation_id=evaluation_id,
        name=Plot(figure.name),
        outcome=outcome,
        measure=measure,
        title=figure.title,
        alt=figure.alt,
        unit=figure.unit,
        notes=list(figure.notes),
        sources=list(figure.sources),
        drawn=bool(figure.panels),
        table=Table(columns=list(figure.columns), rows=[dict(each) for each in figure.rows]),
    )
