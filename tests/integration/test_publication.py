"""What the public is told: every life story, checked by the standard's own validator and merged by its own library."""

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.demo import cast
from services.system import SAMPLE_PREFIX
from tests.integration.conftest import (
    active_contract,
    complete,
    judged_contract,
    problem,
    proposed_transfer,
    record,
    signature,
    to,
)
from tests.integration.scenes import DAY_AFTER_LAST, RESULTS_OUT, Actors
from tests.world import ROOT, Json, World, agreed_contract

TOOL = ROOT.parent / "shared" / "tools" / "ocds_check.py"
checked = pytest.mark.skipif(
    not TOOL.is_file() or find_spec("libcoveocds") is None, reason="the standard's validator is not at hand"
)
WHY = {"reason": "as the board decided"}
REST = {**WHY, "stops": {"clock": True, "payments": True, "reviews": True, "ring_fence": False}}
NAME = "somebody"
EXTENDABLE = {"term": cast.CONTRACT["term"] | {"latest_ends_on": "2025-08-31"}}
Story = Callable[[World, Actors], Awaitable[str]]


async def offered(actors: Actors) -> str:
    """The path of a contract that waits for signatures."""
    made = await actors["rsc"].post("/v1/contracts", cast.CONTRACT)
    path = f"/v1/contracts/{made['id']}"
    await actors["rsc"].change(path, "offer")
    return path


async def agreed_and_completed(world: World, actors: Actors) -> str:
    path = await active_contract(world, actors)
    await complete(world, actors, path)
    await to(world, RESULTS_OUT)
    await actors["rsc"].post(f"{path}/evaluations", {"academic_year": cast.YEAR, "run": "interim"})
    await actors["rsc"].post(f"{path}/notices", {"kind": "UK11", "published_on": "2024-09-20"})
    return path


async def varied(world: World, actors: Actors) -> str:
    path = await active_contract(world, actors, **EXTENDABLE)
    first, second, _third = cast.CONTRACT["milestones"]
    changes = {"ends_on": "2025-08-31", "milestones": [first, second], "fee_pence": 13_000_000}
    body = {"effective_on": "2023-10-01", "rationale": "More time is needed", "changes": changes}
    await actors["mat"].change(path, "variations", body, 201)
    for name, party in (("rsc", "commissioner"), ("mat", "supplier"), ("body", "responsible_body")):
        await actors[name].change(path, "variations/1/signatures", signature(party), 201)
    await to(world, "2023-10-01")
    await actors["rsc"].change(path, "corrections", {**WHY, "title": "School improvement"})
    return path


async def suspended(world: World, actors: Actors) -> str:
    path = await active_contract(world, actors, **EXTENDABLE)
    await actors["rsc"].change(path, "suspension", REST)
    await to(world, "2023-10-01")
    await actors["rsc"].change(path, "resumption", WHY)
    await to(world, "2024-10-02")
    return path


async def withdrawn(world: World, actors: Actors) -> str:
    path = await active_contract(world, actors)
    made = await record(actors["mat"], path, "M1", "2023-09-01")
    await to(world, "2023-10-01")
    await actors["mat"].post(f"/v1/milestone-records/{made['id']}/withdrawal", {"reason": "Another school was meant"})
    return path


async def terminated_for_breach(world: World, actors: Actors) -> str:
    path = await active_contract(world, actors)
    await record(actors["mat"], path, "M1", "2023-09-01", "not_met")
    await to(world, "2023-10-01")
    opportunity = {"opened_on": "2023-10-01", "closes_on": "2023-11-01", "details": "A plan for attendance"}
    await actors["rsc"].post(f"{path}/improvement-opportunities", opportunity)
    await to(world, "2023-11-02")
    found = {"found_on": "2023-11-02", "opportunity": 1, "details": "No plan was made"}
    await actors["rsc"].post(f"{path}/poor-performance-findings", found)
    await actors["rsc"].change(path, "termination", {**WHY, "ground": "breach"})
    return path


