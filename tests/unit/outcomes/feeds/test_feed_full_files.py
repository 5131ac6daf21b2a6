"""The feeds on DfE's full files, and the sample cut from them again. Skipped where these are not at hand."""

import csv
import gzip
import importlib.util
from collections import Counter
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

from services.outcomes.feeds import FEEDS
from services.outcomes.feeds.records import FeedRefused
from services.outcomes.rules.grades import Area
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.series import Pooled, interval

ROOT = Path(__file__).parents[4]
pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not (ROOT.parent / "shared" / "data").is_dir(), reason="DfE's full files are not at hand"),
]


@pytest.mark.parametrize(
    ("feed", "path", "year", "rows", "ignored", "records"),
    [
        ("gias_groups", "gias/allgroupsdata_202203.csv.gz", None, 6883, 3287, 3596),
        ("gias_groups", "gias/EstablishmentGroups_202603.json.gz", None, 7167, 3488, 3679),
        ("gias_links", "gias/links_edubasealldata_2021.csv.gz", None, 29817, 0, 29817),
        ("gias_links", "gias/links_edubasealldata20230421.csv.gz", None, 31274, 0, 31274),
        ("gias_links", "gias/EstablishmentLinks_202603.json", None, 1399, 0, 1399),
        ("gias_links", "gias/links_edubasealldata20240717.csv.gz", None, 32825, 0, 32825),
        ("gias_links", "finance/anonymised/gias_links.csv", None, 32359, 32299, 60),
        ("gias_establishments", "gias/Establishment_202603.json.gz", None, 1608, 0, 1608),
        ("gias_establishments", "gias/establishments_2025_full_header_sample.csv", None, 3, 0, 3),
        ("gias_establishments", "finance/anonymised/gias.csv", None, 60, 0, 60),
        ("gias_establishments", "gias/2021_936_gias.csv", None, 590, 70, 520),
        ("gias_establishments", "gias/20220419_850_936_gias.csv.gz", None, 728, 0, 728),
        ("ks2", "performance/derived/ks2_perf_2016.csv.gz", 2015, 16162, 0, 16162 * 7),
        ("ks2", "performance/derived/ks2_perf_2017.csv.gz", 2016, 16313, 0, 16313 * 7),
        ("ks2", "performance/derived/2018-2019_england_ks2final_subset.csv.gz", 2018, 16355, 0, 16355 * 3),
        ("ks4", "performance/derived/ks4_perf_2016.csv", 2015, 5335, 0, 5335 * 2),
        ("ks4", "performance/derived/ks4_perf_2017.csv", 2016, 5399, 0, 5399 * 2),
        ("ks4", "performance/derived/2018-2019_england_ks4final_subset.csv.gz", 2018, 5516, 0, 5516 * 5),
        ("ks4", "performance/derived/2022-2023_england_secondary_filtered.csv.gz", 2022, 3056, 0, 3056 * 2),
        ("ks4", "performance/derived/EstablishmentPerformance_202512.json.gz", 2024, 93, 0, 93 * 12),
        ("absence", "performance/absence/2022-2023_england_abs.csv", 2022, 21284, 3, 21281 * 2),
        ("absence", "performance/absence/EstablishmentAbsence_202603.json.gz", 2023, 1608, 0, 1608 * 6),
        ("census", "performance/census/2018-2019_england_census.csv.gz", 2018, 23942, 3, 23939 * 5),
        ("census", "performance/census/2022-2023_england_census.csv.gz", 2022, 24436, 3, 24433 * 5),
        ("ks2", "performance/ks2/2016-2017_850_ks2final.csv", 2016, 331, 3, 328 * 8),
        ("ks2", "performance/ks2/2016-2017_936_ks2final.csv", 2016, 235, 3, 232 * 8),
        ("ks2", "performance/ks2/2018-2019_936_ks2final.csv", 2018, 242, 3, 239 * 8),
        ("ks4", "performance/ks4/2016-2017_850_ks4final.csv", 2016, 126, 3, 123 * 7),
        ("ks4", "performance/ks4/2016-2017_936_ks4final.csv", 2016, 130, 3, 127 * 7),
        ("ks4", "performance/ks4/2018-2019_936_ks4final.csv", 2018, 133, 3, 130 * 8),
        ("ofsted", "ofsted/leeds_latest_inspections_20260228.csv", None, 279, 5, 2 + 170 + 132),
        ("ofsted", "ofsted/two_latest_inspections_mat_20220228.csv.gz", None, 1227, 0, 2 * 1227 + 116),
        ("ofsted", "ofsted/two_latest_inspections_sat_20220228.csv.gz", None, 541, 0, 2 * 541 + 121),
        ("trust_ks4", "performance/mats/2022-2023_england_ks4-mats-performance.csv", None, 216, 0, 216 * 15),
    ],
)
def test_every_row_is_accounted_for(
    feed: str, path: str, year: int | None, rows: int, ignored: int, records: int, full: Path
) -> None:
    parsed = FEEDS[feed].parse((full / path).read_bytes(), year)
    assert (parsed.rows, parsed.ignored, len(parsed.records), parsed.rejections) == (rows, ignored, records, ())


