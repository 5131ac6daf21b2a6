"""Published files come in at the gateway: which of them count, which are refused, and that nothing is lost silently."""

import gzip
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from services.demo import cast
from services.kernel.db import Database, role_url
from services.kernel.types import Kind, utc_now
from services.outcomes.arrivals.service import Arrival, receive
from services.outcomes.releases import jobs
from services.outcomes.rules.releases import Stage
from tests.integration.conftest import problem
from tests.unit.outcomes.daily import HEADER as REGISTER
from tests.unit.outcomes.daily import NAME, line
from tests.world import OPERATOR, SAMPLE, Actor, Json, World

YEAR = "2022/23"
HEADER = "URN,LA,PERCTOT,PPERSABS10"
FEW = {100052: ("8.2", "24.0"), 100055: ("7.1", "20.8"), 100059: ("6.4", "c")}
MANY = {110000 + number: (f"{5 + number % 7}.5", f"{10 + number % 11}.25") for number in range(150)}


def csv(schools: dict[int, tuple[str, str]]) -> bytes:
    """A table of absence as DfE publishes it."""
    lines = [HEADER, *(f"{urn},202,{overall},{persistent}" for urn, (overall, persistent) in schools.items())]
    return "\n".join(lines).encode() + b"\n"


def form(**fields: str | None) -> dict[str, str]:
    """The fields that go with a file of absence."""
    usual = {"feed": "absence", "academic_year": YEAR, "release_status": "final", "published_on": "2024-03-21"}
    return {name: value for name, value in {**usual, **fields}.items() if value is not None}


async def send(world: World, dfe: Actor, content: bytes, **fields: str | None) -> Json:
    """Send a file and wait until it was read; gives the release."""
    answer = await dfe.ask("POST", "/v1/releases", data=form(**fields), files={"file": ("absence.csv", content)})
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "ingesting"
    await world.settle(rounds=1)
    found = await dfe.get(answer.headers["location"])
    assert found["status"] != "ingesting"
    return found


def state(world: World) -> list[Any]:
    """All that releases have brought about: what counts, every observation, and the register."""
    return [
        world.rows("SELECT feed, academic_year, measure, release_id FROM outcomes.current_release ORDER BY 1, 2, 3"),
        world.rows("SELECT * FROM outcomes.observation ORDER BY release_id, measure, academic_year, urn"),
        world.rows("SELECT id, status, values_hash FROM outcomes.release WHERE status = 'current' ORDER BY id"),
        world.rows("SELECT urn, name, trust_uid, status FROM outcomes.establishment ORDER BY urn"),
        world.rows("SELECT urn, trust_uid, joined_on, left_on FROM outcomes.membership ORDER BY urn, joined_on"),
    ]


async def overall(dfe: Actor, urn: int = 100052) -> float:
    """Overall absence of a school, as it counts now."""
    found = await dfe.get(f"/v1/schools/{urn}/observations", measure="ABS_OVERALL")
    return float(found["data"][0]["value"])


@pytest.fixture
async def dfe(world: World) -> Actor:
    """DfE's own system, on a database without rows."""
    return await world.client(Kind.DFE)


async def test_a_file_that_is_accepted_counts_for_its_year(world: World, dfe: Actor) -> None:
    row = await send(world, dfe, csv(FEW))
    assert (row["status"], row["reason_code"], row["counts_for"]) == ("current", None, [YEAR])
    assert (row["rows_read"], row["rows_accepted"], row["rows_rejected"]) == (3, 3, 0)
    seen = (await dfe.get("/v1/schools/100059/observations"))["data"]
    assert {each["measure"]: (each["state"], each["value"]) for each in seen} == {
        "ABS_OVERALL": ("ok", 6.4),
        "ABS_PA": ("suppressed", None),
    }


async def test_the_same_file_twice_changes_nothing(world: World, dfe: Actor) -> None:
    first = await send(world, dfe, csv(FEW))
    before = state(world)
    again = await send(world, dfe, csv(FEW))
    assert (again["status"], again["reason_code"]) == ("superseded", "same_values")
    assert again["same_values_as"] == first["id"]
    assert again["counts_for"] == []
    assert state(world) == before
    assert (await dfe.get(f"/v1/releases/{first['id']}"))["status"] == "current"


