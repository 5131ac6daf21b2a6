"""What every feed has in common: which files are refused, and which rows are rejected."""

import gzip
import json
from collections.abc import Callable
from datetime import date

import pytest

from services.outcomes.feeds import (
    FEEDS,
    Kept,
    absence,
    gias_groups,
    gias_links,
    key_stages,
    opening,
    reading,
    siblings,
)
from services.outcomes.feeds.reading import Cells, RowRejected
from services.outcomes.feeds.records import FeedRefused
from services.outcomes.rules.measures import MEASURES

HEADER = b"LA,ESTAB,URN,PERCTOT,PPERSABS10\n"
GOOD = HEADER + b"201,3614,100000,5.2,9.8\n"


def refusal(content: bytes, parse: Callable[..., object] = absence.parse, year: int | None = 2022) -> FeedRefused:
    with pytest.raises(FeedRefused) as caught:
        parse(content, year)
    return caught.value


def cells(**row: str) -> Cells:
    return lambda name: row.get(name, "")


def test_feeds_say_whether_they_need_a_year() -> None:
    reference = {"gias_groups", "gias_group_links", "gias_links", "gias_establishments"}
    assert {code for code, feed in FEEDS.items() if feed.kept is Kept.REGISTER} == reference
    assert {code for code, feed in FEEDS.items() if feed.needs_year} == {"absence", "census", "ks2", "ks4"}
    assert all(feed.code == code for code, feed in FEEDS.items())


def test_feeds_that_give_the_same_measures_are_known() -> None:
    pairs = {"absence": "ees_absence", "ks2": "ees_ks2", "ks4": "ees_ks4"}
    expected = {code: [other] for code, other in (*pairs.items(), *((ees, of) for of, ees in pairs.items()))}
    assert {code: siblings(code) for code in FEEDS if siblings(code)} == expected
    given = {measure for feed in FEEDS.values() for measure in feed.measures}
    assert given == set(MEASURES)


def test_packed_and_plain_bytes_give_the_same() -> None:
    assert absence.parse(gzip.compress(GOOD), 2022) == absence.parse(GOOD, 2022)


def test_byte_order_mark_and_line_ends_do_not_matter() -> None:
    marked = b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n")
    assert absence.parse(marked, 2022).records == absence.parse(GOOD, 2022).records


@pytest.mark.parametrize("name", ["absence_2022-23.json.gz", "census_2022-23.csv.gz", "gias_groups.json.gz"])
def test_archive_cut_in_half_is_truncated(name: str, sample: Callable[[str], bytes]) -> None:
    content = sample(name)
    assert refusal(content[: len(content) // 2]).code == "truncated"


def test_damaged_archive_is_refused() -> None:
    packed = bytearray(gzip.compress(GOOD * 50))
    packed[-6] ^= 0xFF
    assert refusal(bytes(packed)).code == "unreadable"


def test_what_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MAX_UNPACKED", 1000)
    assert refusal(gzip.compress(b"0" * 1001)).code == "unreadable"
    assert refusal(b"0" * 1001).code == "unreadable"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (HEADER, "empty"),
        (b"[]", "empty"),
        (b"PK\x03\x04rest of a spreadsheet", "unreadable"),
        (b"  <!doctype html><p>Not found</p>", "unreadable"),
        (GOOD.decode().encode("utf-16"), "unreadable"),
        (b"[" * 200_000, "unreadable"),
        (b'[{"URN": 1} {"URN": 2}]', "unreadable"),
        (b'[{"URN": "100000"}, {"UR', "truncated"),
        (b"[1, 2]", "unknown_layout"),
        (HEADER + b'201,3614,100000,5.2,"9.', "truncated"),
        (GOOD + b"201,3614", "truncated"),
        (HEADER + b'201,3614,"1"00000,5.2,9.8\n', "unreadable"),
        (HEADER + b"201,3614,100000,5.2\x81,9.8\n", "wrong_encoding"),
    ],
)
def test_files_that_are_no_tables_are_refused(content: bytes, code: str) -> None:
    assert refusal(content).code == code


def test_half_of_a_character_in_json_is_refused() -> None:
    content = rb'[{"urn": "100000", "linkurn": "100001", "linktype": "\ud800"}]'
    assert refusal(content, gias_links.parse).code == "wrong_encoding"
    whole = rb'[{"urn": "100000", "linkurn": "100001", "linktype": "\ud83d\ude00"}]'
    assert gias_links.parse(whole, None).records[0].kind == "\U0001f600"


def test_cp1252_is_read_where_the_file_is_not_utf_8() -> None:
    content = 'uid,"Group Name",group_type_code,group_type,group_status\n'
    content = content.replace("uid", "Group UID") + "17,St Mary\u2019s Trust,06,Multi-academy trust,Open\n"
    assert gias_groups.parse(content.encode("cp1252"), None).records[0].name == "St Mary\u2019s Trust"
    assert gias_groups.parse(content.encode(), None).records[0].name == "St Mary\u2019s Trust"


