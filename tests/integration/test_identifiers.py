"""LAESTABs and UKPRNs of schools: from when until when they hold, as one register after another shows them."""

from functools import partial

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


async def identifiers(world: World, urn: int) -> list[tuple[str, str | None, str | None]]:
    """LAESTABs and UKPRNs of a school, each with its days."""
    found = (await (await world.client(Kind.DFE)).get(f"/v1/schools/{urn}"))["identifiers"]
    return sorted((each["value"], each["valid_from"], each["valid_to"]) for each in found if each["scheme"] != "urn")


async def test_an_identifier_ends_when_another_is_shown_or_the_last_life_that_had_it_closes(world: World) -> None:
    register, schools = Register(world), {urn: {"ukprn": ""} for urn in DAYS["2024-01-01"]}
    await register.sent(LINKS, "gias_links")
    for day, said in DAYS.items():
        schools |= {urn: {**schools[urn], **more} for urn, more in said.items()}
        await register.sent(table(schools, FULL, FULL.columns), day=day)
    known = partial(identifiers, world)
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


SWAPPED, OTHER, LOST, BOTH = 100005, 100006, 100007, 100008
LATER = {
    "2024-01-01": {
        SWAPPED: {**OPEN, "number": "4021", "ukprn": "10000011"},
        OTHER: {**OPEN, "number": "4022", "ukprn": "10000012"},
        LOST: {**OPEN, "number": "4023", "ukprn": "10000013"},
        BOTH: {**OPEN, "number": "4024", "ukprn": "10000014"},
        OLD: {**CLOSED, "number": "4005"},
        NEW: {"opened": "01-09-2015", "number": "4005"},
    },
    "2025-01-01": {
        SWAPPED: {"ukprn": "10000012"},
        OTHER: {"ukprn": "10000011"},
        LOST: {"ukprn": ""},
        BOTH: {"ukprn": "", "status": "Closed", "closed": "31-12-2024"},
        OLD: {"number": "4006"},
        NEW: {"number": "4006"},
    },
    "2026-01-01": {LOST: {"status": "Closed", "closed": "31-12-2025"}},
}


async def test_identifiers_that_are_swapped_lost_or_of_two_lives(world: World) -> None:
    register, schools = Register(world), {urn: {"ukprn": ""} for urn in LATER["2024-01-01"]}
    await register.sent(LINKS, "gias_links")
    for day, said in LATER.items():
        schools |= {urn: {**schools[urn], **more} for urn, more in said.items()}
        await register.sent(table(schools, FULL, FULL.columns), day=day)
    known = partial(identifiers, world)
    for urn, number, first, second in ((SWAPPED, 1, 11, 12), (OTHER, 2, 12, 11)):
        assert await known(urn) == sorted(
            [
                (f"100000{first}", "1990-09-01", "2025-01-01"),
                (f"100000{second}", "2025-01-01", None),
                (f"202402{number}", "1990-09-01", None),
            ]
        )
    assert await known(LOST) == [(each, "1990-09-01", "2025-12-31") for each in ("10000013", "2024023")]
    assert await known(BOTH) == [(each, "1990-09-01", "2024-12-31") for each in ("10000014", "2024024")]
    assert await known(NEW) == [("2024005", "1990-09-01", "2025-01-01"), ("2024006", "2025-01-01", None)]


async def test_what_two_lives_were_known_by_is_brought_together_when_links_unite_them(world: World) -> None:
    register, new, newer = Register(world), {"opened": "01-09-2015", "ukprn": ""}, 150004
    days: dict[str, dict[int, dict[str, str]]] = {
        "2024-01-01": {
            OLD: {**CLOSED, "number": "4005", "ukprn": ""},
            NEW: {**new, "number": "4005"},
            GONE: {**CLOSED, "number": "4031", "ukprn": ""},
            newer: {**new, "number": "4032"},
        },
        "2025-01-01": {NEW: {**new, "number": "4006"}, GONE: {**CLOSED, "number": "4032", "ukprn": ""}},
    }
    schools: dict[int, dict[str, str]] = {}
    for day, said in days.items():
        schools |= said
        await register.sent(table(schools, FULL, FULL.columns), day=day)
    await register.sent(LINKS + f"{newer},{GONE},,Predecessor,01-09-2015\n".encode(), "gias_links")
    assert await identifiers(world, NEW) == [("2024005", "1990-09-01", "2025-01-01"), ("2024006", "2025-01-01", None)]
    assert await identifiers(world, newer) == [("2024031", "1990-09-01", "2015-08-31"), ("2024032", "1990-09-01", None)]


async def test_days_that_are_not_known_and_urns_that_are_out_of_order(world: World) -> None:
    register, vague, later, high, low, alone = Register(world), 100011, 150011, 150012, 100012, 150013
    schools: dict[int, dict[str, str]] = {
        vague: {**OPEN, "status": "Closed", "number": "4051"},
        later: {"opened": "01-09-2015", "number": "4051"},
        high: {**CLOSED, "number": "4052"},
        low: {"opened": "01-09-2015", "number": "4052"},
        alone: {"number": "4053", "ukprn": "10000053"},
    }
    header = LINKS.splitlines()[0].decode()
    links = f"{header}\n{later},{vague},,Predecessor,01-09-2015\n{low},{high},,Predecessor,\n"
    await register.sent(links.encode(), "gias_links")
    days: dict[str, dict[int, dict[str, str]]] = {
        "2024-01-01": {},
        "2025-01-01": {later: {"number": "4061"}, alone: {"number": "4063"}},
        "2026-01-01": {alone: {"opened": "01-09-2015"}},
    }
    for day, said in days.items():
        schools |= {urn: {**schools[urn], **more} for urn, more in said.items()}
        file = {urn: {"ukprn": "", **each} for urn, each in schools.items()}
        await register.sent(table(file, FULL, FULL.columns), day=day)
    changed = ("2024061", "2025-01-01", None)
    assert await identifiers(world, later) == [("2024051", "1990-09-01", "2025-01-01"), changed]
    assert await identifiers(world, low) == [("2024052", "1990-09-01", None)]
    told = [("10000053", "2015-09-01", None), ("2024053", None, "2025-01-01"), ("2024063", "2025-01-01", None)]
    assert await identifiers(world, alone) == told
