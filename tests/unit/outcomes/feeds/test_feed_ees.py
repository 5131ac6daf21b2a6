"""Data files of Explore Education Statistics: pairs in an archive, school rows alone, and declared figures only."""

import gzip
import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from services.outcomes.feeds import FEEDS, ees, opening, pairs
from services.outcomes.feeds.ees_metadata import metadata, with_options
from services.outcomes.feeds.pairs import pair
from services.outcomes.feeds.reading import RowRejected
from services.outcomes.feeds.records import FeedRefused, ObservationRecord, Parsed
from services.outcomes.rules.ees_versions import Bump, Change, Kind, deserved, diff
from services.outcomes.rules.values import ValueState

META = b"col_name,col_type,label,indicator_grouping,indicator_unit,indicator_dp,filter_hint,filter_grouping_column\n"
KS4 = "time_period,time_identifier,geographic_level,school_urn,breakdown_topic,breakdown,sex"
NEW = f"{KS4},pupil_count,attainment8_average,progress8_average,engmath_95_percent,engmath_94_percent,ebacc_aps_average"
OLD = f"{KS4},t_pupils,avg_att8,avg_p8score,pt_l2basics_95,pt_l2basics_94"
ROWS = (
    "202425,Academic year,National,,Total,Total,Total,600000,45.9,z,45.2,65.1,4.07",
    "202425,Academic year,School,100001,Total,Total,Total,180,51.2,x,43.9,65.0,4.1",
    "202425,Academic year,School,100001,Disadvantage,Disadvantaged,Total,40,40.1,x,25.0,40.0,3",
    "202425,Academic year,School,100001,Sex,Girls,Girls,90,52,x,44,66,4",
    "202324,academic year,School,100001,Total,Total,Total,175,50.0,-0.12,41.7,63.4,4.02",
    "202425,Academic year,School,100002,Total,Total,Total,c,c,x,low,u,:",
    "202425,Academic year,Local authority,,Total,Total,Total,3000,44,x,44,66,4",
)
DESCRIBED = META + (
    b"breakdown,Filter,Breakdown,,,,,breakdown_topic\nsex,Filter,Sex,,,,,\n"
    b"attainment8_average,Indicator,Average Attainment 8,,,1,,\nengmath_95_percent,Indicator,Grade 5,,%,1,,\n"
)


