"""A verdict follows from what it stored, and a revision of the data that it rests on reopens it."""

import gzip
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlmodel.ext.asyncio.session import AsyncSession
from typer.testing import CliRunner

from services.cli import app
from services.demo import cast
from services.kernel.auth import service_caller
from services.kernel.jobs import Worker, enqueue
from services.kernel.types import utc_now
from services.outcomes.evaluations import jobs
from tests.crash.nursery import Nursery
from tests.inspections import GRADED, monthly, of
from tests.integration.scenes import Case
from tests.world import SAMPLE, Json, World, change, plain_url

SELF = service_caller("outcomes")
ABSENCE = SAMPLE / "absence_2023-24.json.gz"
EES_ABSENCE = ("sess_overall_percent", "enrolments_pa_10_exact_percent")
PUBLISHED = {"feed": "absence", "academic_year": cast.YEAR, "release_status": "final", "published_on": "2025-09-01"}


def absence(persistent: Mapping[str, str]) -> bytes:
    """The year's table as it was published, with other figures for some schools."""
    rows = json.loads(gzip.decompress(ABSENCE.read_bytes()))
    for row in rows:
        row["Abs_Persistent_Est_Current_Pct"] = persistent.get(row["Id"], row["Abs_Persistent_Est_Current_Pct"])
    return json.dumps(rows).encode()


async def revise(case: Case, persistent: Mapping[str, str]) -> Json:
    """DfE publishes the year's absence again, and what follows from it is done."""
    return await publish(case, PUBLISHED, absence(persistent))


async def publish(case: Case, form: Mapping[str, str], content: bytes) -> Json:
    """DfE publishes a file, and what follows from it is done; gives the release."""
    answer = await case["dfe"].ask("POST", "/v1/releases", data=form, files={"file": ("absence", content)})
    assert answer.status_code == 202, answer.text
    await case.world.settle()
    return await case["dfe"].get(answer.headers["location"])


async def wrong(world: World) -> list[UUID]:
    """The verdicts that cannot be reached again."""
    return (await jobs.recompute(world.database("outcomes")))[1]


async def test_every_verdict_is_reached_again_from_what_it_stored(case: Case) -> None:
    assert case.world.rows("SELECT count(*) FROM outcomes.evaluation")[0] > (0,)
    assert await wrong(case.world) == []


@pytest.mark.parametrize(
    "changed",
    [
        "inputs = jsonb_set(inputs, '{question,run}', '\"interim\"')",
        "inputs = jsonb_set(inputs, '{evidence,0,match,comparators,0,outcome}', '1.5')",
        "result = jsonb_set(result, '{score}', '0.25')",
        "overall = 'partly_met'",
    ],
)
async def test_a_verdict_that_somebody_changed_is_found(case: Case, changed: str) -> None:
    with psycopg.connect(plain_url(case.world.database_url)) as owner:
        owner.execute(f"UPDATE outcomes.evaluation SET {changed}")
    ids = [row[0] for row in case.world.rows("SELECT id FROM outcomes.evaluation ORDER BY id")]
    assert await wrong(case.world) == ids


def test_a_command_looks_at_all_verdicts(case: Case, keys_dir: Path) -> None:
    with pytest.MonkeyPatch.context() as installed:
        installed.setenv("RINGFENCE_DATABASE_URL", case.world.database_url)
        installed.setenv("RINGFENCE_KEYS_DIR", str(keys_dir))
        installed.setenv("RINGFENCE_OCID_PREFIX", "ocds-abc123")
        installed.delenv("RINGFENCE_NOW")
        fine = CliRunner().invoke(app, ["recompute"])
        assert (fine.exit_code, fine.stdout) == (0, "1 verdicts follow from what they stored.\n")
        change(case.world.database_url, "UPDATE outcomes.evaluation SET overall = 'partly_met'")
        told = CliRunner().invoke(app, ["recompute"])
        assert (told.exit_code, "does not follow from what it stored" in told.stdout) == (1, True)


async def test_a_revision_reopens_the_verdicts_that_used_the_data(case: Case) -> None:
    before = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"][0]
    assert before["overall"] == "met"
    release = await revise(case, {cast.SCHOOL: "48.5"})
    after, old = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"]
    assert old == before
    assert (after["supersedes_id"], after["reopened_by"]) == (before["id"], release["id"])
    assert (after["run"], after["academic_year"], after["overall"]) == ("final", cast.YEAR, "partly_met")
    assert after["inputs_hash"] != before["inputs_hash"]
    measure = {each["measure"]: each for each in after["measures"]}["ABS_PA"]
    assert measure["status"] == "not_met"
    assert (measure["actual"]["value"], measure["releases"][-1]["id"]) == (48.5, release["id"])
    contract = await case["rsc"].get(case.contract)
    assert contract["evaluation"]["id"] == after["id"]
    assert await wrong(case.world) == []


async def test_a_revision_elsewhere_leaves_the_school_where_it_was_but_not_those_beside_it(case: Case) -> None:
    before = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"][0]
    near = before["measures"][0]["comparators"]["comparators"][0]["urn"]
    await revise(case, {str(near): "1.0"})
    after = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"][0]
    assert after["supersedes_id"] == before["id"]
    assert after["measures"][0]["actual"] == before["measures"][0]["actual"]
    assert after["measures"][0]["effect"]["tau"] != before["measures"][0]["effect"]["tau"]


