"""Commands that take files in: what they print, and data sets from the statistics API."""

import asyncio
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.kernel.types import Kind
from tests.integration.test_releases import FEW, csv
from tests.publisher import DATA_SET, PUBLICATION, Publisher
from tests.world import World

KS4 = (
    b"time_period,time_identifier,geographic_level,school_urn,breakdown,pupil_count,attainment8_average,"
    b"progress8_average,engmath_95_percent,engmath_94_percent\n"
    b"202425,Academic year,National,,Total,600000,45.9,z,45.2,65.1\n"
    b"202425,Academic year,School,100001,Total,180,51.2,x,44,65\n"
    b"202425,Academic year,School,100001,Disadvantaged,40,40.1,x,25.0,40.0\n"
    b"202425,Academic year,School,12,Total,40,40.1,x,25.0,40.0\n"
)
METADATA: dict[str, Any] = {
    "filters": [{"id": "gIyO9", "column": "breakdown", "label": "Breakdown"}],
    "indicators": [
        {"id": "04nTr", "column": "attainment8_average", "label": "Attainment 8", "unit": "", "decimalPlaces": 1},
        {"id": "04nTs", "column": "engmath_95_percent", "label": "Grade 5", "unit": "%", "decimalPlaces": 1},
    ],
}


async def run(*words: str, expect: int = 0) -> str:
    """What the command prints where there is no terminal."""
    done = await asyncio.to_thread(CliRunner().invoke, app, list(words))
    assert done.exit_code == expect, done.output
    return done.output


@pytest.fixture(autouse=True)
def prefix(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prefix of one's own, as commands ask for on a database that is given."""
    monkeypatch.setenv("RINGFENCE_OCID_PREFIX", "ocds-test01")


async def test_a_file_is_taken_in_with_plain_lines_and_a_summary(world: World, tmp_path: Path) -> None:
    file = tmp_path / "absence.csv"
    file.write_bytes(csv(FEW) + b"12,202,1.0,1.0\n100055,202,1.0,1.0\n")
    said = await run("import", "absence", str(file), "--year", "2022/23", "--published", "2024-03-21")
    lines = said.splitlines()
    size = file.stat().st_size
    assert lines[:3] == [f"Reading file: {size} bytes", f"Parsing: {size} bytes", "Storing: 6 rows"]
    assert lines[3] == "Settling"
    assert "5 rows: 3 accepted, 0 ignored, 2 rejected (bad_urn 1, duplicate 1). Counts for 2022/23." in lines[4]
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("absence", "--published", "soon"), 2, "Invalid value for '--published': 'soon' is not a day"),
        (("absence", "--published", "2024-02-30"), 2, "'2024-02-30' is not a day; write it as 2025-03-20."),
        (("absence", "--year", "soon"), 1, "'soon' is not an academic year"),
        (("absence", "--year", "2022/23", "--published", "2999-01-01"), 1, "2999-01-01 lies in the future."),
        (("absent", "--year", "2022/23"), 1, "absent"),
    ],
)
async def test_what_is_asked_wrongly_is_told_plainly(
    world: World, tmp_path: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    file = tmp_path / "absence.csv"
    file.write_bytes(csv(FEW))
    assert told in await run("import", *words, str(file), expect=code)
    assert world.rows("SELECT count(*) FROM outcomes.release") == [(0,)]


async def test_where_rejected_rows_cannot_be_listed_the_file_is_taken_in(world: World, tmp_path: Path) -> None:
    file = tmp_path / f"{'absence' * 35}.csv"
    file.write_bytes(csv(FEW) + b"12,202,1.0,1.0\n")
    said = await run("import", "absence", str(file), "--year", "2022/23", expect=1)
    assert "1 rejected (bad_urn 1). Counts for 2022/23." in said
    assert "Rejected rows cannot be listed in" in said
    assert "File name too long" in said
    assert world.rows("SELECT filename FROM outcomes.release") == [(file.name[-200:],)]


async def test_a_data_set_is_taken_in_by_version(publisher: Publisher, world: World) -> None:
    publisher.csv, publisher.metadata, publisher.versions = KS4, METADATA, ["1.0"]
    assert PUBLICATION in await run("ees", "publications", "--search", "England 4")
    assert DATA_SET in await run("ees", "data-sets", PUBLICATION)
    taking = ("ees", "import", DATA_SET, "--feed", "ees_ks4", "--status", "provisional")
    publisher.lost = 1
    assert "version 1.0 has 5 rows, and 4 came" in await run(*taking, expect=1)
    publisher.lost = 0
    said = await run(*taking)
    assert said.startswith(f"Fetching: {len(KS4)} bytes\nParsing: ")
    assert "4 rows: 2 accepted, 1 ignored, 1 rejected (bad_urn 1). Counts for 2024/25." in said
    (kept,) = world.rows("SELECT source_version, published_on::text, layout, decimals FROM outcomes.release")
    assert kept[:3] == ("1.0", "2024-03-01", "ees_ks4_202425.2")
    assert kept[3] == {"KS4_A8": 1, "KS4_A8_DIS": 1, "KS4_EM95": 1}

    downloads = len([path for _method, path, _headers in publisher.asked if path.endswith("/csv")])
    assert "nothing to do" in await run(*taking)
    publisher.versions = ["1.0", "2.0"]
    refused = await run(*taking, expect=1)
    assert "Version 2.0 is a new major version" in refused
    assert "State-funded primary is gone" in refused
    assert len([path for _method, path, _headers in publisher.asked if path.endswith("/csv")]) == downloads
    publisher.versions = ["1.0", "1.1"]
    assert "superseded (same_values)" in await run(*taking)
    publisher.versions, publisher.csv = ["1.0", "1.1", "2.0"], KS4.replace(b"51.2", b"51.4")
    assert "is current" in await run(*taking, "--accept-major")
    dfe = await world.client(Kind.DFE)
    (found,) = (await dfe.get("/v1/schools/100001/observations", measure="KS4_A8"))["data"]
    assert (found["value"], found["denominator"]) == (51.4, 180)


async def test_errors_end_a_command_with_a_sentence(publisher: Publisher, world: World, tmp_path: Path) -> None:
    assert "Look the id up" in await run("ees", "data-sets", "0000", expect=1)
    assert "is no version" in await run("ees", "import", DATA_SET, "--feed", "ees_ks4", "--version", "one", expect=1)
    archives = []
    for name, options in (("before", b"Total\nBoys\n"), ("after", b"Total\n")):
        archives.append(tmp_path / f"{name}.zip")
        with zipfile.ZipFile(archives[-1], "w") as file:
            file.writestr("a.csv", b"sex\n" + options)
            file.writestr("a.meta.csv", b"col_name,col_type,label\nsex,Filter,Sex\n")
    said = await run("ees", "compare", *map(str, archives))
    assert said == "option removed: sex: Boys\nA major version.\n"
    archives[0].write_bytes(b"sex\nTotal\n")
    assert "no archive" in await run("ees", "compare", *map(str, archives), expect=1)
