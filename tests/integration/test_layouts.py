"""A file of the register that lacks a column takes nothing away of what is known."""

from services.outcomes.feeds.gias_establishments import EXTRACT, FULL
from tests.integration.registers import Register, served, table
from tests.world import World

CLOSED = {"status": "Closed", "opened": "01-09-1990", "closed": "31-08-2015"}
PROPOSED = {"status": "Open, but proposed to close", "opened": "01-09-1990", "closed": "31-08-2030"}
FIRST: dict[int, dict[str, str]] = {100001: {"opened": "01-09-1990"}, 100002: CLOSED, 100003: PROPOSED, 100004: {}}
LINKS = "URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n" + "".join(
    f"{urn},{urn + 50000},,Successor,01-09-2020\n" for urn in (100001, 100003, 100004, 100005)
)
SUCCEEDED = {"status": "closed", "closed_on": "2020-09-01"}


async def test_what_a_layout_lacks_stays_known(world: World) -> None:
    register = Register(world)
    before = await register.sent(table(FIRST, FULL, FULL.columns))
    assert (before[100002]["closed_on"], before[100004]["pupils"]) == ("2015-08-31", 900)
    assert await register.sent(table(FIRST, EXTRACT, EXTRACT.required)) == before
    names = [name for name in FULL.columns if name not in {"northing", "number"}]
    moved = {urn: {**said, "easting": "1", "ukprn": "10002222"} for urn, said in FIRST.items()}
    after = await register.sent(table(moved, FULL, names))
    assert after == {urn: {**each, "ukprn": "10002222"} for urn, each in before.items()}
    kept = "SELECT DISTINCT scheme, value FROM outcomes.school_identifier WHERE scheme <> 'urn' ORDER BY 1, 2"
    known = [("laestab", "2024001"), ("ukprn", "10001111"), ("ukprn", "10002222")]
    assert world.rows(kept) == known


async def test_a_known_status_beats_a_guess(world: World) -> None:
    register = Register(world)
    before = await register.sent(table(FIRST, FULL, FULL.columns))
    await register.sent(LINKS.encode(), "gias_links")
    new = {100005: {**before[100004], "urn": 100005, **SUCCEEDED, "status_guessed": True}}
    for name in "BC":
        expected = {urn: {**each, "name": name} for urn, each in (before | new).items()}
        assert await register.sent(served(*expected, name=name)) == expected
    silent = {urn: {"name": "D", "status": ""} for urn in expected}
    after = await register.sent(table(silent, FULL, FULL.columns))
    assert after == {urn: {**each, "name": "D"} for urn, each in expected.items()}


async def test_a_guess_gives_way_to_a_better_one(world: World) -> None:
    register = Register(world)
    told = await register.sent(table({100001: {}}, FULL, FULL.columns))
    first = await register.sent(served(100004, 100006)) | {100001: told[100001]}
    assert [(each["status"], each["status_guessed"]) for each in first.values()] == [
        ("open", False),
        ("open", True),
        ("open", True),
    ]
    await register.sent(LINKS.encode(), "gias_links")
    guessed = {
        100001: {**first[100001], "name": "B"},
        100004: {**first[100004], "name": "B", **SUCCEEDED},
        100006: {**first[100006], "name": "B"},
    }
    assert await register.sent(served(*guessed, name="B")) == guessed
    named = {100004: {"name": "C"}, 100006: {"name": "C", **CLOSED}}
    shown = await register.sent(table(named, FULL, FULL.columns))
    assert [(each["status"], each["status_guessed"], each["closed_on"]) for each in shown.values()] == [
        ("open", False, None),
        ("open", False, None),
        ("closed", False, "2015-08-31"),
    ]
    assert await register.sent(served(*guessed, name="D")) == {
        urn: {**each, "name": "D"} for urn, each in shown.items()
    }