async def transferred(world: World, actors: Actors) -> str:
    path = await judged_contract(world, actors)
    transfer = await proposed_transfer(actors)
    for name, by in (("rsc", "rsc"), ("mat", "trust_board"), ("body", "outgoing_trust")):
        decision = {"by": by, "decision": "approved", "decided_on": RESULTS_OUT}
        await actors[name].change(transfer, "consents", decision, 201)
    day = {"effective_on": cast.EFFECTIVE_ON, "confirmed": True, "reason": "agreed"}
    await actors["rsc"].change(transfer, "effective-date", day)
    owners = {"commissioner": "rsc", "supplier": "mat", "responsible_body": "body"}
    for step in (await actors["rsc"].get(transfer))["steps"]:
        due = not step["optional"] and step["section"] != "after" and step["status"] in {"open", "locked"}
        if due and step["owner"] in owners:
            await actors[owners[step["owner"]]].change(transfer, f"steps/{step['key']}/completion", {})
    await to(world, cast.EFFECTIVE_ON)
    assert (await actors["rsc"].get(path))["status"] == "transferred"
    return path


async def cancelled(_world: World, actors: Actors) -> str:
    path = await offered(actors)
    await actors["rsc"].change(path, "cancellation", WHY)
    return path


async def refused(_world: World, actors: Actors) -> str:
    path = await offered(actors)
    await actors["rsc"].change(path, "offer-withdrawal", WHY)
    await actors["rsc"].change(path, "offer")
    await actors["mat"].change(path, "refusal", WHY)
    return path


async def expired(world: World, actors: Actors) -> str:
    path = await active_contract(world, actors, legal_route="grant")
    await to(world, DAY_AFTER_LAST)
    return path


STORIES: dict[str, tuple[Story, list[str]]] = {
    "agreed and completed": (agreed_and_completed, ["contractTermination", "implementationUpdate", "contractUpdate"]),
    "varied": (varied, ["contractAmendment", "contractUpdate"]),
    "suspended": (suspended, ["contractUpdate", "contractTermination"]),
    "withdrawn": (withdrawn, ["implementation", "implementationUpdate"]),
    "terminated for breach": (terminated_for_breach, ["implementationUpdate", "contractTermination"]),
    "transferred": (transferred, ["contractTermination", "contractTermination"]),
    "cancelled before signature": (cancelled, ["tenderCancellation"]),
    "refused": (refused, ["tenderUpdate", "tenderCancellation"]),
    "expired": (expired, ["contractUpdate", "contractTermination"]),
}
STATUSES = {
    "agreed and completed": ("complete", "active", "terminated", "complete"),
    "varied": ("complete", "active", "active", "active"),
    "suspended": ("complete", "active", "terminated", "incomplete"),
    "withdrawn": ("complete", "active", "active", "active"),
    "terminated for breach": ("complete", "active", "terminated", "unsuccessful"),
    "transferred": ("complete", "active", "terminated", "complete"),
    "cancelled before signature": ("cancelled", "cancelled", None, None),
    "refused": ("cancelled", "unsuccessful", None, None),
    "expired": ("complete", "active", "terminated", "incomplete"),
}
"""Of tender, award and contract at the end, and our own word beside the contract's."""