def csv(header: str, rows: Sequence[str]) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def archive(members: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", packing) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return made.getvalue()


def refusal(content: bytes, feed: str = "ees_ks4") -> FeedRefused:
    with pytest.raises(FeedRefused) as caught:
        FEEDS[feed].parse(content, None)
    return caught.value


def found(parsed: Parsed[ObservationRecord]) -> dict[tuple[int, str, int], ObservationRecord]:
    return {(each.urn, each.measure, each.academic_year): each for each in parsed.records}


def test_only_the_rows_of_schools_and_of_declared_groups_are_read() -> None:
    parsed = ees.parse_ks4(csv(NEW, ROWS), None)
    assert (parsed.layout, parsed.rows, parsed.ignored, parsed.rejections) == ("ees_ks4_202425.2", 7, 3, ())
    seen = found(parsed)
    assert seen[100001, "KS4_A8", 2024][3:] == (ValueState.OK, Decimal("51.2"), "51.2", 180)
    assert seen[100001, "KS4_A8_DIS", 2024][3:] == (ValueState.OK, Decimal("40.1"), "40.1", 40)
    assert seen[100001, "KS4_P8", 2023].number == Decimal("-0.12")
    assert seen[100001, "KS4_EM94", 2023].number == Decimal("63.4")
    assert {each.academic_year for each in parsed.records} == {2023, 2024}
    assert not FEEDS["ees_ks4"].needs_year


def test_what_stands_for_no_number_is_a_reason() -> None:
    seen = found(ees.parse_ks4(csv(NEW, ROWS), None))
    states = {measure: each.state for (urn, measure, _year), each in seen.items() if urn == 100002}
    assert states == {
        "KS4_A8": ValueState.SUPPRESSED,
        "KS4_P8": ValueState.UNAVAILABLE,
        "KS4_EM95": ValueState.ROUNDS_TO_ZERO,
        "KS4_EM94": ValueState.LOW_RELIABILITY,
        "KS4_EBACC_APS": ValueState.UNAVAILABLE,
    }
    assert all(each.number is None and each.denominator is None for (urn, *_), each in seen.items() if urn == 100002)


def test_the_layout_of_2023_24() -> None:
    row = "202324,Academic year,School,100001,Total,Total,Total,175,50.1,-0.12,41.7,63.4"
    parsed = ees.parse_ks4(csv(OLD, [row]), None)
    assert parsed.layout == "ees_ks4_202324.2"
    numbers = {each.measure: (each.number, each.denominator) for each in parsed.records}
    assert numbers == {
        "KS4_A8": (Decimal("50.1"), 175),
        "KS4_P8": (Decimal("-0.12"), 175),
        "KS4_EM95": (Decimal("41.7"), 175),
        "KS4_EM94": (Decimal("63.4"), 175),
    }


def test_the_pair_in_an_archive_gives_the_same_and_tells_how_exact_the_figures_are() -> None:
    alone = ees.parse_ks4(csv(NEW, ROWS), None)
    both = ees.parse_ks4(archive({"data/ks4.csv": csv(NEW, ROWS), "data/ks4.meta.csv": DESCRIBED}), None)
    assert (both.records, both.rejections) == (alone.records, alone.rejections)
    assert alone.decimals == {}
    assert both.decimals == {"KS4_A8": 1, "KS4_A8_DIS": 1, "KS4_EM95": 1}
    whole = [row.replace("51.2", "51").replace("50.0", "50") for row in ROWS]
    packed = archive({"ks4.csv": csv(NEW, whole), "ks4.meta.csv": DESCRIBED})
    assert ees.parse_ks4(packed, None).decimals["KS4_A8"] == 1


def test_many_values_tell_how_exact_they_are() -> None:
    rows = [
        f"202425,Academic year,School,{110000 + each},Total,Total,Total,180,4{each % 9}.{each % 10},x,{each},1,2"
        for each in range(60)
    ]
    parsed = ees.parse_ks4(csv(NEW, rows), None)
    assert parsed.decimals == {"KS4_A8": 1, "KS4_EM95": 0, "KS4_EM94": 0, "KS4_EBACC_APS": 0}


def test_key_stage_2_has_a_row_for_each_subject() -> None:
    header = (
        "time_period,time_identifier,geographic_level,school_urn,breakdown,subject,eligible_pupil_count,"
        "expected_standard_pupil_percent,higher_standard_pupil_percent,average_scaled_score,progress_measure_score"
    )
    start = "202324,Academic year,School,100001"
    rows = [
        f'{start},Total,"Reading, writing and maths",30,63,7,z,z',
        f'{start},Disadvantaged,"Reading, writing and maths",12,50,0,z,z',
        f'{start},3 year average,"Reading, writing and maths",90,60,6,z,z',
        f"{start},Total,Reading,30,73,20,105.3,1.2",
        f"{start},Total,Writing,30,70,10,z,0.4",
        f"{start},Total,Maths,30,71,21,104,-0.2",
        f"{start},Total,Science,30,80,z,z,z",
    ]
    parsed = ees.parse_ks2(csv(header, rows), None)
    assert (parsed.rows, parsed.ignored) == (7, 2)
    assert {each.measure: each.number for each in parsed.records} == {
        "KS2_RWM_EXP": 63,
        "KS2_RWM_HIGH": 7,
        "KS2_RWM_EXP_DIS": 50,
        "KS2_READ_AVG": Decimal("105.3"),
        "KS2_READ_PROG": Decimal("1.2"),
        "KS2_WRIT_PROG": Decimal("0.4"),
        "KS2_MAT_AVG": 104,
        "KS2_MAT_PROG": Decimal("-0.2"),
    }


ABSENCE = (
    "time_period,time_identifier,geographic_level,school_urn,ncyear,enrolments,sess_overall_percent,"
    "enrolments_pa_10_exact_percent"
)


def test_absence_of_a_part_of_the_pupils_or_of_the_year_is_not_that_of_a_school() -> None:
    rows = [
        "202324,Academic year,School,100001,Total,400,5.61234,14.20011",
        "202324,Academic year,School,100001,Year 4,60,4.1,9",
        "202324,Autumn and spring term,School,100001,Total,400,5.9,15",
    ]
    parsed = ees.parse_absence(csv(ABSENCE, rows), None)
    assert (parsed.rows, parsed.ignored) == (3, 2)
    assert [(each.measure, str(each.number), each.denominator) for each in parsed.records] == [
        ("ABS_OVERALL", "5.61234", 400),
        ("ABS_PA", "14.20011", 400),
    ]
    assert refusal(csv(ABSENCE, rows[1:]), "ees_absence").code == "no_school_rows"


@pytest.mark.parametrize(
    ("period", "identifier", "year"),
    [
        ("202324", "Academic year", 2023),
        ("199900", "academic year ", 1999),
        ("202223", "AcademicYear", 2022),
        ("2018", "Calendar year", None),
        ("2022", "Week 37", None),
        ("201718", "Academic year Q1", None),
        ("202021", "Financial year", None),
    ],
)
def test_time_periods(period: str, identifier: str, year: int | None) -> None:
    assert ees.academic_year(period, identifier) == year


@pytest.mark.parametrize("period", ["2023", "202325", "23/24", "", "2023245"])
def test_a_time_that_is_no_academic_year_rejects_the_row(period: str) -> None:
    with pytest.raises(RowRejected):
        ees.academic_year(period, "Academic year")
    good = ROWS[1]
    parsed = ees.parse_ks4(csv(NEW, [good, good.replace("202425", period).replace("100001", "100003")]), None)
    assert [(each.row, each.key, each.code) for each in parsed.rejections] == [(2, "100003", "bad_year")]
    assert {each.urn for each in parsed.records} == {100001}


def test_rows_that_cannot_be_used_are_named_by_their_place_in_the_file() -> None:
    rows = [
        *ROWS,
        ROWS[1],
        ROWS[1].replace("100001", "12"),
        ROWS[5].replace("100002", "100003").replace(",low,", ",n,"),
        ROWS[5].replace("100002", "100004").replace(",low,", ",462,"),
    ]
    parsed = ees.parse_ks4(csv(NEW, rows), None)
    assert [(each.row, each.code) for each in parsed.rejections] == [
        (8, "duplicate"),
        (9, "bad_urn"),
        (10, "unreadable_value"),
        (11, "impossible_value"),
    ]


def test_an_unknown_layout_is_refused_with_what_the_nearest_lacks() -> None:
    assert refusal(csv(OLD.replace(",pt_l2basics_95", ",other"), [])).missing == ("pt_l2basics_95",)
    assert refusal(csv(NEW.replace("engmath_95_percent", "x"), ROWS)).missing == ("engmath_95_percent",)


def test_a_filter_that_nobody_declared_is_refused() -> None:
    meta = DESCRIBED + b"weather,Filter,Weather,,,,,\n"
    rows = [f"{each},Rain" for each in ROWS]
    said = refusal(archive({"a.csv": csv(f"{NEW},weather", rows), "a.meta.csv": meta}))
    assert (said.code, "weather" in said.detail) == ("unknown_layout", True)
    other = refusal(archive({"a.csv": csv(NEW, ROWS), "a.meta.csv": meta}))
    assert other.missing == ("weather",)


@pytest.mark.parametrize("option", ["Male", "Boys", "Year 11", "total (girls)"])
def test_a_column_that_nothing_is_known_of_never_lets_a_part_pass_for_all(option: str) -> None:
    rows = [
        f"{each},E92000001,England,Mixed,Well above average,{number}.5,{option},x" for number, each in enumerate(ROWS)
    ]
    header = f"{NEW},country_code,country_name,egender,p8_banding,other_figure,gender,weather"
    said = refusal(csv(header, rows))
    assert (said.code, "does not know: gender. Where" in said.detail) == ("unknown_layout", True)
    partly = META + b"breakdown,Filter,Breakdown,,,,,\nattainment8_average,Indicator,Attainment 8,,,1,,\n"
    assert "gender" in refusal(archive({"a.csv": csv(header, rows), "a.meta.csv": partly})).detail
    described = partly + b"gender,Indicator,Gender as words,,,,,\n"
    alone = ees.parse_ks4(DATA, None)
    for content in (
        archive({"a.csv": csv(header, rows), "a.meta.csv": described}),
        csv(header, [each.replace(option, "Total") for each in rows]),
        csv(header, [each.replace(option, "Total") if "School" in each else each for each in rows]),
        csv(header, [each if ",Girls," in each else each.replace(option, "Total") for each in rows]),
        csv(header, [each.replace(option, '"Total\n"') for each in rows]),
    ):
        assert ees.parse_ks4(content, None).records == alone.records


def test_many_unknown_columns_are_named_in_part() -> None:
    names = [f"a{each}" for each in range(22)]
    said = refusal(csv(",".join([NEW, *names]), [",".join([each, *["word"] * 22]) for each in ROWS]))
    assert ", a19 and 2 more. Where" in said.detail


def test_rows_of_a_school_with_other_figures_are_none_of_them_taken_for_all_pupils() -> None:
    rows = [f"{each},0" for each in ROWS] + [f"{ROWS[1].replace('51.2', '47.7')},1", f"{ROWS[2]},1"]
    parsed = ees.parse_ks4(csv(f"{NEW},gender_code", rows), None)
    assert [(each.row, each.key, each.code) for each in parsed.rejections] == [
        (2, "100001", "ambiguous"),
        (8, "100001", "ambiguous"),
        (9, "100001", "duplicate"),
    ]
    assert (100001, "KS4_A8", 2024) not in found(parsed)
    assert found(parsed)[100001, "KS4_A8_DIS", 2024].number == Decimal("40.1")


DATA = csv(NEW, ROWS)
ARCHIVES: dict[str, dict[str, bytes]] = {
    "data alone": {"a.csv": DATA},
    "metadata alone": {"a.meta.csv": DESCRIBED},
    "two data files": {"a.csv": DATA, "b.csv": DATA, "a.meta.csv": DESCRIBED},
    "something else": {"a.csv": DATA, "a.meta.csv": DESCRIBED, "guidance.txt": b"read me"},
    "names that differ": {"a.csv": DATA, "b.meta.csv": DESCRIBED},
    "a data file that is none": {"a.exe": DATA, "a.meta.csv": DESCRIBED},
    "a thousand members": {f"{each}.csv": b"" for each in range(1000)},
    "metadata without columns": {"a.csv": DATA, "a.meta.csv": b"a,b\n1,2\n"},
    "metadata of another kind": {"a.csv": DATA, "a.meta.csv": META + b"sex,Thing,Sex,,,,,\n"},
    "metadata with odd places": {"a.csv": DATA, "a.meta.csv": META + b"sex,Indicator,Sex,,,many,,\n"},
    "an archive in the archive": {"a.csv": archive({"b.csv": DATA}), "a.meta.csv": DESCRIBED},
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_other_archives_are_refused(what: str) -> None:
    said = refusal(archive(ARCHIVES[what]))
    assert said.code in {"unreadable", "unknown_layout"}
    assert said.detail.endswith(".")


def test_damaged_locked_and_oddly_packed_archives_are_refused() -> None:
    good = {"a.csv": DATA, "a.meta.csv": DESCRIBED}
    packed = archive(good)
    assert refusal(packed[: len(packed) // 2]).code == "unreadable"
    assert refusal(archive(good, zipfile.ZIP_LZMA)).code == "unreadable"
    wrong = bytearray(archive(good, zipfile.ZIP_STORED))
    wrong[wrong.index(b"51.2")] ^= 1
    assert refusal(bytes(wrong)).code == "unreadable"
    locked = bytearray(packed)
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert "locked" in refusal(bytes(locked)).detail


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = archive({"a.csv": b"0" * 2_000_000, "a.meta.csv": DESCRIBED})
    assert len(bomb) < 10_000
    monkeypatch.setattr(opening, "MAX_UNPACKED", 1_000_000)
    assert "larger" in refusal(bomb).detail
    meta = archive({"a.csv": DATA, "a.meta.csv": b"0" * (pairs.MAX_METADATA + 1)})
    assert "larger" in refusal(meta).detail


def test_other_feeds_still_take_no_archive() -> None:
    packed = archive({"a.csv": DATA, "a.meta.csv": DESCRIBED})
    for feed in ("ks4", "absence", "gias_groups"):
        with pytest.raises(FeedRefused, match="zip"):
            FEEDS[feed].parse(packed, 2022)


def test_a_packed_file_alone_is_read_too() -> None:
    assert ees.parse_ks4(gzip.compress(DATA), None) == ees.parse_ks4(DATA, None)
    assert pair(DATA).metadata is None


@pytest.mark.shared_data
def test_dfe_s_own_pairs_are_described(full: Path) -> None:
    folder = full / "ees" / "small-files"
    for meta in sorted(folder.glob("*.meta.csv")):
        data = meta.with_name(meta.name.replace(".meta", ""))
        both = pair(archive({data.name: data.read_bytes(), meta.name: meta.read_bytes()}))
        assert both.metadata is not None
        assert with_options(both.data, metadata(both.metadata)).indicators
    weekly = metadata((full / "ees" / "ees_weekly_attendance.meta.csv").read_bytes())
    assert (len(weekly.filters), weekly.indicators["attendance_perc"].decimals) == (1, 1)
    assert Counter(each.unit for each in weekly.indicators.values()) == {"": 35, "%": 17}


@pytest.mark.shared_data
def test_two_versions_of_a_data_set_and_the_bump_that_they_deserve(full: Path) -> None:
    folder = full / "ees" / "versions"
    before, after = (
        with_options((folder / f"{name}.csv").read_bytes(), metadata((folder / f"{name}.meta.csv").read_bytes()))
        for name in ("absence_school", "absence_school_minor_manual")
    )
    assert deserved(diff(before, before)) is Bump.PATCH
    assert deserved(diff(before, after)) is Bump.MAJOR
    renamed = {
        "enrolments": "number_of_enrolments",
        "school_type: Total": "school_type: State-funded primary and secondary",
    }
    said = diff(before, after, renamed)
    assert (
        Change(Kind.CHANGED, "indicator", "number_of_enrolments", "label: 'Enrolments' is now 'Number of enrolments'")
        in said
    )
    assert deserved(said) is Bump.MINOR


@pytest.mark.shared_data
def test_files_without_the_columns_are_refused(full: Path) -> None:
    absence = (full / "ees" / "versions" / "absence_school.csv").read_bytes()
    assert refusal(absence, "ees_absence").missing == ("sess_overall_percent", "enrolments_pa_10_exact_percent")
    schools = (full / "performance" / "ees" / "202324_information_about_schools_final.csv.gz").read_bytes()
    assert refusal(schools).missing == ("breakdown", "avg_att8", "pt_l2basics_95", "pt_l2basics_94")
    assert refusal((full / "ees" / "ees_weekly_attendance.csv.gz").read_bytes(), "ees_absence").code == "unknown_layout"
