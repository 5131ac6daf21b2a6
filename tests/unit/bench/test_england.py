import csv
from pathlib import Path

import pytest

from bench.england import Files, Size, write
from services.outcomes.feeds import FEEDS

SMALL = Size(0.004)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return write(tmp_path_factory.mktemp("a"), SMALL)


def rows(path: Path, encoding: str) -> list[list[str]]:
    with path.open(newline="", encoding=encoding) as file:
        return list(csv.reader(file))


def test_the_same_country_is_made_every_time(files: Files, tmp_path: Path) -> None:
    again = write(tmp_path, SMALL)
    other = write(tmp_path, Size(0.004, seed=1))

    assert {path.name: path.read_bytes() for path in files.folder.iterdir()} == {
        path.name: path.read_bytes() for path in again.folder.iterdir()
    }
    assert other.establishments.read_bytes() != again.establishments.read_bytes()


@pytest.mark.parametrize(("name", "width"), [("establishments", 135), ("next_day", 135)])
def test_the_register_is_written_as_gias_writes_it(files: Files, name: str, width: int) -> None:
    content = getattr(files, name).read_bytes()

    assert b"\x92" in content
    assert content.count(b"\r\n") == content.count(b"\n")
    assert {len(row) for row in rows(getattr(files, name), "cp1252")} == {width}
    assert content.splitlines()[1].startswith(b'100000,"')


@pytest.mark.parametrize(("key_stage", "width"), [("ks2", 318), ("ks4", 507)])
def test_tables_are_as_wide_as_the_real_ones(files: Files, key_stage: str, width: int) -> None:
    assert {len(row) for row in rows(getattr(files, key_stage)(2021), "utf-8-sig")} == {width}


def test_some_rows_differ_the_next_day(files: Files) -> None:
    today = {row[0]: row for row in rows(files.establishments, "cp1252")}
    tomorrow = {row[0]: row for row in rows(files.next_day, "cp1252")}
    changed = [urn for urn in today.keys() & tomorrow.keys() if today[urn] != tomorrow[urn]]

    assert 0.005 * len(today) < len(changed) < 0.03 * len(today)
    assert tomorrow.keys() - today.keys()
    assert today.keys() - tomorrow.keys()


@pytest.mark.parametrize(
    ("feed", "name", "year"),
    [
        ("gias_establishments", "establishments", None),
        ("gias_establishments", "next_day", None),
        ("gias_groups", "groups", None),
        ("gias_group_links", "group_links", None),
        ("gias_links", "links", None),
        ("ks2", "ks2", 2018),
        ("ks2", "ks2", 2023),
        ("ks4", "ks4", 2021),
        ("absence", "absence", 2020),
        ("census", "census", 2019),
    ],
)
def test_every_row_can_be_read_by_its_feed(files: Files, feed: str, name: str, year: int | None) -> None:
    found = getattr(files, name)
    path = found if year is None else found(year)

    parsed = FEEDS[feed].parse(path.read_bytes(), year)

    assert parsed.records
    assert parsed.rejections == ()