def test_missing_columns_are_named() -> None:
    refused = refusal(b"LA,ESTAB,URN,OTHER\n201,3614,100000,1\n")
    assert (refused.code, refused.missing) == ("unknown_layout", ("perctot", "ppersabs10"))


@pytest.mark.parametrize("urn", ["", "10000", "1000000", "10000X", "NAT", "\u0661\u0660\u0660\u0660\u0660\u0660"])
def test_bad_urn_rejects_the_row_and_keeps_the_others(urn: str) -> None:
    parsed = absence.parse(GOOD + f"201,1,{urn},1,2\n".encode(), 2022)
    assert [(each.row, each.code) for each in parsed.rejections] == [(2, "bad_urn")]
    assert {each.urn for each in parsed.records} == {100000}


def test_the_second_row_of_a_school_is_rejected_whole() -> None:
    parsed = absence.parse(HEADER + b"201,1,100000,abc,9.8\n201,1,100000,5.2,9.7\n", 2022)
    assert [(each.measure, each.raw) for each in parsed.records] == [("ABS_PA", "9.8")]
    assert [(each.row, each.code) for each in parsed.rejections] == [(1, "unreadable_value"), (2, "duplicate")]


def test_a_value_that_cannot_be_is_named_and_the_rest_of_the_row_kept() -> None:
    parsed = absence.parse(HEADER + b"201,1,100000,820%,9.8\n201,2,100001,8.2,-9.8\n", 2022)
    assert [(each.row, each.key, each.code, each.detail) for each in parsed.rejections] == [
        (1, "100000", "impossible_value", "perctot: '820%' cannot be: Overall absence rate is from 0 to 100."),
        (
            *(2, "100001", "impossible_value"),
            "ppersabs10: '-9.8' cannot be: Pupils persistently absent (10% or more) is from 0 to 100.",
        ),
    ]
    assert [(each.urn, each.measure) for each in parsed.records] == [(100001, "ABS_OVERALL"), (100000, "ABS_PA")]


def test_unreadable_cell_is_named_and_the_rest_of_the_row_kept() -> None:
    parsed = absence.parse(HEADER + b"201,1,100000,five,9.8\n", 2022)
    (rejected,) = parsed.rejections
    assert (rejected.row, rejected.key, rejected.code) == (1, "100000", "unreadable_value")
    assert rejected.detail == "perctot: 'five' is neither a number nor a known code."
    assert [each.measure for each in parsed.records] == ["ABS_PA"]


def test_a_bad_urn_is_named_by_the_column_of_its_layout() -> None:
    served = {f"Attainment8_Tot_Est_{years}_Num": 46.4 for years in ("Current", "Previous", "Previous2")}
    parsed = key_stages.parse_ks4(json.dumps([{"id": 12, **served}, {"id": 100000, **served}]).encode(), 2023)
    assert [each.detail for each in parsed.rejections] == ["id: '12' is not a URN of six digits."]


def test_short_rows_have_empty_cells_and_long_ones_lose_none() -> None:
    parsed = absence.parse(GOOD + b"201,1,100001\n201,1,100002,1,2,3,4\n", 2022)
    found = {(each.urn, each.measure): each for each in parsed.records}
    assert parsed.rejections == ()
    assert (found[100001, "ABS_OVERALL"].state.value, found[100001, "ABS_OVERALL"].number) == ("missing", None)
    assert str(found[100002, "ABS_PA"].number) == "2"


@pytest.mark.parametrize("text", ["01-09-2016", "01/09/2016", "2016-09-01"])
def test_dates_in_three_spellings(text: str) -> None:
    assert reading.day(cells(opened=text), "opened") == date(2016, 9, 1)


def test_unknown_dates_are_none_and_others_rejected() -> None:
    assert reading.day(cells(opened=""), "opened") is None
    assert reading.day(cells(opened="1900-01-01"), "opened") is None
    with pytest.raises(RowRejected, match=r"opened: '31-02-2020'"):
        reading.day(cells(opened="31-02-2020"), "opened")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Open", "open"),
        ("Open, but proposed to close", "open_proposed_to_close"),
        ("Proposed to open", "proposed_to_open"),
        ("Multi-academy trust", "multi_academy_trust"),
        ("", ""),
    ],
)
def test_words(text: str, word: str) -> None:
    assert reading.word(text) == word


@pytest.mark.parametrize(
    ("text", "code"), [("1", "1"), ("01", "1"), ('"01"', "1"), ("10", "10"), ("00", "0"), ("", "")]
)
def test_codes_in_any_spelling(text: str, code: str) -> None:
    assert reading.code(text) == code
