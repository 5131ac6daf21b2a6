"""What is asked for a picture, and a picture's figures."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.kernel.bodies import Body, Code
from services.outcomes.rules.plots.figure import Cell, Figure

Name = Annotated[str, Field(min_length=1, max_length=400)]


class Plot(StrEnum):
    """The pictures of an evaluation."""

    SCHOOL = "school"
    CHANGES = "changes"
    FUNNEL = "funnel"
    PORTFOLIO = "portfolio"
    TRUST = "trust"
    SYNTHETIC = "synthetic"
    RAG = "rag"
    BALANCE = "balance"


class Format(StrEnum):
    """How a picture is wanted."""

    SVG = "svg"
    PNG = "png"
    CSV = "csv"
    JSON = "json"


class BesideIn(Body):
    """The latest verdict of another contract that the reader may see, and what to call it."""

    evaluation_id: Annotated[UUID, Field(strict=False)]
    contract: Name
    school: Name


class PlotIn(Body):
    """Which outcome, in which form, and what the contract calls those it speaks of.

    `trajectories` are the shares of the way that were agreed for each year, by outcome; null where none were.
    """

    outcome: Code | None = None
    format: Annotated[Format, Field(strict=False)]
    contract: Name
    school: Name
    supplier: Name
    trajectories: dict[str, Annotated[list[float], Field(min_length=1, max_length=7)] | None] = {}
    beside: Annotated[list[BesideIn], Field(max_length=1000)] = []


class TableOut(BaseModel):
    """The numbers that are drawn; an empty cell means that there is no value, never zero."""

    columns: list[str]
    rows: list[dict[str, Cell]]


class PlotOut(BaseModel):
    """A picture as figures: its words, its unit, its sources and its table."""

    evaluation_id: UUID
    name: Plot
    outcome: str
    measure: str
    title: str
    alt: str
    unit: str
    notes: list[str]
    sources: list[str]
    drawn: bool = Field(description="False where there is nothing to draw; `alt` says why")
    table: TableOut

    @classmethod
    def of(cls, evaluation_id: UUID, outcome: str, measure: str, figure: Figure) -> Self:
        """This figure of an outcome of an evaluation."""
        return cls(
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
            table=TableOut(columns=list(figure.columns), rows=[dict(each) for each in figure.rows]),
        )
