"""What the services call the pictures of a verdict, and how one looks as figures: the words that they share."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field


class Plot(StrEnum):
    """The pictures of an evaluation, each of one of its outcomes."""

    SCHOOL = "school"
    CHANGES = "changes"
    FUNNEL = "funnel"
    PORTFOLIO = "portfolio"
    TRUST = "trust"
    SYNTHETIC = "synthetic"
    RAG = "rag"
    BALANCE = "balance"


class Format(StrEnum):
    """How a picture is wanted, with its media type."""

    SVG = "svg"
    PNG = "png"
    CSV = "csv"
    JSON = "json"

    @property
    def media_type(self) -> str:
        """What it is called in `Accept`."""
        return {"svg": "image/svg+xml", "png": "image/png", "csv": "text/csv", "json": "application/json"}[self.value]


class Table(BaseModel):
    """The numbers that are drawn; an empty cell means that there is no value, never zero."""

    columns: list[str]
    rows: list[dict[str, str | int | float | None]]


class PlotOut(BaseModel):
    """A picture as figures: its words, its unit, its sources and its table."""

    evaluation_id: UUID
    name: Plot
    outcome: str
    measure: str
    title: str
    alt: str = Field(description="What the picture shows, in sentences, with the figures")
    unit: str
    notes: list[str]
    sources: list[str]
    drawn: bool = Field(description="False where there is nothing to draw; `alt` says why")
    table: Table
