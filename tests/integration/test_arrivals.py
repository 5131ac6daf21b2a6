"""Published files that are fetched from their addresses: at once there as releases, and patiently brought in."""

import asyncio
from pathlib import Path

import pytest

from services.kernel.types import Kind, utc_now
from services.outcomes.arrivals import jobs
from services.outcomes.remote.downloads import MAX_FILE
from services.outcomes.remote.hosts import Hosts
from tests.crash.nursery import Nursery
from tests.integration.conftest import problem
from tests.integration.test_releases import FEW, YEAR, csv, form, overall
from tests.publisher import Publisher
from tests.world import Actor, Json, World, change

FILE = "/absence/2022-23_absence.csv"


@pytest.fixture
async def dfe(publisher: Publisher, world: World) -> Actor:
    """DfE's own system, on a database without rows; the publisher has a file of absence."""
    publisher.files[FILE] = csv(FEW)
    return await world.client(Kind.DFE)


def parts(**fields: str | None) -> dict[str, tuple[None, str]]:
    """The fields of a request without a file, as parts of a form."""
    return {name: (None, value) for name, value in form(**fields).items()}


async def expect(dfe: Actor, url: str, **fields: str | None) -> Json:
    """Ask for a file to be fetched; gives the release as it is at once."""
    answer = await dfe.ask("POST", "/v1/releases", files=parts(url=url, **fields))
    assert answer.status_code == 202, answer.text
    found = await dfe.get(answer.headers["location"])
    assert found == answer.json()
    return found


async def seen(world: World, dfe: Actor, release: Json) -> Json:
    """The release after everything that is due was done."""
    await world.settle(rounds=1)
    return await dfe.get(f"/v1/releases/{release['id']}")


async def test_a_file_is_fetched_kept_and_read(publisher: Publisher, world: World, dfe: Actor) -> None:
    first = await expect(dfe, publisher.url + FILE)
    assert (first["status"], first["sha256"], first["size_bytes"]) == ("ingesting", None, None)
    assert (first["source_url"], first["filename"]) == (publisher.url + FILE, "2022-23_absence.csv")
    row = await seen(world, dfe, first)
    assert (row["status"], row["counts_for"], row["size_bytes"]) == ("current", [YEAR], len(csv(FEW)))
    assert len(row["sha256"]) == 64
    assert await overall(dfe) == 8.2
    kinds = world.rows("SELECT type FROM outcomes.event WHERE subject_id = %(id)s ORDER BY position", id=first["id"])
    assert kinds == [("release.expected",), ("release.fetched",), ("release.ingested",)]


async def test_fetching_twice_changes_nothing(publisher: Publisher, world: World, dfe: Actor) -> None:
    row = await seen(world, dfe, await expect(dfe, publisher.url + FILE))
    count = len(publisher.asked)
    hosts = Hosts.of("", publisher.host)
    await jobs.fetch(world.database("outcomes"), f"{row['id']} 1", utc_now(), hosts=hosts)
    assert len(publisher.asked) == count
    assert await seen(world, dfe, row) == row


async def test_a_file_is_kept_once_though_workers_are_killed_while_they_fetch_it(
    publisher: Publisher, world: World, dfe: Actor, keys_dir: Path
) -> None:
    moment = utc_now().replace(microsecond=0, tzinfo=None).isoformat()
    with Nursery(world.database_url, keys_dir) as nursery:
        await asyncio.to_thread(nursery.work, moment, None)
        first = await expect(dfe, publisher.url + FILE)
        places = await asyncio.to_thread(nursery.kill_on_the_way, moment, 2)
        await asyncio.to_thread(nursery.work, moment, None)
    assert places == ["fetch 1", "fetch 2", "fetch 2", "fetch 3", "fetch 3"]
    assert len(publisher.asked) == 2, "again until it was kept, and no more"
    row = await dfe.get(f"/v1/releases/{first['id']}")
    assert (row["status"], row["rows_accepted"]) == ("current", 3)
    kinds = world.rows("SELECT type FROM outcomes.event WHERE subject_id = %(id)s ORDER BY position", id=first["id"])
    assert kinds == [("release.expected",), ("release.fetched",), ("release.ingested",)]


async def test_a_file_that_has_not_changed_is_not_downloaded_again(
    publisher: Publisher, world: World, dfe: Actor
) -> None:
    first = await seen(world, dfe, await expect(dfe, publisher.url + FILE, release_status="provisional"))
    again = await seen(world, dfe, await expect(dfe, publisher.url + FILE, release_status="provisional"))
    assert publisher.asked[-1][2]["if-none-match"] == publisher.tag
    assert (again["status"], again["same_values_as"]) == ("superseded", first["id"])
    assert again["sha256"] == first["sha256"]
    final = await seen(world, dfe, await expect(dfe, publisher.url + FILE, release_status="final"))
    assert (final["status"], final["counts_for"]) == ("current", [YEAR])