async def test_many_verdicts_are_reopened_in_parts_that_workers_share(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    await case["rsc"].post(f"{case.contract}/evaluations", {"academic_year": cast.YEAR, "run": "interim"})
    monkeypatch.setattr(jobs, "AT_A_TIME", 1)
    shared: list[str] = []

    async def seen(session: AsyncSession, table: Any, **job: Any) -> None:
        shared.append(job["key"])
        await enqueue(session, table, **job)

    monkeypatch.setattr(jobs, "enqueue", seen)
    before = {each["id"] for each in (await case["rsc"].get(f"{case.contract}/evaluations"))["data"]}
    await revise(case, {cast.SCHOOL: "48.5"})
    after = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"]
    assert sorted(key.split()[2:] for key in shared) == sorted([each, each] for each in before)
    assert (len(after), {each["supersedes_id"] for each in after[:2]}) == (4, before)


async def test_reopening_again_changes_nothing(case: Case) -> None:
    (replaced,) = case.world.rows(
        "SELECT release_id FROM outcomes.current_release WHERE feed = 'absence' AND academic_year = 2023"
    )[0]
    release = await revise(case, {cast.SCHOOL: "48.5"})
    rows = "SELECT id, supersedes_id FROM outcomes.evaluation ORDER BY id"
    before = case.world.rows(rows)
    await jobs.reopen(case.world.database("outcomes"), f"{replaced} {release['id']}", utc_now())
    assert case.world.rows(rows) == before
    assert len(before) == 2


@pytest.mark.parametrize("kind", ["reopen", "inspected"])
async def test_a_verdict_is_reopened_once_though_workers_are_killed_while_they_do_it(
    kind: str, case: Case, keys_dir: Path
) -> None:
    found = monthly(of(int(cast.SCHOOL), GRADED, graded__started="21/05/2024", graded__safeguarding="No"))
    form = {
        "reopen": PUBLISHED,
        "inspected": {"feed": "ofsted", "release_status": "final", "published_on": "2025-09-01"},
    }
    content = {"reopen": ("absence.json", absence({cast.SCHOOL: "48.5"})), "inspected": ("inspections.csv", found)}
    [outcomes] = [each for each in case.world.system.workers if isinstance(each, Worker) and kind in each.handlers]
    moment = os.environ["RINGFENCE_NOW"]
    with Nursery(case.world.database_url, keys_dir) as nursery:
        nursery.work(moment, None)
        answer = await case["dfe"].ask("POST", "/v1/releases", data=form[kind], files={"file": content[kind]})
        assert await outcomes.run_once(utc_now()), answer.text
        assert nursery.kill_on_the_way(moment, 1) == [f"{kind} 1", f"{kind} 2", f"{kind} 2"]
        nursery.work(moment, None)
    after, before = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"]
    assert (after["supersedes_id"], after["reopened_by"]) == (before["id"], answer.json()["id"])
    assert (await case["rsc"].get(case.contract))["evaluation"]["id"] == after["id"]


async def test_the_same_values_again_reopen_nothing(case: Case) -> None:
    before = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"]
    release = await revise(case, {})
    assert release["reason_code"] == "same_values"
    assert (await case["rsc"].get(f"{case.contract}/evaluations"))["data"] == before


async def test_a_revision_in_another_feed_of_the_same_measures_reopens_verdicts_too(case: Case) -> None:
    before = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"][0]
    columns = ("time_period", "time_identifier", "geographic_level", "school_urn", *EES_ABSENCE)
    lines = [",".join(columns)]
    for row in json.loads(absence({cast.SCHOOL: "48.5"})):
        figures = row["Abs_Tot_Est_Current_Pct"], row["Abs_Persistent_Est_Current_Pct"]
        lines.append(",".join(("202324", "Academic year", "School", row["Id"], *(each or "" for each in figures))))
    form = {"feed": "ees_absence", "release_status": "final", "published_on": "2025-09-01"}
    release = await publish(case, form, "\n".join(lines).encode())
    assert (release["status"], release["counts_for"]) == ("current", [cast.YEAR])
    after, old = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"]
    assert (old, after["overall"]) == (before, "partly_met")
    assert (after["supersedes_id"], after["reopened_by"]) == (before["id"], release["id"])
    assert {each["measure"]: each for each in after["measures"]}["ABS_PA"]["actual"]["value"] == 48.5
    counting = case.world.rows(
        "SELECT DISTINCT r.feed, r.status FROM outcomes.current_release AS c"
        " JOIN outcomes.release AS r ON r.id = c.release_id"
        " WHERE c.academic_year = 2023 AND r.feed LIKE '%absence' ORDER BY 1"
    )
    assert counting == [("absence", "current"), ("ees_absence", "current")]
    again = await publish(case, {**PUBLISHED, "published_on": "2025-10-01"}, absence({}))
    assert (again["status"], again["reason_code"]) == ("superseded", "same_values")
    back, *earlier = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"]
    assert earlier == [after, before]
    assert (back["supersedes_id"], back["reopened_by"]) == (after["id"], again["id"])
    assert (back["overall"], back["inputs_hash"]) == ("met", before["inputs_hash"])
    assert (await case["rsc"].get(case.contract))["evaluation"]["id"] == back["id"]
