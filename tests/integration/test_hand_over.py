"""After the day: the package that is delivered when it was acknowledged, and the register that must confirm."""

import gzip
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from services.demo import cast
from services.gateway.receiver import NotAcknowledged, Receiver
from tests.crash.nursery import Nursery
from tests.integration.conftest import problem, refused, to
from tests.integration.scenes import Case
from tests.world import SAMPLE, Json, change, move_clock

HOUR_LATER = f"{cast.EFFECTIVE_ON}T10:01:00"


async def package(case: Case) -> Json:
    """The hand-over as DfE reads it."""
    return await case["dfe"].get(f"{case.transfer}/hand-over")


async def test_a_package_is_delivered_when_dfe_says_so_and_asks_for_attention_until_then(ready: Case) -> None:
    problem(await ready["dfe"].ask("GET", f"{ready.transfer}/hand-over"), 404)
    await to(ready.world, cast.EFFECTIVE_ON)
    found = await package(ready)
    facts = found["package"]
    assert (facts["urn"], facts["previous_urn"], facts["effective_on"]) == (cast.SCHOOL, None, cast.EFFECTIVE_ON)
    assert (facts["incoming_trust"]["uid"], facts["outgoing_trust"]["uid"]) == (cast.SUPPLIER, cast.OUTGOING)
    assert (facts["decided_on"], facts["conditions"], facts["directive_academy_order"]) == ("2025-03-21", [], None)
    assert (await ready["rsc"].get(ready.transfer))["attention"] == []
    move_clock(HOUR_LATER)
    assert (await ready["rsc"].get(ready.transfer))["attention"] == ["hand_over_not_acknowledged"]
    assert len((await ready["rsc"].get("/v1/transfers", attention="true"))["data"]) == 1
    page = await ready["rsc"].ask("GET", f"{ready.transfer}/hand-over", headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert cast.SCHOOL_NAME in page.text
    said = {"remote_id": "CMP-1", "sha256": found["sha256"]}
    path = f"{ready.transfer}/hand-over/acknowledgement"
    problem(await ready["mat"].ask("POST", path, json=said), 403)
    problem(await ready["dfe"].ask("POST", path, json=said | {"sha256": "0" * 64}), 422)
    for _ in range(2):
        done = await ready["dfe"].post(path, said, 200)
        assert (done["remote_id"], done["acknowledged_at"] is not None) == ("CMP-1", True)
    problem(await ready["dfe"].ask("POST", path, json=said | {"remote_id": "CMP-2"}), 409, "already_acknowledged")
    transfer = await ready["rsc"].get(ready.transfer)
    assert transfer["attention"] == []
    assert next(each["status"] for each in transfer["steps"] if each["key"] == "hand_over") == "done"
    assert (await ready["rsc"].get("/v1/transfers", attention="true"))["data"] == []
    told = "SELECT count(*) FROM gateway.event WHERE type = 'transfer.hand_over_acknowledged'"
    assert ready.world.rows(told) == [(1,)]


async def test_the_rsc_tells_what_no_register_has_and_the_package_passes_it_on(ready: Case) -> None:
    told: Json = {
        "directive_academy_order": False,
        "academy_order_on": "2025-02-03",
        "financial_reasons": True,
        "governance_reasons": False,
        "prepare_id": 2187,
        "project_group": "GRP_00000042",
    }
    facts = told | {"safeguarding_reasons": None}
    board = {"by": "trust_board", "decision": "approved", "decided_on": "2025-03-21"}
    alone = await refused(ready, "mat", "consents", board | {"prepare_id": 2187}, 422, "facts_of_the_rsc")
    assert alone["errors"] == [{"pointer": "/prepare_id"}]
    for wrong in ({"academy_order_on": "2025-03-22"}, {"project_group": "42"}, {"prepare_id": 0}):
        answer = await ready["rsc"].ask(
            "POST", f"{ready.transfer}/consents", json=board | {"by": "rsc"} | wrong, headers={"If-Match": "*"}
        )
        problem(answer, 422)
    found = await ready["rsc"].change(ready.transfer, "consents", board | {"by": "rsc"} | told, 201)
    assert {name: found["consents"][-1][name] for name in facts} == facts
    assert {each[name] for each in found["consents"][:-1] for name in facts} == {None}
    await to(ready.world, cast.EFFECTIVE_ON)
    made = (await package(ready))["package"]
    assert {name: made[name] for name in facts} == facts
    trust = {"name": "DUNSTONE EDUCATION TRUST", "uid": cast.OUTGOING, "group_id": "TR00830", "ukprn": "10058269"}
    assert made["outgoing_trust"] == trust == found["evidence"]["outgoing_trust"]
    page = await ready["rsc"].ask("GET", f"{ready.transfer}/hand-over", headers={"Accept": "text/html"})
    assert all(shown in page.text for shown in ("GRP_00000042", "2187", "2025-02-03", "ukprn 10058269"))


class Office(BaseHTTPRequestHandler):
    """A system of DfE's that keeps one package under each key, and gives no answer while it is out of order."""

    kept: dict[str, bytes]
    asked: list[str]
    fine: bool

    def do_POST(self) -> None:
        """Answer a package."""
        body = self.rfile.read(int(self.headers["content-length"]))
        key = self.headers["idempotency-key"]
        self.asked.append(key)
        self.kept.setdefault(key, body)
        self.send_response(201 if self.fine else 500)
        self.end_headers()
        self.wfile.write(b'{"id": "CMP-77"}' if self.fine else b"out of order")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The office, running."""
    Office.kept, Office.asked, Office.fine = {}, [], False
    server = HTTPServer(("127.0.0.1", 0), Office)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("RINGFENCE_HAND_OVER_URL", f"http://127.0.0.1:{server.server_port}/projects")
    yield Office
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_configured_receiver_is_sent_the_package_until_it_keeps_it(office: Any, ready: Case) -> None:
    await to(ready.world, cast.EFFECTIVE_ON)
    assert office.asked
    assert (await package(ready))["acknowledged_at"] is None
    failed = ready.world.rows("SELECT last_error FROM gateway.job WHERE kind = 'hand_over'")
    assert failed[0][0].startswith("NotAcknowledged: The receiver answered 500")
    office.fine = True
    change(ready.world.database_url, "UPDATE gateway.job SET available_at = now()")
    await ready.world.settle()
    assert (await package(ready))["remote_id"] == "CMP-77"
    times = len(office.asked)
    await ready.world.settle()
    assert (len(office.asked), len(office.kept)) == (times, 1)


async def test_a_package_is_kept_once_though_workers_are_killed_while_they_send_it(
    office: Any, ready: Case, keys_dir: Path
) -> None:
    url, moment = ready.world.database_url, f"{cast.EFFECTIVE_ON}T09:00:00"
    with Nursery(url, keys_dir) as nursery:
        nursery.work(moment, None)
        office.fine, before = True, len(office.asked)
        change(url, "UPDATE gateway.job SET available_at = now() WHERE kind = 'hand_over'")
        assert nursery.kill_on_the_way(moment, 1) == ["hand_over 1", "hand_over 2", "hand_over 2"]
        nursery.work(moment, None)
    assert (len(office.asked) - before, len(office.kept)) == (2, 1), "sent again under its key until it was noted"
    move_clock(moment)
    assert (await package(ready))["remote_id"] == "CMP-77"
    told = "SELECT count(*) FROM gateway.event WHERE type = 'transfer.hand_over_acknowledged'"
    assert ready.world.rows(told) == [(1,)]


async def test_a_receiver_that_is_away_has_acknowledged_nothing() -> None:
    with pytest.raises(NotAcknowledged, match="ConnectError"):
        await Receiver("http://127.0.0.1:9/", 60).send("key", {}, "")


async def release(case: Case, trust: str, number: int) -> None:
    """The number-th release of the register since the day, which shows the school in this trust."""
    lines = (
        gzip.decompress((SAMPLE / "gias_group_links.csv.gz").read_bytes()).decode("cp1252").splitlines(keepends=True)
    )
    others = [
        line for line in lines if ",OPEN," in line and ",6,Multi-academy trust" in line and cast.SCHOOL not in line
    ]
    shown = "".join(line for line in lines if line not in others[:number]).replace(
        f",{cast.SCHOOL},{cast.OUTGOING},", f",{cast.SCHOOL},{trust},"
    )
    form = {"feed": "gias_group_links", "release_status": "final", "published_on": f"2025-{6 + number:02d}-01"}
    file = ("links.csv", shown.encode("cp1252"))
    sent = await case["dfe"].ask("POST", "/v1/releases", data=form, files={"file": file})
    assert sent.status_code == 202, sent.text
    await case.world.settle()
    assert (await case["dfe"].get(sent.headers["location"]))["status"] == "current"


async def test_the_register_must_confirm_the_membership_and_a_discrepancy_is_open_until_it_does(ready: Case) -> None:
    await to(ready.world, cast.EFFECTIVE_ON)
    assert (await ready["rsc"].get(ready.transfer))["register_confirmed_at"] is None
    for number in (1, 2):
        await release(ready, cast.OUTGOING, number)
        found = await ready["rsc"].get(ready.transfer)
        assert (found["attention"], found["register_confirmed_at"]) == (["register_lags"], None)
        assert len(found["discrepancies"]) == 1
    words = found["discrepancies"][0]["detail"]
    assert words == f"The register of 2025-07-01 shows trust {cast.OUTGOING}, not trust {cast.SUPPLIER}."
    for number in (3, 4):
        await release(ready, cast.SUPPLIER, number)
        found = await ready["rsc"].get(ready.transfer)
        assert (found["attention"], found["discrepancies"][0]["closed_by"]) == ([], "the register of 2025-09-01")
        assert found["register_confirmed_at"] is not None
    told = "SELECT type, count(*) FROM outcomes.event WHERE type LIKE 'membership.%%confirmed' GROUP BY 1 ORDER BY 1"
    assert ready.world.rows(told) == [("membership.confirmed", 1), ("membership.unconfirmed", 2)]
