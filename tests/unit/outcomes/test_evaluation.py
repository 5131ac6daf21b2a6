from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import pytest

from services.outcomes.rules.agreement import Agreed, Missing, Run, TargetMode
from services.outcomes.rules.evaluation import ContractResult, MeasureResult, conclude
from services.outcomes.rules.gathering import Gathered, Question, gather
from services.outcomes.rules.inspection import Concern, Inspection, framework_on
from services.outcomes.rules.matching import NO_MATCH
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.ringfence import Term
from services.outcomes.rules.series import Pooled, Reading
from services.outcomes.rules.values import ValueState
from services.outcomes.rules.verdict import AddedValue, MeasureStatus, Target
from tests.unit.outcomes.schools_alike import INTAKE, Intake, One, population, readings, results, school, schools

SCHOOL = school(999_999, 40.0, 28.0)
OWN = readings(SCHOOL)
BASELINE = Pooled(40.0, 1800, (2021, 2022), ("r",))
TERM = Term(date(2023, 9, 1), date(2024, 8, 31))
QUESTION = Question("77", TERM, 2023, Run.FINAL)
AGREED = Agreed("O1", MEASURES["ABS_PA"], 0.5, False, TargetMode.ABSOLUTE, 32.0, BASELINE)
OTHERS = schools(100, start=20.0, step=0.3)
Own = Mapping[int, Reading]


def gathered(
    agreed: Agreed = AGREED,
    own: Own = OWN,
    others: Sequence[One] = OTHERS,
    *,
    question: Question = QUESTION,
    intake: Intake = INTAKE,
) -> Gathered:
    rows = [*others, SCHOOL]
    return gather(question, agreed, len(others), own, population(rows), results(rows), intake)


def judge(question: Question, *outcomes: tuple[Agreed, Own, Sequence[One]]) -> ContractResult:
    return conclude(question, [(each[0], gathered(*each, question=question)) for each in outcomes])


def judge_measure(question: Question, agreed: Agreed, own: Own, others: Sequence[One]) -> MeasureResult:
    return judge(question, (agreed, own, others)).measures[0]


def at_stage(own: Own, stage: Stage) -> Own:
    return {year: replace(each, stage=stage) for year, each in own.items()}


def with_last(own: Own, state: ValueState, value: float | None, n: int | None) -> Own:
    return {**own, 2023: Reading(2023, state, value, n, False, "r", Stage.FINAL)}


def test_target_reached_and_better_than_matched_schools_is_met() -> None:
    found = judge_measure(QUESTION, AGREED, OWN, OTHERS)
    assert (found.status, found.target_result, found.value_result) == (
        MeasureStatus.MET,
        Target.REACHED,
        AddedValue.POSITIVE,
    )
    assert found.effect is not None
    assert found.effect.tau == pytest.approx(-11.0)
    assert (found.target, found.stage) == (32.0, Stage.FINAL)
    assert "single_year" in found.flags


def test_a_target_may_be_a_change_from_the_baseline() -> None:
    agreed = replace(AGREED, mode=TargetMode.CHANGE, target=-14.0)
    found = judge_measure(QUESTION, agreed, OWN, OTHERS)
    assert (found.target, found.target_result) == (
        26.0,
        Target.CLOSE if found.target_result is Target.CLOSE else Target.MISSED,
    )
    assert found.status is MeasureStatus.PARTLY_MET


