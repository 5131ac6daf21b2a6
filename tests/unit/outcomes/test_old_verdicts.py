"""Verdicts of earlier methods: kept as they were, and reached again from what they stored, to the same hash."""

import gzip
import json
from pathlib import Path

from services.outcomes.evaluations.service import differing
from services.outcomes.evaluations.verdicts import Inputs, reach
from services.outcomes.models import Evaluation
from services.outcomes.rules.agreement import METHOD_VERSION

KEPT = Path(__file__).parents[2] / "data" / "verdict_2026_6.json.gz"
"""By method 2026.6: comparators fixed at award and told in their own spread; rounding by the catalogue alone."""


def old() -> Evaluation:
    return Evaluation(**json.loads(gzip.decompress(KEPT.read_bytes())))


def test_a_release_that_says_how_it_rounds_decides_whether_a_target_is_reached() -> None:
    """The figure of the kept verdict was published as 32.0, the target is 31.96."""
    stored = old().inputs
    stored["evidence"][0]["readings"]["2023"]["published_half_width"] = 0.05
    inputs = Inputs.model_validate(stored)
    assert inputs.model_dump(mode="json") == stored
    assert inputs.hash() != old().inputs_hash
    found = reach(inputs).result["measures"][0]
    assert (found["target_result"], found["rounding_half_width"]) == ("reached", 0.05)


async def test_a_verdict_of_an_earlier_method_is_reached_again() -> None:
    row = old()
    assert row.method_version == "2026.6" != METHOD_VERSION
    assert {each["match"]["pool_size"] for each in row.inputs["evidence"]} == {50}
    assert await differing([row]) == []
    assert row.result["measures"][0]["target_result"] == "close"
    row.result = row.result | {"score": 0.25}
    assert await differing([row]) == [row.id]
