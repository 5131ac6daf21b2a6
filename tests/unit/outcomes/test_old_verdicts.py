"""Verdicts of earlier methods: kept as they were, and reached again from what they stored, to the same hash."""

import gzip
import json
from pathlib import Path

from services.outcomes.evaluations.service import differing
from services.outcomes.models import Evaluation
from services.outcomes.rules.agreement import METHOD_VERSION

KEPT = Path(__file__).parents[2] / "data" / "verdict_2026_6.json.gz"
"""By method 2026.6: comparators fixed at award and told in their own spread; rounding by the catalogue alone."""


def old() -> Evaluation:
    return Evaluation(**json.loads(gzip.decompress(KEPT.read_bytes())))


async def test_a_verdict_of_an_earlier_method_is_reached_again() -> None:
    row = old()
    assert row.method_version == "2026.6" != METHOD_VERSION
    assert {each["match"]["pool_size"] for each in row.inputs["evidence"]} == {50}
    assert await differing([row]) == []
    row.result = row.result | {"score": 0.25}
    assert await differing([row]) == [row.id]
