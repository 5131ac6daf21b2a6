"""A file of the register that lacks a column takes nothing away of what is known."""

import json
from collections.abc import Collection, Mapping
from itertools import count
from typing import Any

import pytest

from services.kernel.types import Kind
from services.outcomes.feeds.columns import Layout
from services.outcomes.feeds.gias_establishments import EXTRACT, FULL, SERVED
from tests.integration.test_releases import send
from tests.world import World

USUAL = {
    "name": "A",
    "la_code": "202",
    "la_name": "Camden",
    "number": "4001",
    "region": "London",
    "phase": "Secondary",
    "kind_code": "34",
    "kind": "Academy converter",
    "kind_group": "Academies",
    "ukprn": "10001111",
    "trust": "17",
    "trust_flag": "3",
    "admissions": "Selective",
    "religion": "None",
    "pupils": "900",
    "town": "London",
    "postcode": "NW1 1AA",
    "easting": "529000",
    "northing": "184000",
    "status": "Open",
}
CLOSED = {"status": "Closed", "opened": "01-09-1990", "closed": "31-08-2015"}
PROPOSED = {"status": "Open, but proposed to close", "opened": "01-09-1990", "closed": "31-08-2030"}
FIRST: dict[int, dict[str, str]] = {100001: {"opened": "01-09-1990"}, 100002: CLOSED, 100003: PROPOSED, 100004: {}}
LINKS = "URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n" + "".join(
    f"{urn},{urn + 50000},,Successor,01-09-2020\n" for urn in (100001, 100003, 100004, 100005)
)
SUCCEEDED = {"status": "closed", "closed_on": "2020-09-01"}
Schools = dict[int, dict[str, Any]]


def rows(schools: Mapping[int, Mapping[str, str]], layout: Layout, names: Collection[str]) -> list[dict[str, str]]:
    """Rows of schools in these of a layout's columns."""
    told: list[dict[str, Any]] = [{"urn": urn, **USUAL, **said} for urn, said in schools.items()]
    return [{layout.columns[name]: str(each.get(name, "")) for name in names} for each in told]


def table(schools: Mapping[int, Mapping[str, str]], layout: Layout, names: Collection[str]) -> bytes:
    """The same as CSV."""
    found = rows(schools, layout, names)
    return "".join(
        ",".join(f'"{each}"' for each in row) + "\n" for row in (found[0], *map(dict.values, found))
    ).encode()


def served(*urns: int, **said: str) -> bytes:
    """The layout without status and dates."""
    return json.dumps(rows(dict.fromkeys(urns, said), SERVED, SERVED.columns)).encode()


class Register:
    """The register, to which one file is sent each day."""

    def __init__(self, world: World) -> None:
        self.world, self.days = world, count(1)

    async def sent(self, content: bytes, feed: str = "gias_establishments") -> Schools:
        """What the register has of schools after a file."""
        dfe, day = await self.world.client(Kind.DFE), f"2024-01-{next(self.days):02}"
        found = await send(self.world, dfe, content, feed=feed, academic_year=None, published_on=day)
        assert found["status"] == "current", found
        asked = "SELECT to_jsonb(e) - 'release_id' - 'school_id' FROM outcomes.establishment AS e"
        return {each["urn"]: each for (each,) in self.world.rows(asked)}


@pytest.fixture
def register(world: World) -> Register:
    """A register without schools."""
    return Register(world)


async def test_what_a_layout_lacks_stays_known(register: Register) -> None:
    before = await register.sent(table(FIRST, FULL, FULL.columns))
    assert (before[100002]["closed_on"], before[100004]["pupils"]) == ("2015-08-31", 900)
    assert await register.sent(table(FIRST, EXTRACT, EXTRACT.required)) == before
    names = [name for name in FULL.columns if name not in {"northing", "number"}]
    moved = {urn: {**said, "easting": "1", "ukprn": "10002222"} for urn, said in FIRST.items()}
    after = await register.sent(table(moved, FULL, names))
    assert after == {urn: {**each, "ukprn": "10002222"} for urn, each in before.items()}
    kept = "SELECT DISTINCT scheme, value FROM outcomes.school_identifier WHERE scheme <> 'urn' ORDER BY 1, 2"
    known = [("laestab", "2024001"), ("ukprn", "10001111"), ("ukprn", "10002222")]
    assert register.world.rows(kept) == known


async def test_a_known_status_beats_a_guess(register: Register) -> None:
    before = await register.sent(table(FIRST, FULL, FULL.columns))
    await register.sent(LINKS.encode(), "gias_links")
    new = {100005: {**before[100004], "urn": 100005, **SUCCEEDED}}
    for name in "BC":
        expected = {urn: {**each, "name": name} for urn, each in (before | new).items()}
        assert await register.sent(served(*expected, name=name)) == expected
    silent = {urn: {"name": "D", "status": ""} for urn in expected}
    after = await register.sent(table(silent, FULL, FULL.columns))
    assert after == {urn: {**each, "name": "D"} for urn, each in expected.items()}


async def test_a_guess_gives_way_to_a_better_one(register: Register) -> None:
    first = await register.sent(served(100004, 100006))
    assert {each["status"] for each in first.values()} == {"open"}
    await register.sent(LINKS.encode(), "gias_links")
    assert await register.sent(served(100004, 100006, name="B")) == {
        100004: {**first[100004], "name": "B", **SUCCEEDED},
        100006: {**first[100006], "name": "B"},
    }