@pytest.mark.parametrize(
    ("code", "value", "n", "half", "target", "result", "shown"),
    [
        ("KS4_EM95", 57.6, 180, 0.05, 58.0, Target.CLOSE, 0.05),
        ("KS4_EM95", 57.96, 180, 0.05, 58.0, Target.REACHED, 0.05),
        ("KS4_EM95", 100 * 19 / 33, 33, None, 58.0, Target.REACHED, 0.5),
        ("KS4_EM95", 58.0, 150, None, 58.6, Target.CLOSE, 0.5),
        ("ABS_PA", 32.0, 759, 0.05, 31.96, Target.REACHED, 0.05),
        ("ABS_PA", 32.0, 759, 0.05, 31.94, Target.CLOSE, 0.05),
        ("ABS_PA", 32.0, 759, None, 31.96, Target.CLOSE, 0.000005),
    ],
)
def test_a_target_is_reached_as_far_as_the_release_that_has_the_figure_tells(
    code: str, value: float, n: int, half: float | None, target: float, result: Target, shown: float
) -> None:
    agreed = replace(AGREED, measure=MEASURES[code], target=target)
    own = with_last(OWN, ValueState.OK, value, n)
    found = judge_measure(QUESTION, agreed, {**own, 2023: replace(own[2023], published_half_width=half)}, OTHERS)
    assert (found.target_result, found.rounding_half_width) == (result, shown)


def test_doing_what_all_schools_did_is_no_added_value() -> None:
    ordinary = with_last(OWN, ValueState.OK, 39.0, 900)
    found = judge_measure(QUESTION, replace(AGREED, target=39.5), ordinary, OTHERS)
    assert (found.status, found.reasons) == (MeasureStatus.PARTLY_MET, ("target_met_value_unproven",))


def test_without_comparators_nothing_is_proven() -> None:
    found = judge_measure(QUESTION, AGREED, OWN, OTHERS[:1])
    assert (found.value_result, found.reasons) == (AddedValue.NOT_AVAILABLE, ("no_comparator",))
    assert "no_comparators" in found.flags


def test_a_single_comparator_shows_but_proves_nothing() -> None:
    near = [school(100_001, 40.0, 39.0), school(100_002, 60.0, 59.0)]
    found = judge_measure(QUESTION, AGREED, OWN, near)
    assert found.match is not None
    assert (len(found.match.comparators), found.effect) == (1, None)


@pytest.mark.parametrize(
    ("state", "value", "n", "reason"),
    [
        (ValueState.SUPPRESSED, None, None, Missing.SUPPRESSED),
        (ValueState.LOW_COVERAGE, None, None, Missing.LOW_COVERAGE),
        (ValueState.NO_ENTRIES, None, None, Missing.NO_ENTRIES),
        (ValueState.NOT_PUBLISHED, None, 900, Missing.NOT_PUBLISHED),
        (ValueState.NOT_APPLICABLE, None, None, Missing.NOT_APPLICABLE),
        (ValueState.UNAVAILABLE, None, 900, Missing.UNAVAILABLE),
        (ValueState.ROUNDS_TO_ZERO, None, 900, Missing.ROUNDS_TO_ZERO),
        (ValueState.LOW_RELIABILITY, None, 900, Missing.LOW_RELIABILITY),
        (ValueState.NOT_PRODUCED, None, None, Missing.NOT_PRODUCED),
        (ValueState.MISSING, None, None, Missing.MISSING),
        (ValueState.UNREADABLE, None, None, Missing.UNREADABLE),
        (ValueState.OK, 28.0, None, Missing.PUPILS_NOT_KNOWN),
        (ValueState.OK, 28.0, 5, Missing.SUPPRESSED),
        (ValueState.OK, 28.0, 10, Missing.N_TOO_SMALL),
    ],
)
def test_what_cannot_be_judged_is_never_a_fail(
    state: ValueState, value: float | None, n: int | None, reason: Missing
) -> None:
    found = judge_measure(QUESTION, AGREED, with_last(OWN, state, value, n), OTHERS)
    assert (found.status, found.reasons) == (MeasureStatus.NOT_MEASURABLE, (reason,))


def test_a_small_cohort_is_flagged_and_weighs_half() -> None:
    small = with_last(OWN, ValueState.OK, 28.0, 29)
    found = judge(QUESTION, (AGREED, small, OTHERS), (replace(AGREED, code="O2"), OWN, OTHERS))
    assert "low_reliability" in found.flags
    assert found.score.coverage == 1.0


