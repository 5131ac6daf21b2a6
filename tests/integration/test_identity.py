"""A school that gets another URN stays the school of its contract; and the database holds what a contract is."""

from datetime import date
from typing import Any

import psycopg
import pytest

from services.contracts.history import UntoldChangeError
from services.contracts.queries import contracts_page
from services.demo import cast
from services.kernel.auth import service_caller
from services.kernel.types import Kind
from services.outcomes.registers import register
from tests.integration.conftest import active_contract, problem, record, to
from tests.integration.scenes import RESULTS_OUT, Actors
from tests.world import World, agreed_contract, change

NEW = 150_001
REOPENED = (
    "INSERT INTO outcomes.establishment SELECT (jsonb_populate_record(e, jsonb_build_object('urn', %(new)s::int,"
    " 'status', 'open', 'opened_on', '2024-01-01', 'name', 'Fulwood High'))).* FROM outcomes.establishment e"
    " WHERE e.urn = %(old)s"
)
CLOSED = "UPDATE outcomes.establishment SET status = 'closed', closed_on = '2023-12-31' WHERE urn = %(old)s"
JOINED = (
    "UPDATE outcomes.membership SET trust_uid = %(trust)s, joined_on = '2015-09-01', joined_inferred = false"
    " WHERE urn = %(urn)s AND left_on IS NULL"
)
NAMED = (
    "INSERT INTO outcomes.school_identifier (school_id, scheme, value, valid_from, source)"
    " SELECT school_id, 'urn', %(new)s::text, '2024-01-01', 'gias_establishments' FROM outcomes.establishment"
    " WHERE urn = %(old)s"
)


async def test_a_contract_follows_its_school_to_another_urn(seeded_world: World, actors: Actors) -> None:
    by_urn = await seeded_world.client(Kind.RESPONSIBLE_BODY, urns=[cast.SCHOOL])
    path = await active_contract(seeded_world, actors)
    for code in ("M1", "M2", "M3"):
        await record(actors["mat"], path, code, "2023-09-01")
    await to(seeded_world, "2023-12-15")
    for statement in (REOPENED, CLOSED, NAMED):
        change(seeded_world.database_url, statement, old=int(cast.SCHOOL), new=NEW)
    await to(seeded_world, "2024-01-01")
    found = await actors["rsc"].get(path)
    assert (found["school"]["urn"], found["school"]["name"]) == (str(NEW), "Fulwood High")
    urns = {each["value"]: each["valid_from"] for each in found["identifiers"] if each["scheme"] == "urn"}
    assert urns[str(NEW)] == "2024-01-01"
    assert cast.SCHOOL in urns
    assert (await actors["rsc"].get(path, as_of="2023-12-31"))["school"]["urn"] == cast.SCHOOL
    assert (await by_urn.get(path))["id"] == found["id"]
    fences = (await actors["rsc"].get("/v1/ring-fences", supplier_uid=cast.SUPPLIER))["data"]
    assert [each["school_urn"] for each in fences] == [str(NEW)]
    second = {"school_urn": str(NEW), "term": {"starts_on": "2024-02-01", "ends_on": "2025-08-31"}, "milestones": []}
    answer = await actors["rsc"].ask("POST", "/v1/contracts", json=cast.CONTRACT | second)
    problem(answer, 409, "overlapping_contract")
    await to(seeded_world, RESULTS_OUT)
    verdict = await actors["rsc"].post(f"{path}/evaluations", {"academic_year": cast.YEAR, "run": "final"})
    assert verdict["overall"] == "met"
    assert all(each["actual"]["years"] == [cast.YEAR] for each in verdict["measures"])


