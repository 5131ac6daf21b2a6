"""What callers see of needs."""

from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from services.outcomes.rules.measures import KeyStage
from services.outcomes.schemas import ReleaseName

NOTE = (
    "A list to look at schools by, not a decision: figures are uncertain, as the intervals say, and a person decides."
)


class AmongOut(BaseModel):
    """The schools among which places are given."""

    phase: str
    region: str | None
    la_code: str | None
    schools: int


class PartOut(BaseModel):
    """A part of need: `value` over `n` pupils as published and pooled, `estimate` as it is believed to be.

    `imputed` where the school has no figure of its own, for the reason in `missing`: then the estimate is that of a
    school like it, and as uncertain. `protected` where the result of a year may not be told, since one or two pupils
    would stand out: the middle of what it may be has gone into the value instead.
    """

    value: float | None
    n: int | None
    years: list[str]
    estimate: float
    share: float = Field(description="What it adds to the need")
    imputed: bool
    protected: bool
    missing: str | None


class NeedOut(BaseModel):
    """A school's tier with the rule that put it there, and its need with its place among the schools ranked."""

    urn: str
    name: str
    la_code: str
    la_name: str
    region: str
    phase: str
    key_stage: KeyStage
    tier: int
    rule: str
    reason: str = Field(description="The rule in words")
    need: float | None
    expected_rank: float | None
    rank_low: int | None = Field(description="Lower end of the 90% interval of its place, 1 the most urgent")
    rank_high: int | None
    p_worst_decile: float | None
    parts: dict[str, PartOut]
    not_known: list[str] = Field(description="Tier rules that could not be asked")
    among: AmongOut


class NeedPage(BaseModel):
    """Schools by tier, then by the chance to be in the worst tenth, then by need."""

    note: str = NOTE
    version: str = Field(description="Of the thresholds and weights")
    as_of: date
    weights: dict[str, float]
    releases: list[ReleaseName]
    data: list[NeedOut]
    paging: dict[str, Any]
