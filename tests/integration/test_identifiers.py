"""LAESTABs and UKPRNs of schools: from when until when they hold, as one register after another shows them."""

from services.kernel.types import Kind
from services.outcomes.feeds.gias_establishments import FULL
from tests.integration.registers import Register, table
from tests.world import World

LINKS = b"URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n150003,100003,,Predecessor,01-09-2015\n"
OPEN = {"opened": "01-09-1990"}
CLOSED = {**OPEN, "status": "Closed", "closed": "31-08-2015"}
RENAMED, GONE, OLD, NEW, BACK = 100001, 100002, 100003, 150003, 100004
DAYS = {
    "2024-01-01": {
        RENAMED: {**OPEN, "number": "4001", "ukprn": "10000001"},
        GONE: {**CLOSED, "number": "4004"},
        OLD: {**CLOSED, "number": "4005"},
        NEW: {"opened": "01-09-2015", "number": "4005"},
        BACK: {**OPEN, "number": "4007"},
    },
    "2025-01-01": {
        RENAMED: {"number": "4002", "ukprn": ""},
        GONE: {"number": "4014"},
        NEW: {"number": "4006"},
        BACK: {"number": "4008"},
    },
    "2026-01-01": {RENAMED: {"number": "4003", "ukprn": "10000002"}, BACK: {"number": "4007"}},
    "2026-02-01": {
        RENAMED: {**CLOSED, "closed": "31-01-2026"},
        NEW: {"status": "Closed", "closed": "31-12-2024"},
        BACK: {"name": "B"},
    },
}


async def test_an_identifier_ends_when_another_is_shown_or_the_last_life_that_had_it_closes(world: World) -> None:
    register, schools = Register(world), {urn: {"ukprn": ""} for urn in DAYS["2024-01-01"]}
    await register.sent(LINKS, "gias_links")
    for day, said in DAYS.items():
        schools |= {urn: {**schools[urn], **more} for urn, more in said.items()}
        await register.sent(table(schools, FULL, FULL.columns), day=day)
    dfe = await world.client(Kind.DFE)

    async def known(urn: int) -> list[tuple[str, str | None, str | None]]:
        found = (await dfe.get(f"/v1/schools/{urn}"))["identifiers"]
        return sorted(
            (each["value"], each["valid_from"], each["valid_to"]) for each in found if each["scheme"] != "urn"
        )

    assert await known(RENAMED) == [
        ("10000001", "1990-09-01", "2026-01-01"),
        ("10000002", "2026-01-01", "2026-01-31"),
        ("2024001", "1990-09-01", "2025-01-01"),
        ("2024002", "2025-01-01", "2026-01-01"),
        ("2024003", "2026-01-01", "2026-01-31"),
    ]
    assert await known(GONE) == [(f"20240{end}", "1990-09-01", "2015-08-31") for end in ("04", "14")]
    assert await known(NEW) == [("2024005", "1990-09-01", "2025-01-01"), ("2024006", *["2025-01-01"] * 2)]
    assert await known(BACK) == [("2024007", "1990-09-01", None), ("2024008", "2025-01-01", "2026-01-01")]
