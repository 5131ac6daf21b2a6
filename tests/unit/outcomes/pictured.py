"""Outcomes that were judged, as pictures see them, for the tests of the rules on pictures."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from services.outcomes.rules.agreement import Agreed
from services.outcomes.rules.evaluation import conclude
from services.outcomes.rules.gathering import Question
from services.outcomes.rules.plots.subject import Actual, Added, Source, Subject
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.series import Reading
from services.outcomes.rules.values import ValueState
from tests.unit.outcomes.schools_alike import One
from tests.unit.outcomes.test_evaluation import AGREED, OTHERS, OWN, QUESTION, Own, gathered

LONG_NAME = "The Blessed Thomas Holford Voluntary Aided Catholic College and Sixth Form Centre of Altrincham"


def picture_of(
    agreed: Agreed = AGREED, own: Own = OWN, others: Sequence[One] = OTHERS, question: Question = QUESTION, **more: Any
) -> Subject:
    """An outcome judged on this evidence."""
    evidence = gathered(agreed, own, others, question=question)
    found = conclude(question, [(agreed, evidence)]).measures[0]
    actual, effect = found.actual, found.effect
    subject = Subject(
        contract="CTR-2023-000001",
        school="Fulwood Academy",
        supplier="Star Academies",
        term=question.term,
        year=question.year,
        run=question.run,
        method_version="2026.8",
        agreed=agreed,
        trajectory=None,
        gathered=evidence,
        status=found.status,
        reasons=found.reasons,
        target=found.target,
        actual=Actual(actual.value, actual.n, actual.years, found.actual_interval) if actual else None,
        effect=Added(effect.tau, effect.se, effect.ci95, effect.p_rank, effect.k) if effect else None,
        stage=found.stage,
        sources=(Source("r", "absence", "final", date(2025, 3, 20)),),
    )
    return replace(subject, **more)


def withheld(year: int, state: ValueState = ValueState.SUPPRESSED) -> Reading:
    """A year of which nothing is told."""
    return Reading(year, state, None, None, False, "r", Stage.FINAL)