def test_earlier_ratings_come_once_each(full: Path) -> None:
    parsed = FEEDS["ofsted_history"].parse((full / "ofsted" / "ofsted_ratings_history_2018.csv.gz").read_bytes(), None)
    assert (parsed.rows, len(parsed.records)) == (60134, 60131)
    assert [each.code for each in parsed.rejections] == ["duplicate"] * 3


def test_what_two_latest_inspections_say_agrees_with_what_others_gathered(full: Path) -> None:
    folder = full / "ofsted"
    listed = FEEDS["ofsted_history"].parse((folder / "ofsted_ratings_history_2018.csv.gz").read_bytes(), None)
    earlier = {(each.urn, each.started_on): each.grade(Area.OVERALL_EFFECTIVENESS) for each in listed.records}
    seen = FEEDS["ofsted"].parse((folder / "two_latest_inspections_mat_20220228.csv.gz").read_bytes(), None)
    both = [each for each in seen.records if (each.urn, each.started_on) in earlier and each.judgements]
    agree = [each for each in both if each.grade(Area.OVERALL_EFFECTIVENESS) == earlier[each.urn, each.started_on]]
    assert len(both) == len(agree) == 2232


def test_group_links_tell_which_trusts_have_closed(full: Path) -> None:
    parsed = FEEDS["gias_group_links"].parse((full / "gias" / "alllinksdata_202203.csv.gz").read_bytes(), None)
    assert (parsed.rows, parsed.ignored, len(parsed.records), parsed.rejections) == (20395, 10490, 9905, ())
    assert Counter(each.closed for each in parsed.records) == {False: 9889, True: 16}
    assert all(each.closed == (each.closed_on is not None) for each in parsed.records)
    assert len({each.urn for each in parsed.records}) == 9905


def test_the_two_publications_of_absence_agree(full: Path) -> None:
    folder = full / "performance" / "absence"
    table = FEEDS["absence"].parse((folder / "2022-2023_england_abs.csv").read_bytes(), 2022)
    served = FEEDS["absence"].parse((folder / "EstablishmentAbsence_202603.json.gz").read_bytes(), 2023)
    rounded = {(each.urn, each.measure): each.number for each in table.records}
    compared = [each for each in served.records if each.academic_year == 2022 and each.number is not None]
    assert len(compared) == 3216
    for each in compared:
        published = rounded[each.urn, each.measure]
        assert published is not None
        assert each.number is not None
        assert abs(published - each.number) <= Decimal("0.05001")