async def package(world: World, kind: str, path: str) -> Json:
    """What anybody gets, without a token."""
    answer = await world.http.get(f"/v1/ocds/{kind}/{SAMPLE_PREFIX}-{path.rpartition('/')[2]}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def check(folder: Path, name: str, found: Json) -> None:
    """The standard's own validator finds nothing wrong."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(found))
    done = subprocess.run([sys.executable, str(TOOL), str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """The release schema with every extension applied."""
    file = tmp_path_factory.mktemp("ocds") / "schema.json"
    subprocess.run([sys.executable, str(TOOL), "--patched-schema", str(file)], check=True, capture_output=True)
    return json.loads(file.read_text())


@checked
@pytest.mark.parametrize("name", list(STORIES))
async def test_every_life_story_is_valid_and_adds_up(
    name: str, seeded_world: World, actors: Actors, schema: Json, tmp_path: Path
) -> None:
    import ocdsmerge

    story, last_tags = STORIES[name]
    path = await story(seeded_world, actors)
    await seeded_world.settle()
    releases, records = (
        await package(seeded_world, "releases", path),
        await package(seeded_world, "records", path),
    )
    check(tmp_path, "releases", releases)
    check(tmp_path, "records", records)
    found = releases["releases"]
    tags = [tag for each in found for tag in each["tag"]]
    assert tags[0] == "planning"
    assert [tag for tag in tags if tag in set(last_tags)][-len(last_tags) :] == last_tags
    assert len({each["id"] for each in found}) == len(found)
    ours = records["records"][0]["compiledRelease"]
    assert ours == ocdsmerge.Merger(schema).create_compiled_release(found)
    contract = (ours.get("contracts") or [{}])[0]
    statuses = (ours["tender"]["status"], ours["awards"][0]["status"], contract.get("status"))
    assert (*statuses, contract.get("statusDetails")) == STATUSES[name]
    assert NAME not in json.dumps(releases)


async def test_a_release_tells_only_what_is_new_and_stays(seeded_world: World, actors: Actors, agreed: str) -> None:
    await seeded_world.settle()
    before = (await package(seeded_world, "releases", agreed))["releases"]
    await to(seeded_world, "2023-09-01")
    await record(actors["mat"], agreed, "M1", "2023-09-01")
    await seeded_world.settle()
    after = (await package(seeded_world, "releases", agreed))["releases"]
    assert after[: len(before)] == before
    decided = after[-1]
    assert decided["tag"] == ["implementation"]
    assert set(decided) == {"ocid", "id", "date", "tag", "language", "initiationType", "tender", "contracts"}
    milestones = decided["contracts"][0]["implementation"]["milestones"]
    assert [(each["id"], each["status"]) for each in milestones] == [("M1", "met")]
    assert milestones[0]["dateMet"] == "2023-09-01T00:00:00Z"


async def test_the_same_is_published_once_whoever_publishes(seeded_world: World, actors: Actors, agreed: str) -> None:
    from services.contracts.models import Job
    from services.kernel.auth import service_caller
    from services.kernel.jobs import enqueue

    await seeded_world.settle()
    before = await package(seeded_world, "releases", agreed)
    database = seeded_world.database("contracts")
    async with database.transaction(service_caller("contracts")) as session:
        await enqueue(session, Job, kind="publish", key=agreed.rpartition("/")[2])
    await seeded_world.settle()
    assert await package(seeded_world, "releases", agreed) == before


async def test_drafts_are_nobodys_business(seeded_world: World, actors: Actors) -> None:
    made = await actors["rsc"].post("/v1/contracts", cast.CONTRACT)
    await seeded_world.settle()
    for kind in ("releases", "records"):
        problem(await seeded_world.http.get(f"/v1/ocds/{kind}/{SAMPLE_PREFIX}-{made['id']}"), 404, "not_found")
    assert (await seeded_world.http.get("/v1/ocds/releases")).json()["releases"] == []


async def test_all_releases_page_by_page(seeded_world: World, actors: Actors, completed: str) -> None:
    whole = (await seeded_world.http.get("/v1/ocds/releases", params={"limit": 200})).json()["releases"]
    seen: list[Any] = []
    target: str | None = "/v1/ocds/releases?limit=2"
    while target:
        answer: httpx.Response = await seeded_world.http.get(target)
        seen += answer.json()["releases"]
        target = answer.links.get("next", {}).get("url")
    assert seen == whole
    assert len(whole) > 5
    again = await seeded_world.http.get("/v1/ocds/releases", headers={"If-None-Match": '"x"'})
    tag = {"If-None-Match": again.headers["etag"]}
    assert (await seeded_world.http.get("/v1/ocds/releases", headers=tag)).status_code == 304


async def test_without_a_prefix_nothing_is_published(seeded_world: World, actors: Actors) -> None:
    seeded_world.system.apps["contracts"].state.publisher = None
    await agreed_contract(actors)
    answer = await seeded_world.http.get("/v1/ocds/releases")
    assert problem(answer, 503, "ocid_prefix_missing")["detail"].startswith("Set RINGFENCE_OCID_PREFIX")