def test_a_year_that_no_release_has_is_not_produced() -> None:
    found = judge_measure(QUESTION, AGREED, {}, OTHERS)
    assert found.reasons == (Missing.NOT_PRODUCED,)
    assert found.stage is None


def test_a_year_outside_the_term_is_nobodys() -> None:
    found = judge_measure(replace(QUESTION, year=2024), AGREED, OWN, OTHERS)
    assert found.reasons == (Missing.NO_ACCOUNTABLE_SERIES,)


def test_provisional_data_serve_an_interim_run_only() -> None:
    early = at_stage(OWN, Stage.PROVISIONAL)
    assert judge_measure(QUESTION, AGREED, early, OTHERS).reasons == (Missing.PROVISIONAL_ONLY,)
    assert judge_measure(replace(QUESTION, run=Run.INTERIM), AGREED, early, OTHERS).status is MeasureStatus.MET


def test_without_a_baseline_nothing_is_judged() -> None:
    found = judge_measure(QUESTION, replace(AGREED, baseline=None), OWN, OTHERS)
    assert found.reasons == (Missing.NO_BASELINE,)


def test_readers_are_told_of_proxies_gaps_and_restated_baselines() -> None:
    proxies = {year: replace(each, n_is_proxy=True) for year, each in OWN.items()}
    gap = replace(AGREED, baseline=Pooled(41.0, 1800, (2018, 2021), ("r",)))
    flags = judge_measure(QUESTION, gap, proxies, OTHERS).flags
    assert {"denominator_proxy", "baseline_gap", "baseline_restated"} <= set(flags)


def test_the_least_settled_result_decides_how_settled_the_verdict_is() -> None:
    revised = at_stage(OWN, Stage.REVISED)
    found = judge(QUESTION, (AGREED, OWN, OTHERS), (replace(AGREED, code="O2"), revised, OTHERS))
    assert (found.stage, found.score.overall, found.score.score) == (Stage.REVISED, MeasureStatus.MET, 1.0)


def test_a_critical_outcome_not_met_is_named() -> None:
    failed = with_last(OWN, ValueState.OK, 45.0, 900)
    critical = replace(AGREED, critical=True)
    found = judge(QUESTION, (critical, failed, OTHERS))
    assert (found.critical_not_met, found.score.overall) == (("O1",), MeasureStatus.NOT_MET)


def test_the_first_of_several_years_is_not_judged_by_itself() -> None:
    """METHOD.md 3.1: an interim look at it is marked; a contract that has no other year is judged by that one."""
    longer = replace(QUESTION, term=Term(date(2023, 9, 1), date(2025, 8, 31)))
    alone = judge_measure(longer, AGREED, OWN, OTHERS)
    assert (alone.status, alone.reasons) == (MeasureStatus.NOT_MEASURABLE, (Missing.FIRST_YEAR_ALONE,))
    early = judge_measure(replace(longer, run=Run.INTERIM), AGREED, OWN, OTHERS)
    assert (early.status, "single_year" in early.flags) == (MeasureStatus.MET, True)
    cut_short = replace(QUESTION, term=Term(date(2023, 9, 1), date(2025, 3, 31)))
    assert judge_measure(cut_short, AGREED, OWN, OTHERS).status is MeasureStatus.MET
    later = replace(QUESTION, term=Term(date(2022, 9, 1), date(2025, 8, 31)))
    assert judge_measure(later, AGREED, OWN, OTHERS).status is not MeasureStatus.NOT_MEASURABLE


def test_two_full_years_are_pooled() -> None:
    term = Term(date(2022, 9, 1), date(2024, 8, 31))
    first = replace(AGREED, baseline=Pooled(40.0, 900, (2021,), ("r",)))
    found = judge_measure(replace(QUESTION, term=term), first, OWN, OTHERS)
    assert found.actual is not None
    assert found.actual.years == (2022, 2023)
    assert "single_year" not in found.flags


def test_a_target_may_stand_on_what_matched_schools_do() -> None:
    agreed = replace(AGREED, mode=TargetMode.RELATIVE, target=-5.0)
    found = judge_measure(QUESTION, agreed, OWN, OTHERS)
    assert found.target == pytest.approx(40.0 - 1.0 - 5.0)
    assert found.status is MeasureStatus.MET


