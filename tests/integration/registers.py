"""Files of the register, in any layout and with any columns, sent one each day."""

import json
from collections.abc import Collection, Mapping
from itertools import count
from typing import Any

from services.kernel.types import Kind
from services.outcomes.feeds.columns import Layout
from services.outcomes.feeds.gias_establishments import SERVED
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

    async def sent(self, content: bytes, feed: str = "gias_establishments", day: str | None = None) -> Schools:
        """What the register has of schools after a file of this day, or the next one."""
        dfe, day = await self.world.client(Kind.DFE), day or f"2024-01-{next(self.days):02}"
        found = await send(self.world, dfe, content, feed=feed, academic_year=None, published_on=day)
        assert found["status"] == "current", found
        asked = "SELECT to_jsonb(e) - 'release_id' - 'school_id' FROM outcomes.establishment AS e"
        return {each["urn"]: each for (each,) in self.world.rows(asked)}
