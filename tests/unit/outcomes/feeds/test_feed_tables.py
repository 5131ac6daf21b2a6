"""The feeds of observations: values, the reasons for those that are missing, denominators and years."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest

from services.outcomes.feeds import FEEDS, absence, census, key_stages
from services.outcomes.feeds.records import FeedRefused, ObservationRecord, Parsed
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.values import ValueState

Sample = Callable[[str], bytes]
Found = dict[tuple[int, str], ObservationRecord]


def in_year(parsed: Parsed[ObservationRecord], year: int) -> Found:
    return {(each.urn, each.measure): each for each in parsed.records if each.academic_year == year}


def states(parsed: Parsed[ObservationRecord], measure: str) -> dict[str, int]:
    return dict(Counter(each.state.value for each in parsed.records if each.measure == measure))


def sound(parsed: Parsed[ObservationRecord]) -> bool:
    """A number exactly where the state is OK, and no measure outside the catalogue."""
    return all(
        (each.number is not None) == (each.state is ValueState.OK) and each.measure in MEASURES
        for each in parsed.records
    )


def test_absence_of_two_years(sample: Sample) -> None:
    parsed = absence.parse(sample("absence_2022-23.json.gz"), 2022)
    assert (parsed.layout, parsed.rows, parsed.ignored, len(parsed.records)) == ("served", 1608, 0, 6432)
    assert sound(parsed)
    now, before = in_year(parsed, 2022), in_year(parsed, 2021)
    assert (now[100055, "ABS_OVERALL"].number, now[100055, "ABS_PA"].number) == (
        Decimal("7.61214"),
        Decimal("20.76503"),
    )
    assert before[100055, "ABS_OVERALL"].number == Decimal("7.63855")
    assert before[100055, "ABS_PA"].number == Decimal("23.2267")
    assert len(now) == len(before) == 3216


def test_absence_of_one_year_keeps_what_is_missing_as_missing(sample: Sample) -> None:
    parsed = absence.parse(sample("absence_2023-24.json.gz"), 2023)
    assert {each.academic_year for each in parsed.records} == {2023}
    assert states(parsed, "ABS_OVERALL") == {"ok": 1598, "missing": 10}
    gone = in_year(parsed, 2023)[100747, "ABS_PA"]
    assert (gone.state, gone.number, gone.raw) == (ValueState.MISSING, None, "")


def test_absence_table_leaves_out_national_rows() -> None:
    rows = b"LA,ESTAB,URN,PERCTOT,PPERSABS10\n201,3614,100000,5.2,SUPP\nNAT,PRI,,5.9,16.2\n"
    parsed = absence.parse(rows, 2022)
    assert (parsed.rows, parsed.ignored, parsed.rejections) == (2, 1, ())
    suppressed = in_year(parsed, 2022)[100000, "ABS_PA"]
    assert (suppressed.state, suppressed.number, suppressed.raw) == (ValueState.SUPPRESSED, None, "SUPP")


def test_census_of_the_sample(sample: Sample) -> None:
    parsed = census.parse(sample("census_2022-23.csv.gz"), 2022)
    assert (parsed.rows, parsed.ignored, len(parsed.records), parsed.rejections) == (1611, 3, 8040, ())
    assert sound(parsed)
    found = in_year(parsed, 2022)
    assert found[100055, "CENSUS_NOR"].number == 832
    assert found[100055, "CENSUS_FSM"].number == Decimal("56.9")
    assert found[100055, "CENSUS_EAL"].number == Decimal("51.7")
    assert found[100055, "CENSUS_SEN_SUPPORT"].number == Decimal("11.2")
    assert found[100055, "CENSUS_EHCP"].number == Decimal("2.9")
    assert found[100055, "CENSUS_FSM"].raw == "56.9%"


def test_free_school_meals_are_a_share_of_those_they_count_for(sample: Sample) -> None:
    found = in_year(census.parse(sample("census_2022-23.csv.gz"), 2022), 2022)
    assert (found[100055, "CENSUS_FSM"].denominator, found[100055, "CENSUS_EAL"].denominator) == (706, 832)


def test_census_without_signs_of_percent_and_with_na() -> None:
    header = b"URN,LA,ESTAB,NOR,PSENELSE,PSENELK,PNUMEAL,PNUMFSMEVER\n"
    rows = b"100000,201,3614,285,1.8,17.5,49.5,16.2\n100001,201,6005,752,0,7.7,NA,NA\nNAT,,,1,1,1,1,1\n"
    parsed = census.parse(header + rows, 2018)
    found = in_year(parsed, 2018)
    assert (parsed.ignored, parsed.rejections) == (1, ())
    assert (found[100000, "CENSUS_FSM"].number, found[100000, "CENSUS_FSM"].denominator) == (Decimal("16.2"), None)
    assert found[100001, "CENSUS_EHCP"].number == 0
    assert (found[100001, "CENSUS_EAL"].state, found[100001, "CENSUS_EAL"].number) == (ValueState.NOT_APPLICABLE, None)


def test_key_stage_2_of_the_sample(sample: Sample) -> None:
    parsed = key_stages.parse_ks2(sample("ks2_2018-19.csv.gz"), 2018)
    assert (parsed.rows, parsed.ignored, len(parsed.records), parsed.rejections) == (242, 3, 239 * 8, ())
    assert sound(parsed)
    found = in_year(parsed, 2018)
    first = {measure: found[138226, measure] for measure in MEASURES if measure.startswith("KS2")}
    assert {measure: str(each.number) for measure, each in first.items()} == {
        "KS2_RWM_EXP": "83",
        "KS2_RWM_HIGH": "17",
        "KS2_READ_AVG": "109",
        "KS2_MAT_AVG": "108",
        "KS2_READ_PROG": "1.2",
        "KS2_WRIT_PROG": "-1.2",
        "KS2_MAT_PROG": "0.3",
        "KS2_RWM_EXP_DIS": "None",
    }
    assert first["KS2_RWM_EXP_DIS"].state is ValueState.SUPPRESSED
    assert {measure: each.denominator for measure, each in first.items() if each.denominator != 23} == {
        **dict.fromkeys(("KS2_READ_PROG", "KS2_WRIT_PROG", "KS2_MAT_PROG"), 22),
        "KS2_RWM_EXP_DIS": 2,
    }


def test_key_stage_2_keeps_reasons(sample: Sample) -> None:
    parsed = key_stages.parse_ks2(sample("ks2_2018-19.csv.gz"), 2018)
    assert states(parsed, "KS2_RWM_EXP") == {"ok": 224, "suppressed": 3, "missing": 12}
    found = in_year(parsed, 2018)
    suppressed, short = found[138766, "KS2_RWM_EXP"], found[139557, "KS2_RWM_EXP"]
    assert (suppressed.state, suppressed.raw, suppressed.denominator) == (ValueState.SUPPRESSED, "SUPP", 3)
    assert (short.state, short.number, short.denominator) == (ValueState.MISSING, None, None)


def test_key_stage_4_of_the_sample(sample: Sample) -> None:
    parsed = key_stages.parse_ks4(sample("ks4_2018-19.csv.gz"), 2018)
    assert (parsed.rows, parsed.ignored, len(parsed.records), parsed.rejections) == (133, 3, 130 * 8, ())
    assert sound(parsed)
    found = in_year(parsed, 2018)
    first = {measure: found[139948, measure] for measure in MEASURES if measure.startswith("KS4")}
    assert {measure: (str(each.number), each.denominator) for measure, each in first.items()} == {
        "KS4_A8": ("46", 129),
        "KS4_P8": ("0.22", 116),
        "KS4_EM95": ("34", 129),
        "KS4_EM94": ("63", 129),
        "KS4_EBACC_APS": ("3.81", 129),
        "KS4_EBACC_ENTRY": ("23", 129),
        "KS4_A8_DIS": ("37.5", 30),
        "KS4_P8_DIS": ("-0.13", 29),
    }


def test_key_stage_4_keeps_reasons_and_real_zeros(sample: Sample) -> None:
    parsed = key_stages.parse_ks4(sample("ks4_2018-19.csv.gz"), 2018)
    expected = {"ok": 64, "not_published": 47, "suppressed": 8, "no_entries": 7, "missing": 4}
    assert states(parsed, "KS4_P8") == expected
    found = in_year(parsed, 2018)
    assert (found[125321, "KS4_EM95"].state, found[125321, "KS4_EM95"].number) == (ValueState.OK, Decimal(0))
    assert (found[125452, "KS4_A8"].state, found[125452, "KS4_A8"].raw) == (ValueState.NO_ENTRIES, "NE")
    assert (found[145169, "KS4_A8"].state, found[145169, "KS4_P8"].state) == (
        ValueState.SUPPRESSED,
        ValueState.NOT_PUBLISHED,
    )


@pytest.mark.parametrize("year", [2016, 2017, 2019, 2022])
@pytest.mark.parametrize("stage", ["ks2", "ks4"])
def test_table_of_another_year_is_refused(year: int, stage: str, sample: Sample) -> None:
    parse = {"ks2": key_stages.parse_ks2, "ks4": key_stages.parse_ks4}[stage]
    with pytest.raises(FeedRefused, match="2018/19") as caught:
        parse(sample(f"{stage}_2018-19.csv.gz"), year)
    assert caught.value.code == "wrong_year"


@pytest.mark.parametrize(
    ("columns", "year", "fitting"),
    [
        ("", 2015, True),
        (",ATT8SCR_22,ATT8SCR_21", 2022, True),
        (",ATT8SCR_22", 2023, False),
        (",ATT8SCR_19", 2021, True),
        (",ATT8SCR_22", 2021, False),
        (",PT5EM_94_17,ATT8SCR_16", 2016, True),
    ],
)
def test_which_years_a_table_fits(columns: str, year: int, fitting: bool) -> None:
    content = f"RECTYPE,URN,TPUP,ATT8SCR{columns}\n1,100000,99,50.1\n".encode()
    if fitting:
        assert key_stages.parse_ks4(content, year).records[0].number == Decimal("50.1")
        return
    with pytest.raises(FeedRefused) as caught:
        key_stages.parse_ks4(content, year)
    assert caught.value.code == "wrong_year"


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (("2017", "2017.0"), None),
        (("2017", ""), None),
        (("2016", "2017"), "sent as 2016/17, but its rows say that their year ends in 2016 and in 2017"),
        (("2017", " 2016 "), "ends in 2016 and in 2017"),
        (("2016", "2016"), "ends in 2016"),
        (("2017", "9" * 5_000), f"ends in 2017 and in {'9' * 60}"),
    ],
)
def test_a_trimmed_table_is_of_one_year(ends: tuple[str, str], words: str | None) -> None:
    rows = "".join(f"{100000 + at},{year},20,89,20\n" for at, year in enumerate(ends))
    content = f"urn,academic_year,ks2_pupils,overall_meet_std,overall_exceed_std\n{rows}".encode()
    if words is None:
        assert {each.academic_year for each in key_stages.parse_ks2(content, 2016).records} == {2016}
        return
    with pytest.raises(FeedRefused, match=rf"{words}\.$") as caught:
        key_stages.parse_ks2(content, 2016)
    assert caught.value.code == "wrong_year"


def test_a_measure_that_the_layout_lacks_gives_no_observation() -> None:
    parsed = key_stages.parse_ks4(b"RECTYPE,URN,TPUP,ATT8SCR\n1,100000,99,LOWCOV\n", 2016)
    assert [(each.measure, each.state) for each in parsed.records] == [("KS4_A8", ValueState.LOW_COVERAGE)]


def test_the_year_must_be_given(sample: Sample) -> None:
    with pytest.raises(ValueError, match="academic year"):
        census.parse(sample("census_2022-23.csv.gz"), None)


def test_key_stage_4_as_dfes_products_pass_it_on_has_three_years_a_school() -> None:
    school = {"id": 105574, "Attainment8_Tot_Est_Current_Num": 46.4, "EngMaths59_Tot_Est_Current_Pct": 47.7}
    school |= {"Attainment8_Tot_Est_Previous_Num": 46.2, "Prog8_Tot_Est_Previous_Num": -0.07}
    school |= {"Attainment8_Tot_Est_Previous2_Num": 42.1, "EngMaths59_Tot_Est_Previous2_Num": 35.0}
    parsed = key_stages.parse_ks4(b"\xef\xbb\xbf" + json.dumps([school, {**school, "id": None}]).encode(), 2024)
    assert (parsed.layout, [each.code for each in parsed.rejections]) == ("ks4_served", ["bad_urn"])
    found = {(each.measure, each.academic_year): str(each.number) for each in parsed.records}
    assert found == {
        ("KS4_A8", 2024): "46.4",
        ("KS4_EM95", 2024): "47.7",
        ("KS4_A8", 2023): "46.2",
        ("KS4_P8", 2023): "-0.07",
        ("KS4_A8", 2022): "42.1",
    }
    assert {each.denominator for each in parsed.records} == {None}


@pytest.mark.parametrize("share", [0.7, 1.0])
@pytest.mark.parametrize(
    ("feed", "name", "year"),
    [
        ("ks4", "ks4_2018-19.csv.gz", 2018),
        ("ks2", "ks2_2018-19.csv.gz", 2018),
        ("census", "census_2022-23.csv.gz", 2022),
    ],
)
def test_a_table_that_breaks_off_at_the_end_of_a_line_is_refused(
    sample: Sample, feed: str, name: str, year: int, share: float
) -> None:
    lines = gzip.decompress(sample(name)).splitlines(keepends=True)
    schools = lines[:-3]
    assert FEEDS[feed].parse(b"".join(lines), year).records
    with pytest.raises(FeedRefused, match="none of England") as refused:
        FEEDS[feed].parse(b"".join(schools[: int(len(schools) * share)]), year)
    assert refused.value.code == "truncated"


def test_a_table_of_absence_that_breaks_off_is_refused_and_an_extract_of_it_is_read() -> None:
    head, england = "LA,ESTAB,URN,PERCTOT,PPERSABS10", "NAT,PRI,,5.9,16.2"
    rows = [f"201,{3000 + each},{100000 + each},5.2,9.8" for each in range(1000)]
    whole, cut, extract = (
        "\n".join(each).encode() for each in ([head, *rows, england], [head, *rows], [head, *rows[1:]])
    )
    assert (len(absence.parse(whole, 2022).records), len(absence.parse(extract, 2022).records)) == (2000, 1998)
    with pytest.raises(FeedRefused, match="1000 rows of schools and none of England"):
        absence.parse(cut, 2022)