PUBLISHED = [
    *(
        (
            "ks2",
            f"ks2/{years}_{la}_ks2final.csv",
            year,
            f"KS2_{code}_PROG",
            f"{code}PROG_LOWER",
            f"{code}PROG_UPPER",
            rows,
        )
        for years, la, year, counts in (
            ("2016-2017", 936, 2016, (217, 217, 217)),
            ("2016-2017", 850, 2016, (315, 316, 315)),
            ("2018-2019", 936, 2018, (224, 224, 224)),
        )
        for code, rows in zip(("READ", "WRIT", "MAT"), counts, strict=True)
    ),
    *(
        ("ks4", f"ks4/{years}_{la}_ks4final.csv", year, f"KS4_P8{group}", f"P8CILOW{end}", f"P8CIUPP{end}", rows)
        for years, la, year, counts in (
            ("2016-2017", 936, 2016, (65, 58)),
            ("2016-2017", 850, 2016, (82, 76)),
            ("2018-2019", 936, 2018, (64, 58)),
        )
        for group, end, rows in zip(("", "_DIS"), ("", "_FSM6CLA1A"), counts, strict=True)
    ),
]


@pytest.mark.parametrize(("feed", "path", "year", "measure", "lower", "upper", "rows"), PUBLISHED)
def test_every_interval_that_dfe_published_with_its_tables_is_found_again(
    feed: str, path: str, year: int, measure: str, lower: str, upper: str, rows: int, full: Path
) -> None:
    content = (full / "performance" / path).read_bytes()
    table = csv.DictReader(content.decode("utf-8-sig").splitlines())
    ends = {each["URN"]: (each[lower], each[upper]) for each in table if each["RECTYPE"] in {"1", "2"}}
    compared = 0
    for each in FEEDS[feed].parse(content, year).records:
        if each.measure == measure and each.number is not None and (each.denominator or 0) > 5:
            found = interval(MEASURES[measure], Pooled(float(each.number), each.denominator, (year,), ()))
            published, last_place = [float(end) for end in ends[str(each.urn)]], 0.1 if feed == "ks2" else 0.01
            width = published[1] - published[0]
            assert abs(found.high - found.low - width) <= 2 * last_place + 1e-9, each
            compared += 1
    assert compared == rows


@pytest.mark.parametrize(
    ("feed", "path", "year", "code"),
    [
        ("gias_establishments", "gias/20210507_850_936_gias_small.csv", None, "unknown_layout"),
        ("ks2", "performance/derived/ks2_perf_2017.csv.gz", 2017, "wrong_year"),
        ("ks4", "performance/derived/ks4_perf_2016.csv", 2016, "wrong_year"),
        ("ks4", "performance/ees/202324_information_about_schools_final.csv.gz", 2023, "unknown_layout"),
        ("ks2", "performance/ks4/2018-2019_936_ks4final.csv", 2018, "unknown_layout"),
        ("ks4", "performance/ks4/2016-2017_936_ks4final.csv", 2018, "wrong_year"),
        ("ks4", "performance/meta/2022-2023_ks4_meta.xlsx", 2022, "unreadable"),
    ],
)
def test_files_of_another_kind_are_refused(feed: str, path: str, year: int | None, code: str, full: Path) -> None:
    with pytest.raises(FeedRefused) as caught:
        FEEDS[feed].parse((full / path).read_bytes(), year)
    assert caught.value.code == code


def sampler() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sample", ROOT / "sample" / "make_sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_sample_is_what_the_full_files_give(full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sampler()
    monkeypatch.setattr(module, "HERE", tmp_path)
    module.main(full)
    made = {each.name: gzip.decompress(each.read_bytes()) for each in tmp_path.glob("*.gz")}
    kept = {each.name: gzip.decompress(each.read_bytes()) for each in (ROOT / "sample").glob("*.gz")}
    assert made.keys() == kept.keys()
    assert [name for name in made if made[name] != kept[name]] == []
    assert sum(each.stat().st_size for each in (ROOT / "sample").glob("*.gz")) < 1_500_000
