"""A verdict with all that it follows from, in plain values: from these alone it can be reached again."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from services.kernel.types import plain
from services.outcomes.evaluations.schemas import Asked
from services.outcomes.models import Release
from services.outcomes.panels import Panel
from services.outcomes.rules.agreement import METHOD_VERSION
from services.outcomes.rules.evaluation import MeasureResult, conclude
from services.outcomes.rules.gathering import Gathered, Question
from services.outcomes.rules.inspection import Inspection
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.series import Pooled
from services.outcomes.rules.years import academic_year_from, academic_year_text


class SourceRelease(BaseModel):
    """A release that figures come from, as it is named beside them."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    id: UUID
    number: int
    feed: str
    release_status: str
    published_on: date
    sha256: str
    values_hash: str | None

    def shown(self) -> dict[str, Any]:
        """The release beside a figure."""
        found: dict[str, Any] = plain(self.model_dump(exclude={"values_hash"}))
        return found


class Inputs(BaseModel):
    """All that a verdict follows from: the question, the evidence on each outcome, and where it was published."""

    method_version: str
    question: Asked
    evidence: list[Gathered]
    inspections: list[Inspection] = []
    releases: list[SourceRelease]

    @model_serializer(mode="wrap")
    def as_stored(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The inputs without what is as the catalogue has it: verdicts from before it was told have the same hash."""
        found: dict[str, Any] = handler(self)
        for evidence in found["evidence"]:
            for reading in evidence["readings"].values():
                if reading["published_half_width"] is None:
                    del reading["published_half_width"]
        return found

    def hash(self) -> str:
        """The SHA-256 of these inputs, in lower case hexadecimal, whatever the order of keys."""
        whole = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(whole.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict as it is kept and shown."""

    inputs: Inputs
    overall: str
    result: dict[str, Any]


def evidence_on(panel: Panel, asked: Asked) -> tuple[list[Gathered], set[str]]:
    """What is known on each agreed outcome, and the releases that it comes from, those of the baselines among them."""
    used: set[str] = set()
    question, found = question_of(asked), []
    for each in asked.outcomes:
        agreed = each.agreed()
        evidence = panel.gather(question, int(asked.school_urn), agreed)
        found.append(evidence.gathered)
        used |= evidence.releases
        if agreed.baseline:
            used.update(agreed.baseline.releases)
    return found, used


def inputs_of(
    asked: Asked, evidence: Sequence[Gathered], inspections: Sequence[Inspection], releases: Sequence[Release]
) -> Inputs:
    """What a verdict follows from, with the releases that are known here."""
    question = Asked.model_validate(asked.model_dump(include=set(Asked.model_fields)))
    sources = [SourceRelease.model_validate(each) for each in releases]
    return Inputs(
        method_version=METHOD_VERSION,
        question=question,
        evidence=list(evidence),
        inspections=list(inspections),
        releases=sources,
    )


def question_of(asked: Asked) -> Question:
    """The question as the rules see it."""
    return Question(asked.supplier_uid, asked.term, academic_year_from(asked.academic_year), asked.run)


def reach(inputs: Inputs) -> Verdict:
    """The verdict that these inputs lead to, and no others would be needed to reach it again."""
    outcomes = [each.agreed() for each in inputs.question.outcomes]
    result = conclude(
        question_of(inputs.question), list(zip(outcomes, inputs.evidence, strict=True)), inputs.inspections
    )
    sources = {str(each.id): each.shown() for each in inputs.releases}
    whole: dict[str, Any] = plain(
        {
            "score": result.score.score,
            "coverage": result.score.coverage,
            "kpi_rating": result.score.kpi_rating,
            "vetoes": result.score.vetoes,
            "critical_not_met": result.critical_not_met,
            "inspection": asdict(result.standing) | {"strong": result.standing.strong},
            "release_status": result.stage,
            "flags": result.flags,
            "measures": [shown_measure(each, sources) for each in result.measures],
        }
    )
    return Verdict(inputs, str(result.score.overall), whole)


def shown_measure(each: MeasureResult, sources: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """One outcome's verdict with its figures, in the measure's unit, and the releases of its own school."""
    own = sorted({release for pooled in (each.baseline, each.actual) if pooled for release in pooled.releases})
    alike = ("code", "measure", "status", "reasons", "weight", "critical", "target", "target_result", "value_result")
    measure = MEASURES[each.measure]
    return {
        **{
            name: getattr(each, name)
            for name in (*alike, "effect_size", "shrunk", "pre_trend", "rounding_half_width", "flags")
        },
        "title": measure.title,
        "unit": measure.unit,
        "direction": measure.direction,
        "baseline": shown_pooled(each.baseline),
        "actual": shown_pooled(each.actual),
        "actual_ci95": asdict(each.actual_interval) if each.actual_interval else None,
        "effect": shown_effect(each),
        "comparators": asdict(each.match) if each.match else None,
        "release_status": each.stage,
        "releases": [sources[release] for release in own if release in sources],
    }


def shown_effect(each: MeasureResult) -> dict[str, Any] | None:
    """The effect with its intervals; where comparators do not differ there is no t to speak of."""
    if each.effect is None:
        return None
    found = asdict(each.effect)
    return found | {"t": found["t"] if math.isfinite(found["t"]) else None}


def shown_pooled(pooled: Pooled | None) -> dict[str, Any] | None:
    """A pooled value with its pupils and years."""
    if pooled is None:
        return None
    return {"value": pooled.value, "n": pooled.n, "years": [academic_year_text(year) for year in pooled.years]}
