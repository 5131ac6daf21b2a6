"""The names and signatures of METHOD.md section 8, written out apart from the code."""

import importlib
import inspect
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

import pytest

NEEDED = inspect.Parameter.empty
SIGNATURES: dict[tuple[str, str], dict[str, Any]] = {
    ("values", "parse_value"): {"raw": NEEDED},
    ("intervals", "wilson"): {"successes": NEEDED, "n": NEEDED, "confidence": 0.95},
    ("intervals", "newcombe_difference"): dict.fromkeys(("x1", "n1", "x2", "n2"), NEEDED) | {"confidence": 0.95},
    ("intervals", "progress_interval"): dict.fromkeys(("mean", "n", "sigma"), NEEDED),
    ("intervals", "funnel_limits"): {"p0": NEEDED, "n": NEEDED, "coverage": 0.95},
    ("intervals", "progress8_band"): dict.fromkeys(("score", "low", "high"), NEEDED),
    ("comparators", "weighted_distance"): dict.fromkeys(("a", "b", "weights"), NEEDED),
    ("comparators", "nearest"): dict.fromkeys(("treated", "pool", "weights", "k"), NEEDED),
    ("effects", "difference_in_differences"): {
        **dict.fromkeys(("baseline", "outcome", "comparators"), NEEDED),
        "direction": 1,
    },
    ("effects", "synthetic_control"): dict.fromkeys(
        ("treated_pre", "donors_pre", "treated_post", "donors_post"), NEEDED
    ),
    ("shrinkage", "paule_mandel"): dict.fromkeys(("y", "se"), NEEDED),
    ("shrinkage", "dersimonian_laird"): dict.fromkeys(("y", "se"), NEEDED),
    ("shrinkage", "reml"): dict.fromkeys(("y", "se"), NEEDED),
    ("shrinkage", "empirical_bayes"): dict.fromkeys(("y", "se", "pooled"), NEEDED),
    ("shrinkage", "reliability"): dict.fromkeys(("n", "tau", "sigma"), NEEDED),
    ("verdict", "target_result"): {},
    ("verdict", "value_result"): {},
    ("verdict", "measure_verdict"): dict.fromkeys(("target", "value"), NEEDED),
    ("verdict", "rag"): {},
    ("verdict", "contract_score"): {},
    ("verdict", "payment_share"): dict.fromkeys(("tau", "floor", "full"), NEEDED),
    ("ringfence", "full_years"): {"joined_on": NEEDED, "result_year_start": NEEDED, "census": (9, 12)},
    ("ringfence", "contract_role"): dict.fromkeys(("term", "census_on", "assessed_on"), NEEDED),
    ("ringfence", "trust_role"): {},
    ("ringfence", "first_dfe_year"): {"joined_on": NEEDED},
    ("tables", "pool_trust"): {"members": NEEDED, "sigma": NEEDED, "time_weighting": "none"},
    ("inspection", "below_good"): {"inspection": NEEDED},
    ("inspection", "stuck"): {"history": NEEDED},
    ("targeting", "tier"): {},
    ("targeting", "need_rank"): {},
}
"""Parameters in their order with their defaults; none where the method leaves them open. More may follow, optional."""
RESULTS: dict[tuple[str, str], tuple[str, ...]] = {
    ("values", "parse_value"): ("state", "number", "raw"),
    ("intervals", "wilson"): ("low", "high"),
    ("effects", "difference_in_differences"): (
        *("tau", "se", "df", "t", "p_two_sided", "p_rank"),
        *("ci80", "ci90", "ci95", "lower80", "lower90", "k"),
    ),
    ("effects", "synthetic_control"): ("weights", "pre_rmspe", "gaps", "effect"),
    ("shrinkage", "reml"): ("tau2", "mean", "se", "q"),
    ("verdict", "measure_verdict"): ("status", "reasons"),
    ("tables", "pool_trust"): ("value", "low", "high", "n", "schools"),
}
ALIKE = (
    *(("intervals", each) for each in ("newcombe_difference", "progress_interval", "funnel_limits")),
    *(("shrinkage", each) for each in ("paule_mandel", "dersimonian_laird")),
)


def function(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"services.outcomes.rules.{module}"), name)


@pytest.mark.parametrize(("place", "expected"), SIGNATURES.items(), ids=".".join)
def test_parameters_are_the_methods(place: tuple[str, str], expected: dict[str, Any]) -> None:
    found = list(inspect.signature(function(*place)).parameters.values())
    assert {each.name: each.default for each in found[: len(expected)]} == expected
    assert [each.name for each in found[: len(expected)]] == list(expected)
    if expected:
        assert all(each.default is not NEEDED for each in found[len(expected) :])


@pytest.mark.parametrize(("place", "expected"), RESULTS.items(), ids=".".join)
def test_results_are_frozen_and_have_the_methods_attributes(place: tuple[str, str], expected: tuple[str, ...]) -> None:
    kind = get_type_hints(function(*place))["return"]
    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    names = [each.name for each in fields(kind)]
    assert [name for name in names if name in expected] == list(expected)


def test_what_is_alike_gives_alike_results() -> None:
    for module, name in ALIKE:
        known = next(each for each in RESULTS if each[0] == module)
        assert get_type_hints(function(module, name))["return"] == get_type_hints(function(*known))["return"]