async def test_a_publisher_that_is_away_is_asked_again_later(publisher: Publisher, world: World, dfe: Actor) -> None:
    publisher.moods = [(503, {"Retry-After": "60"})]
    row = await seen(world, dfe, await expect(dfe, publisher.url + FILE))
    assert row["status"] == "ingesting"
    waiting = "SELECT key, available_at > clock_timestamp() + interval '50 s' FROM outcomes.job WHERE kind = 'fetch'"
    assert world.rows(waiting) == [(f"{row['id']} 2", True)]
    change(world.database_url, "UPDATE outcomes.job SET available_at = now()")
    assert (await seen(world, dfe, row))["status"] == "current"


async def test_after_the_last_attempt_it_is_refused(publisher: Publisher, world: World, dfe: Actor) -> None:
    publisher.moods = [(503, {"Retry-After": "60"})] * 6
    row = await expect(dfe, publisher.url + FILE)
    for _ in range(6):
        change(world.database_url, "UPDATE outcomes.job SET available_at = now()")
        row = await seen(world, dfe, row)
    assert (row["status"], row["reason_code"]) == ("refused", "fetch_unavailable")
    assert "503" in row["detail"]
    assert world.rows("SELECT kind FROM outcomes.job WHERE kind <> 'forget'") == []


async def test_a_connection_that_breaks_is_taken_up_again(publisher: Publisher, world: World, dfe: Actor) -> None:
    publisher.cuts = [40]
    row = await seen(world, dfe, await expect(dfe, publisher.url + FILE))
    assert (row["status"], row["rows_accepted"]) == ("current", 3)
    assert publisher.asked[-1][2]["range"].startswith("bytes=")


async def test_what_will_never_come_is_refused_at_once(
    publisher: Publisher, world: World, dfe: Actor, subtests: pytest.Subtests
) -> None:
    publisher.files |= {"/empty": b"", "/large": bytes(MAX_FILE + 1), "/page": b"<!doctype html>"}
    publisher.redirects["/away"] = "https://example.com/absence.csv"
    wanted = {
        "/none": "fetch_not_served",
        "/empty": "fetch_empty",
        "/large": "fetch_too_large",
        "/away": "fetch_address_forbidden",
        "/page": "unreadable",
    }
    for path, reason in wanted.items():
        with subtests.test(path=path):
            row = await seen(world, dfe, await expect(dfe, publisher.url + path))
            assert (row["status"], row["reason_code"], row["counts_for"]) == ("refused", reason, [])
            assert row["detail"].endswith(".")


async def test_a_listed_name_that_leads_inside_is_not_followed(publisher: Publisher, dfe: Actor, world: World) -> None:
    row = await expect(dfe, publisher.url + FILE)
    listed = Hosts.of(publisher.host)
    await jobs.fetch(world.database("outcomes"), f"{row['id']} 1", utc_now(), hosts=listed)
    found = await dfe.get(f"/v1/releases/{row['id']}")
    assert (found["status"], found["reason_code"]) == ("refused", "fetch_address_forbidden")
    assert publisher.asked == []


async def test_either_a_file_or_a_listed_address(publisher: Publisher, dfe: Actor, world: World) -> None:
    file = {"file": ("absence.csv", csv(FEW))}
    nothing = await dfe.ask("POST", "/v1/releases", files=parts())
    problem(nothing, 422, "one_source_needed")
    both = await dfe.ask("POST", "/v1/releases", data=form(url=publisher.url + FILE), files=file)
    problem(both, 422, "one_source_needed")
    for url in ("http://www.gov.uk/x", "https://example.com/x", "https://169.254.169.254/latest", "nonsense"):
        answer = await dfe.ask("POST", "/v1/releases", files=parts(url=url))
        problem(answer, 422, "url_not_allowed")
    future = parts(url=publisher.url + FILE, published_on="2999-01-01")
    problem(await dfe.ask("POST", "/v1/releases", files=future), 422, "published_in_future")
    assert world.rows("SELECT count(*) FROM outcomes.release") == [(0,)]


async def test_a_repeated_request_asks_once(publisher: Publisher, dfe: Actor, world: World) -> None:
    sent = {"files": parts(url=publisher.url + FILE), "key": "fetch-this-once"}
    first, second = [await dfe.ask("POST", "/v1/releases", **sent) for _ in range(2)]
    assert first.json()["id"] == second.json()["id"]
    assert second.headers["idempotent-replayed"] == "true"
    assert world.rows("SELECT count(*) FROM outcomes.job") == [(1,)]