def test_a_target_may_be_a_place_among_matched_schools_in_the_better_direction() -> None:
    found = judge_measure(QUESTION, replace(AGREED, mode=TargetMode.PERCENTILE, target=75), OWN, OTHERS)
    assert found.match is not None
    outcomes = sorted(each.outcome for each in found.match.comparators)
    assert found.target is not None
    assert sum(each >= found.target for each in outcomes) / len(outcomes) == pytest.approx(0.75, abs=0.05)
    score = replace(AGREED, measure=MEASURES["KS4_A8"], mode=TargetMode.PERCENTILE, target=75)
    better = judge_measure(replace(QUESTION, year=2023), score, OWN, OTHERS)
    assert better.target is not None
    assert sum(each <= better.target for each in outcomes) / len(outcomes) == pytest.approx(0.75, abs=0.05)


@pytest.mark.parametrize("mode", [TargetMode.RELATIVE, TargetMode.PERCENTILE])
def test_too_few_others_are_no_target(mode: TargetMode) -> None:
    found = judge_measure(QUESTION, replace(AGREED, mode=mode), OWN, OTHERS[:3])
    assert (found.status, found.reasons) == (MeasureStatus.NOT_MEASURABLE, (Missing.NO_COMPARATORS,))


def test_comparators_that_were_fixed_are_those_and_no_others() -> None:
    first = judge_measure(QUESTION, AGREED, OWN, OTHERS)
    assert first.match is not None
    listed = tuple(each.urn for each in first.match.comparators)[::-1]
    fixed = judge_measure(QUESTION, replace(AGREED, comparators=listed), OWN, OTHERS)
    assert fixed.match is not None
    assert tuple(each.urn for each in fixed.match.comparators) == listed
    assert first.effect is not None
    assert fixed.effect is not None
    assert fixed.effect.tau == pytest.approx(first.effect.tau)
    assert "comparators_lost" not in fixed.flags


def test_comparators_that_were_lost_are_not_replaced() -> None:
    listed = tuple(each.urn for each in OTHERS[40:90])
    gone = {*listed[:11]}
    others = [each if each.urn not in gone else replace(each, values={}) for each in OTHERS]
    found = judge_measure(QUESTION, replace(AGREED, comparators=listed), OWN, others)
    assert found.match is not None
    assert {each.urn for each in found.match.comparators} == set(listed) - gone
    assert "comparators_lost" in found.flags
    nobody = judge_measure(QUESTION, replace(AGREED, comparators=()), OWN, OTHERS)
    assert (nobody.match, nobody.effect) == (NO_MATCH, None)


@pytest.mark.parametrize("mode", TargetMode)
@pytest.mark.parametrize("run", Run)
def test_what_was_gathered_is_enough_to_conclude(mode: TargetMode, run: Run) -> None:
    question, agreed = replace(QUESTION, run=run), replace(AGREED, mode=mode, target=60.0)
    evidence = gathered(agreed, question=question)
    assert conclude(question, [(agreed, evidence)]) == conclude(question, [(agreed, replace(evidence))])


def test_an_intake_that_is_another_lets_nobody_say_met() -> None:
    rows = [replace(each, intake=(30.0 + at % 10, *INTAKE[1:])) for at, each in enumerate(OTHERS)]
    evidence = gathered(others=rows, intake=(20.0, *INTAKE[1:]))
    found = conclude(QUESTION, [(AGREED, evidence)]).measures[0]
    assert (found.status, found.reasons[0]) == (MeasureStatus.NOT_MEASURABLE, Missing.COHORT_SHIFT)
    assert {"cohort_shift", "cohort_shift:CENSUS_FSM"} <= set(found.flags)
    missed = conclude(QUESTION, [(replace(AGREED, target=10.0), evidence)]).measures[0]
    assert missed.status is MeasureStatus.PARTLY_MET
    assert "cohort_shift" in missed.flags