async def table(world: World, view: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The schools of a view of the supplier's table of absence, and its totals."""
    dfe = await world.client(Kind.DFE)
    path = f"/v1/trusts/{cast.SUPPLIER}/performance"
    found = (await dfe.get(path, academic_year=cast.YEAR, key_stage="ABS"))["views"][view]
    totals = [(each["measure"], each["state"], each["value"], each["n"]) for each in found["measures"]]
    return [each["urn"] for each in found["members"]], totals


async def test_results_are_kept_apart_from_tables_under_whatever_urn_they_were_published(
    seeded_world: World, actors: Actors
) -> None:
    """METHOD.md T6 (a member that is under contract), and then the school gets another URN."""
    path = await active_contract(seeded_world, actors)
    for code in ("M1", "M2", "M3"):
        await record(actors["mat"], path, code, "2023-09-01")
    await to(seeded_world, "2023-12-15")
    change(seeded_world.database_url, JOINED, urn=int(cast.SCHOOL), trust=cast.SUPPLIER)
    before = {view: await table(seeded_world, view) for view in ("contracts", "platform", "dfe")}
    assert before["contracts"][0] == [cast.SCHOOL]
    assert all(cast.SCHOOL not in before[view][0] for view in ("platform", "dfe"))
    for statement in (REOPENED, CLOSED, NAMED):
        change(seeded_world.database_url, statement, old=int(cast.SCHOOL), new=NEW)
    await to(seeded_world, "2024-01-01")
    after = {view: await table(seeded_world, view) for view in before}
    assert {view: totals for view, (_, totals) in after.items()} == {
        view: totals for view, (_, totals) in before.items()
    }
    assert after["contracts"][0] == [str(NEW)]
    assert [after[view][0] for view in ("platform", "dfe")] == [before[view][0] for view in ("platform", "dfe")]
    for urn in (cast.SCHOOL, str(NEW)):
        found = (await actors["dfe"].get("/v1/ring-fences", school_urn=urn))["data"]
        assert [each["school_urn"] for each in found] == [str(NEW)], "it is found by every URN that the school has had"


LIVES = (
    "URN,EstablishmentName,LA (code),LA (name),EstablishmentNumber,GOR (name),PhaseOfEducation (name),"
    "TypeOfEstablishment (name),EstablishmentTypeGroup (name),EstablishmentStatus (name),OpenDate,CloseDate,"
    "Trusts (code),TrustSchoolFlag (code)",
    "110001,Old,850,Hampshire,4001,South East,Secondary,Community school,LA maintained,Closed,,31-08-2020,,0",
    "150001,New,850,Hampshire,4001,South East,Secondary,Academy converter,Academies,Closed,01-09-2020,31-08-2023,,0",
    "150002,Newest,850,Hampshire,4009,South East,Secondary,Academy converter,Academies,Open,,,,0",
    "150003,Merged,850,Hampshire,4010,South East,Secondary,Academy converter,Academies,Open,01-09-2021,,,0",
    "110002,Sixth form,850,Hampshire,4011,South East,Secondary,Community school,LA maintained,Open,,,,0",
)
LINKS = (
    "URN,LinkURN,LinkName,LinkType,LinkEstablishedDate",
    "150001,110001,Old,Predecessor,01-09-2020",
    "110001,150001,New,Successor,31-08-2020",
    "150001,150002,Newest,Successor,",
    "150003,150002,Newest,Predecessor - merged,01-09-2021",
    "110002,110001,Old,Sixth Form Centre Link,",
    "110002,150003,Merged,Merged - expansion in school capacity and changer in age range,01-09-2021",
)
"""A conversion told from both sides; another from one side and without a day; a merger; and links that are no
succession, one of the longest kind."""


@pytest.mark.parametrize("order", [("gias_links", "gias_establishments"), ("gias_establishments", "gias_links")])
async def test_who_is_whom_does_not_hang_on_which_file_came_first(world: World, order: tuple[str, str]) -> None:
    dfe, files = await world.client(Kind.DFE), {"gias_links": LINKS, "gias_establishments": LIVES}
    for feed in order:
        form = {"feed": feed, "release_status": "final", "published_on": "2024-01-01"}
        await dfe.ask("POST", "/v1/releases", data=form, files={"file": (feed, "\n".join(files[feed]).encode())})
        await world.settle(rounds=1)
    assert world.rows("SELECT DISTINCT status FROM outcomes.release") == [("current",)]
    schools = dict(world.rows("SELECT urn, school_id FROM outcomes.establishment"))
    assert schools[110_001] == schools[150_001] == schools[150_002]
    assert len({schools[urn] for urn in (110_001, 150_003, 110_002)}) == 3
    found = await dfe.get("/v1/schools/150002")
    known = {(each["scheme"], each["value"]): (each["valid_from"], each["valid_to"]) for each in found["identifiers"]}
    assert known["urn", "110001"] == (None, "2020-08-31")
    assert known["urn", "150001"] == ("2020-09-01", "2023-08-31")
    assert known["laestab", "8504001"] == (None, "2023-08-31"), "as long as one of its lives had it"
    assert known["urn", "150002"] == known["laestab", "8504009"] == (None, None)
    assert len(known) == 5
    async with world.database("outcomes").transaction(service_caller("outcomes")) as session:
        kept = await register(session, "Secondary")
    autumn = (date(2021, 8, 1), date(2021, 10, 1))
    assert sorted(kept.urns[kept.moves.touching(autumn)].tolist()) == [150_002, 150_003], "a merger is a change"
    assert kept.moves.touching((date(2020, 8, 1), date(2020, 10, 1))).tolist() == [], "a conversion alone is none"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE contracts.contract SET value_pence = value_pence + 1",
        "UPDATE contracts.contract SET fee_pence = fee_pence - 1",
        "UPDATE contracts.milestone SET payment_pence = payment_pence + 1 WHERE code = 'M1'",
        "DELETE FROM contracts.outcome WHERE code = 'O1'",
        "UPDATE contracts.payment SET amount_pence = 1 WHERE code = 'FEE-1'",
    ],
)
async def test_the_database_holds_the_value_to_the_sum_of_its_parts(
    seeded_world: World, actors: Actors, statement: str
) -> None:
    await agreed_contract(actors)
    with pytest.raises(psycopg.errors.CheckViolation, match="not the sum of its parts"):
        change(seeded_world.database_url, f"{statement}; SET CONSTRAINTS ALL IMMEDIATE")


async def in_passing(world: World) -> None:
    """Change a contract and tell nobody."""
    caller = service_caller("contracts")
    async with world.database("contracts").transaction(caller) as session:
        row = (await contracts_page(session, caller=caller, filters={}, ends_before=None, after=None, limit=1))[0]
        row.title = "Changed in passing"


async def test_a_change_that_no_event_tells_of_does_not_commit(seeded_world: World, actors: Actors) -> None:
    await agreed_contract(actors)
    with pytest.raises(UntoldChangeError, match="No event tells of the change of contract"):
        await in_passing(seeded_world)
    assert seeded_world.rows("SELECT count(*) FROM contracts.contract WHERE title = 'Changed in passing'") == [(0,)]