async def test_the_same_values_in_other_bytes_change_nothing(world: World, dfe: Actor) -> None:
    await send(world, dfe, csv(FEW))
    before = state(world)
    again = await send(world, dfe, gzip.compress(csv(dict(reversed(FEW.items())))), published_on="2024-06-01")
    assert (again["status"], again["reason_code"]) == ("superseded", "same_values")
    assert state(world) == before


async def test_an_older_snapshot_that_arrives_later_does_not_replace(world: World, dfe: Actor) -> None:
    newer = await send(world, dfe, csv(FEW), published_on="2024-03-21")
    older = await send(world, dfe, csv(FEW | {100052: ("9.9", "30.0")}), published_on="2023-10-01")
    assert (older["status"], older["reason_code"], older["counts_for"]) == ("superseded", "older_snapshot", [])
    assert (await dfe.get(f"/v1/releases/{newer['id']}"))["counts_for"] == [YEAR]
    assert await overall(dfe) == 8.2


async def test_values_that_were_published_again_are_as_new_as_their_last_publication(world: World, dfe: Actor) -> None:
    first = await send(world, dfe, csv(FEW), published_on="2024-01-10")
    again = await send(world, dfe, csv(FEW), published_on="2024-06-10")
    assert (again["reason_code"], again["same_values_as"]) == ("same_values", first["id"])
    other = csv(FEW | {100052: ("9.9", "30.0")})
    between = await send(world, dfe, other, published_on="2024-03-10")
    assert (between["reason_code"], between["counts_for"], await overall(dfe)) == ("older_snapshot", [], 8.2)
    later = await send(world, dfe, other, published_on="2024-06-11")
    assert (later["status"], await overall(dfe)) == ("current", 9.9)


async def test_a_later_publication_of_the_same_stage_replaces(world: World, dfe: Actor) -> None:
    older = await send(world, dfe, csv(FEW), published_on="2023-10-01")
    newer = await send(world, dfe, csv(FEW | {100052: ("9.9", "30.0")}), published_on="2024-03-21")
    assert newer["counts_for"] == [YEAR]
    replaced = await dfe.get(f"/v1/releases/{older['id']}")
    assert (replaced["status"], replaced["reason_code"], replaced["counts_for"]) == ("superseded", "replaced", [])
    assert await overall(dfe) == 9.9


async def test_a_later_stage_wins_and_an_earlier_one_never_comes_back(world: World, dfe: Actor) -> None:
    published = {"provisional": "2023-10-01", "revised": "2023-12-01", "final": "2024-03-21"}
    for value, (stage, day) in zip(("8.1", "8.3", "8.5"), published.items(), strict=True):
        row = await send(world, dfe, csv(FEW | {100052: (value, "24.0")}), release_status=stage, published_on=day)
        assert row["status"] == "current"
        assert await overall(dfe) == float(value)
    for stage in ("provisional", "revised"):
        late = csv(FEW | {100052: ("1.0", "2.0")})
        row = await send(world, dfe, late, release_status=stage, published_on="2025-01-01")
        assert (row["status"], row["counts_for"]) == ("superseded", [])
        assert await overall(dfe) == 8.5


async def test_the_same_values_at_a_later_stage_count_as_that_stage(world: World, dfe: Actor) -> None:
    await send(world, dfe, csv(FEW), release_status="provisional", published_on="2023-10-01")
    assert (await send(world, dfe, csv(FEW), release_status="final"))["counts_for"] == [YEAR]


async def test_a_file_of_more_than_a_megabyte_comes_in_through_the_gateway(world: World, dfe: Actor) -> None:
    wide = (
        csv(FEW)
        .replace(b"\n", b",A,B\n", 1)
        .replace(b"24.0\n", b"24.0," + b"x" * 700_000 + b"," + b"y" * 700_000 + b"\n")
    )
    assert len(wide) > 1_000_000
    assert (await send(world, dfe, wide))["status"] == "current"