def test_an_intake_that_is_not_known_now_or_then_has_not_shifted() -> None:
    rows = [replace(each, intake=(30.0 + at % 10, *INTAKE[1:])) for at, each in enumerate(OTHERS)]
    assert gathered(others=rows, intake=(None,) * 5).shifts == {}
    assert gathered(others=rows).shifts == {"CENSUS_FSM": 0.0}


def test_a_measure_that_was_defined_anew_is_not_compared_over_the_break() -> None:
    score = replace(AGREED, measure=MEASURES["KS4_P8"], baseline=Pooled(-0.5, 300, (2015, 2016), ("r",)))
    assert judge_measure(QUESTION, score, OWN, OTHERS).reasons == (Missing.VERSION_BREAK,)


def test_a_school_that_drifted_before_the_term_is_flagged() -> None:
    rows = [replace(each, values={**each.values, 2021: each.values[2022] + at % 3}) for at, each in enumerate(OTHERS)]  # type: ignore[operator]
    drifted = {**OWN, 2021: replace(OWN[2021], value=60.0)}
    found = judge_measure(QUESTION, AGREED, drifted, rows)
    assert found.pre_trend is not None
    assert found.pre_trend < -1.96
    assert "pre_trend" in found.flags
    steady = judge_measure(QUESTION, AGREED, OWN, rows)
    assert steady.pre_trend is not None
    assert "pre_trend" not in steady.flags


def test_an_effect_is_also_told_in_deviations_between_pupils() -> None:
    found = judge_measure(QUESTION, AGREED, OWN, OTHERS)
    assert found.effect_size == pytest.approx(-11.0 / (100 * (0.4 * 0.6) ** 0.5))


@pytest.mark.parametrize(("after", "rating"), [(48.0, "Inadequate"), (41.0, "Requires improvement")])
def test_what_is_surely_worse_than_before_and_than_elsewhere_is_inadequate(after: float, rating: str) -> None:
    worse = with_last(OWN, ValueState.OK, after, 900)
    found = judge(QUESTION, (AGREED, worse, OTHERS))
    assert found.measures[0].value_result is AddedValue.NEGATIVE
    assert (found.score.overall, found.score.kpi_rating) == (MeasureStatus.NOT_MET, rating)


@pytest.mark.parametrize(
    ("started_on", "vetoes", "concern"),
    [
        (date(2023, 8, 31), (), Concern.SPECIAL_MEASURES),
        (date(2023, 9, 1), ("special_measures",), Concern.SPECIAL_MEASURES),
        (date(2024, 8, 31), ("special_measures",), Concern.SPECIAL_MEASURES),
        (date(2024, 9, 1), (), None),
    ],
)
def test_only_inspections_that_started_in_the_term_are_held_against_the_supplier(
    started_on: date, vetoes: tuple[str, ...], concern: Concern | None
) -> None:
    inspection = Inspection(999_999, started_on, framework_on(started_on), Concern.SPECIAL_MEASURES)
    found = conclude(QUESTION, [(AGREED, gathered())], [inspection])
    assert (found.score.vetoes, found.standing.concern) == (vetoes, concern)
    assert found.score.overall is (MeasureStatus.NOT_MET if vetoes else MeasureStatus.MET)


def test_a_contract_that_leaves_the_disadvantaged_behind_is_partly_met_at_best() -> None:
    apart = replace(AGREED, code="O2", measure=MEASURES["KS2_RWM_EXP_DIS"], weight=0.01)
    found = judge(QUESTION, (AGREED, OWN, OTHERS), (apart, with_last(OWN, ValueState.OK, 20.0, 900), OTHERS))
    assert found.measures[1].value_result is AddedValue.NEGATIVE
    assert found.score.score is not None
    assert found.score.score > 0.9
    assert (found.score.overall, found.score.vetoes) == (
        MeasureStatus.PARTLY_MET,
        ("disadvantaged_pupils_fell_behind",),
    )