async def test_years_do_not_replace_one_another(world: World, dfe: Actor) -> None:
    first = await send(world, dfe, csv(FEW), academic_year="2021/22")
    await send(world, dfe, csv(FEW | {100052: ("9.9", "30.0")}), academic_year="2022/23")
    assert (await dfe.get(f"/v1/releases/{first['id']}"))["counts_for"] == ["2021/22"]
    seen = (await dfe.get("/v1/schools/100052/observations", measure="ABS_OVERALL"))["data"]
    assert {each["academic_year"]: each["value"] for each in seen} == {"2021/22": 8.2, "2022/23": 9.9}


WHOLE = csv(MANY | {100052: ("9.9", "30.0")})
REFUSED: dict[str, tuple[bytes, str, str]] = {
    "an encoding that nobody uses": (HEADER.encode() + b"\n100052,Caf\x81\xe9,9.9,30.0\n", "wrong_encoding", "utf-8"),
    "UTF-16": (WHOLE.decode().encode("utf-16"), "unreadable", "bytes"),
    "half of an archive": (gzip.compress(WHOLE)[: len(gzip.compress(WHOLE)) // 2], "truncated", "part"),
    "half of a quoted cell": (f'{HEADER}\n100052,202,9.9,"30.'.encode(), "truncated", "middle"),
    "half of a row": (WHOLE[: WHOLE.index(b"\n", len(WHOLE) // 2) + 4], "truncated", "part"),
    "half of the rows": (WHOLE[: WHOLE.index(b"\n", len(WHOLE) // 2) + 1], "much_smaller", "part"),
    "a missing column": (WHOLE.replace(b"PPERSABS10", b"OTHER"), "unknown_layout", "ppersabs10"),
    "a header without rows": (f"{HEADER}\n".encode(), "empty", "no rows"),
    "empty lines": (b"\n\n\n", "empty", "no rows"),
    "a page of a website": (b"<!doctype html><title>Sign in</title>", "unreadable", "web page"),
    "a spreadsheet": (b"PK\x03\x04" + bytes(100), "unreadable", "CSV"),
    "no row that can be read": (csv(dict.fromkeys(range(9), ("9.9", "30.0"))), "mostly_rejected", "rejected"),
}


async def test_a_broken_file_is_refused_with_its_reason_and_changes_nothing(
    world: World, dfe: Actor, subtests: pytest.Subtests
) -> None:
    good = await send(world, dfe, csv(MANY | FEW), published_on="2023-10-01")
    before = state(world)
    for what, (content, reason, word) in REFUSED.items():
        with subtests.test(file=what):
            row = await send(world, dfe, content, published_on="2024-03-21")
            assert (row["status"], row["reason_code"], row["counts_for"]) == ("refused", reason, [])
            assert row["detail"].endswith((".", "?"))
            assert word.lower() in row["detail"].lower()
            assert state(world) == before
    assert (await dfe.get(f"/v1/releases/{good['id']}"))["status"] == "current"


def served(schools: Sequence[int], overall: float) -> bytes:
    """Absence of three years a school."""
    periods = ("Current", "Previous", "Previous2")
    figures = {f"Abs_{of}_Est_{when}_Pct": overall for of in ("Tot", "Persistent") for when in periods}
    return json.dumps([{"Id": str(urn), "LAId": "202", **figures} for urn in schools]).encode()


async def test_a_year_of_which_a_file_has_a_part_does_not_count_but_its_others_do(world: World, dfe: Actor) -> None:
    whole, urns = await send(world, dfe, csv(MANY)), list(MANY)
    three = {"academic_year": "2023/24", "published_on": "2026-03-01"}
    row = await send(world, dfe, served(urns[:60], 3.25), **three)
    assert (row["status"], row["reason_code"], row["counts_for"]) == ("current", "much_smaller", ["2021/22", "2023/24"])
    why = f"Of 2022/23 it has 120 records where release {whole['number']} has 300: a part of a file?"
    assert row["detail"] == f"It does not count for every year. {why}"
    told = world.rows("SELECT data FROM outcomes.event WHERE type = 'release.ingested' ORDER BY position DESC LIMIT 1")
    assert (told[0][0]["detail"], told[0][0]["counts_for"]) == (row["detail"], row["counts_for"])
    seen = (await dfe.get(f"/v1/schools/{urns[0]}/observations", measure="ABS_OVERALL"))["data"]
    assert {each["academic_year"]: each["value"] for each in seen} == {"2021/22": 3.25, "2022/23": 5.5, "2023/24": 3.25}
    assert (await dfe.get(f"/v1/releases/{whole['id']}"))["counts_for"] == [YEAR]
    kept = world.rows(f"SELECT count(*) FROM outcomes.observation WHERE release_id = '{row['id']}'")
    assert kept == [(360,)]
    small = await send(world, dfe, served(urns[:30], 3.5), **three)
    assert (small["status"], small["reason_code"], small["detail"].count("a part of")) == ("refused", "much_smaller", 3)


def ks2(value: int, *measures: str) -> bytes:
    """A key stage 2 table with a few of its columns."""
    head = ",".join(("RECTYPE", "URN", "TELIG", *measures))
    cells = ",".join(str(value - 90 if each.endswith("PROG") else value) for each in measures)
    return "\n".join((head, *(f"1,{urn},30,{cells}" for urn in MANY))).encode()


ATTAINMENT, PROGRESS = ("PTRWM_EXP", "READ_AVERAGE"), ("READPROG", "WRITPROG", "MATPROG")


@pytest.mark.parametrize("narrow_first", [False, True])
async def test_a_narrower_table_counts_for_what_it_has(world: World, dfe: Actor, narrow_first: bool) -> None:
    """The newer table is of progress alone, and takes nothing else away, whichever of the two comes first."""
    fields = {"feed": "ks2", "academic_year": "2018/19"}
    files = [(ks2(90, *ATTAINMENT, *PROGRESS), "2024-03-21"), (ks2(95, *PROGRESS), "2024-03-22")]
    sent = [
        await send(world, dfe, content, **fields, published_on=on)
        for content, on in (files[::-1] if narrow_first else files)
    ]
    assert [(row["status"], row["reason_code"]) for row in sent] == [("current", None)] * 2
    full, narrow = [await dfe.get(f"/v1/releases/{row['id']}") for row in (sent[::-1] if narrow_first else sent)]
    assert full["measures"] == {"2018/19": ["KS2_READ_AVG", "KS2_RWM_EXP"]}
    assert narrow["measures"] == {"2018/19": ["KS2_MAT_PROG", "KS2_READ_PROG", "KS2_WRIT_PROG"]}
    assert full["counts_for"] == narrow["counts_for"] == ["2018/19"]
    seen = (await dfe.get(f"/v1/schools/{min(MANY)}/observations"))["data"]
    told = {each["measure"]: (each["value"], each["release"]["id"]) for each in seen}
    assert told["KS2_RWM_EXP"] == (90, full["id"])
    assert told["KS2_READ_PROG"] == (5, narrow["id"])
    part = await send(world, dfe, ks2(91, *ATTAINMENT).split(b"\n1,110050")[0], **fields, published_on="2024-03-23")
    assert (part["status"], part["reason_code"]) == ("refused", "much_smaller")
    assert part["detail"] == f"Of 2018/19 it has 100 records where release {full['number']} has 300: a part of a file?"
    wider = await send(world, dfe, ks2(92, *ATTAINMENT, "MAT_AVERAGE", *PROGRESS), **fields, published_on="2024-03-24")
    assert (wider["status"], len(wider["measures"]["2018/19"])) == ("current", 6)
    for row in (full, narrow):
        gone = await dfe.get(f"/v1/releases/{row['id']}")
        assert (gone["status"], gone["reason_code"], gone["measures"]) == ("superseded", "replaced", {})


async def test_what_rests_on_a_year_is_looked_at_again_when_a_measure_is_added_to_it(world: World, dfe: Actor) -> None:
    first = await send(world, dfe, ks2(90, *ATTAINMENT), feed="ks2", academic_year="2018/19")
    await send(world, dfe, ks2(90, *ATTAINMENT), feed="ks2", academic_year="2016/17")
    file, form_of = {"file": ("ks2.csv", ks2(90, *PROGRESS))}, form(feed="ks2", academic_year="2018/19")
    more = (await dfe.ask("POST", "/v1/releases", data=form_of, files=file)).json()
    await jobs.ingest(world.database("outcomes"), more["id"], utc_now())
    asked = world.rows("SELECT key FROM outcomes.job WHERE kind = 'reopen'")
    assert asked == [(f"{first['id']} {more['id']}",)]


async def test_between_feeds_values_are_as_new_as_their_last_publication(world: World, dfe: Actor) -> None:
    figures = "sess_overall_percent,enrolments_pa_10_exact_percent"
    columns = f"time_period,time_identifier,geographic_level,school_urn,{figures}"
    table = f"{columns}\n202223,Academic year,School,100052,3.5,20.5".encode()
    other = {"feed": "ees_absence", "academic_year": None, "published_on": "2024-05-01"}
    first = await send(world, dfe, csv(FEW), published_on="2024-03-21")
    second = await send(world, dfe, table, **other)
    assert (second["status"], second["counts_for"], await overall(dfe)) == ("current", [YEAR], 3.5)
    again = await send(world, dfe, csv(FEW) + b"\n", published_on="2024-06-01")
    assert (again["reason_code"], again["same_values_as"]) == ("same_values", first["id"])
    assert (await dfe.get(f"/v1/releases/{first['id']}"))["confirmed_on"] == "2024-06-01"
    assert await overall(dfe) == 8.2


async def test_a_file_without_bytes_is_not_even_received(world: World, dfe: Actor) -> None:
    answer = await dfe.ask("POST", "/v1/releases", data=form(), files={"file": ("absence.csv", b"")})
    problem(answer, 422, "empty_file")
    assert world.rows("SELECT count(*) FROM outcomes.release") == [(0,)]


async def test_rejected_rows_are_listed_page_by_page_with_their_reasons(world: World, dfe: Actor) -> None:
    bad = b"12,202,1.0,1.0\n100052,202,much,24.0\n100055,202,1.0,1.0\n"
    row = await send(world, dfe, csv({100055: ("7.1", "20.8"), 100059: ("6.4", "c")}) + bad)
    assert (row["status"], row["rows_read"], row["rows_accepted"], row["rows_rejected"]) == ("current", 5, 2, 3)
    path, found, pages = f"/v1/releases/{row['id']}/rejections?limit=2", [], 0
    while path:
        answer = await dfe.ask("GET", path)
        assert answer.status_code == 200
        found += answer.json()["data"]
        pages += 1
        following = answer.links.get("next", {}).get("url", "")
        assert bool(following) == (answer.json()["paging"]["next"] is not None)
        path = following
    assert pages == 2
    keyed = {each["key"]: (each["row"], each["code"]) for each in found}
    assert keyed == {"12": (3, "bad_urn"), "100052": (4, "unreadable_value"), "100055": (5, "duplicate")}
    assert all(each["detail"].endswith(".") for each in found)
    assert "much" in found[1]["detail"]
    assert await overall(dfe, 100055) == 7.1


async def test_only_a_system_with_the_scope_sends_releases(world: World) -> None:
    rsc = await world.client(Kind.COMMISSIONER, regions=[cast.REGION])
    for actor in (rsc, await world.client(Kind.SUPPLIER, trust_uid=cast.SUPPLIER)):
        answer = await actor.ask("POST", "/v1/releases", data=form(), files={"file": ("absence.csv", csv(FEW))})
        assert problem(answer, 403, "insufficient_scope")["scope"] == "releases:write"
    assert world.rows("SELECT count(*) FROM outcomes.release") == [(0,)]


WRONG: dict[str, tuple[dict[str, str | None], str | None]] = {
    "a feed that does not exist": ({"feed": "ks9"}, "unknown_feed"),
    "a feed that is no code": ({"feed": "KS4 final!"}, None),
    "a year that is none": ({"academic_year": "2022"}, None),
    "a year whose halves do not follow": ({"academic_year": "2022/24"}, None),
    "no year where one is needed": ({"academic_year": None}, "academic_year_needed"),
    "a year where none is taken": ({"feed": "gias_groups"}, "academic_year_not_taken"),
    "a publication to come": ({"published_on": "2999-01-01"}, "published_in_future"),
    "a day that does not exist": ({"published_on": "2024-02-30"}, None),
    "a stage that does not exist": ({"release_status": "draft"}, None),
    "a field that nobody knows": ({"colour": "blue"}, None),
}


async def test_a_request_that_says_something_wrong_is_refused_at_the_door(
    world: World, dfe: Actor, subtests: pytest.Subtests
) -> None:
    file = {"file": ("absence.csv", csv(FEW))}
    for what, (fields, code) in WRONG.items():
        with subtests.test(request=what):
            problem(await dfe.ask("POST", "/v1/releases", data=form(**fields), files=file), 422, code)
    assert world.rows("SELECT count(*) FROM outcomes.release") == [(0,)]


async def test_an_older_register_that_arrives_later_moves_no_school(seeded_world: World) -> None:
    dfe = await seeded_world.client(Kind.DFE)
    before = state(seeded_world)
    text = gzip.decompress((SAMPLE / "gias_establishments.json.gz").read_bytes()).decode()
    changed = text.replace(f'"TrustId":"{cast.OUTGOING}"', f'"TrustId":"{cast.ANOTHER_TRUST}"')
    assert changed != text
    fields = {"feed": "gias_establishments", "academic_year": None, "published_on": "2020-01-01"}
    row = await send(seeded_world, dfe, gzip.compress(changed.encode()), **fields)
    assert (row["status"], row["reason_code"]) == ("superseded", "older_snapshot")
    assert state(seeded_world) == before


async def test_the_next_days_register_changes_what_differs(world: World, dfe: Actor) -> None:
    stays = line(100002, closed="02-03-2020") + line(20001) + line(100003, opened="soon")
    published = {"2020-01-01": "A school", "2020-01-02": "Renamed", "2020-03-02": "Renamed", "2020-03-03": "A school"}
    rows = []
    for day, name in published.items():
        fields = {"feed": "gias_establishments", "academic_year": None, "published_on": day}
        rows.append(await send(world, dfe, REGISTER + line(100001, name) + stays + line(100004, day), **fields))
        counts = [rows[-1][f"rows_{name}"] for name in ("read", "accepted", "ignored", "rejected")]
        assert (rows[-1]["status"], counts) == ("current", [5, 3, 1, 1])
        assert (await dfe.get(f"/v1/releases/{rows[-1]['id']}/rejections"))["data"][0]["row"] == 4
        assert world.rows("SELECT release_id::text FROM outcomes.release_lines") == [(rows[-1]["id"],)]
    told = world.rows("SELECT name, release_id::text FROM outcomes.establishment ORDER BY urn")
    assert told == [("A school", rows[3]["id"]), (NAME, rows[0]["id"]), ("2020-03-03", rows[3]["id"])]
    left = world.rows("SELECT urn, left_on::text, left_inferred FROM outcomes.membership ORDER BY urn")
    assert left == [(100001, None, False), (100002, "2020-03-02", False), (100004, None, False)]
    late = await send(world, dfe, REGISTER + line(100001, "Late") + stays, **{**fields, "published_on": "2020-02-01"})
    assert (late["status"], late["reason_code"]) == ("superseded", "older_snapshot")
    assert world.rows("SELECT name, release_id::text FROM outcomes.establishment ORDER BY urn") == told


async def test_a_register_read_beside_one_that_was_replaced_meanwhile_is_read_again(world: World, dfe: Actor) -> None:
    first, second = (REGISTER + line(100001, name) + line(100002) for name in ("A school", "Renamed"))
    fields = {"feed": "gias_establishments", "academic_year": None}
    await send(world, dfe, first, **fields, published_on="2020-01-01")
    database = Database("outcomes", role_url("outcomes", world.database_url))
    base = await jobs.base_of(database, "gias_establishments")
    found = await jobs.found_in("gias_establishments", None, first, base)
    await send(world, dfe, second, **fields, published_on="2020-01-02")
    asked = Arrival("gias_establishments", None, Stage.FINAL, date(2020, 1, 3))
    facts: Json = {"asked": asked, "filename": "a.csv", "content": first, "today": date(2020, 1, 3), "now": utc_now()}
    async with database.transaction(OPERATOR) as session:
        row = await receive(session, caller=OPERATOR, **facts)
    await jobs.settle(database, row, first, found, utc_now())
    await database.close()
    assert world.rows("SELECT name FROM outcomes.establishment ORDER BY urn") == [("A school",), (NAME,)]
