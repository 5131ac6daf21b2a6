"""Records of many callers in one transaction: each has its own answer and its own rights, none suffers for another."""

import asyncio
import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from jose import jwt

from services.demo import cast
from services.gateway.records import queries
from services.kernel.types import Kind
from tests.integration.conftest import problem
from tests.integration.scenes import Case
from tests.wire.loopback import served
from tests.world import Actor, Json, change

MET = {"status": "met", "occurred_on": "2024-01-02"}


def path(case: Case, code: str = "M1") -> str:
    """Where records of a milestone go."""
    return f"{case.contract}/milestones/{code}/records"


async def at_once(*asked: tuple[Actor, str, Json]) -> list[Any]:
    """All of these at the same time; what each was answered."""
    return await asyncio.gather(*(actor.ask("POST", target, json=body) for actor, target, body in asked))


def written(case: Case) -> tuple[int, int]:
    """How many records there are, and in how many transactions they were written."""
    found = case.world.rows(
        "SELECT count(*), count(DISTINCT l.txid) FROM gateway.milestone_record m JOIN gateway.leaf l USING (leaf_hash)"
        " JOIN gateway.event e ON e.data ->> 'record_id' = m.id::text AND e.actor = m.recorded_by AND e.txid = l.txid"
    )
    return int(found[0][0]), int(found[0][1])


async def test_callers_share_a_transaction_and_nothing_else(case: Case) -> None:
    stranger = await case.world.client(Kind.SUPPLIER, trust_uid=cast.OUTGOING)
    reader = await case.world.client(Kind.SUPPLIER, trust_uid=cast.SUPPLIER, scopes=["contracts:read"])
    records, transactions = written(case)
    asked: list[tuple[Actor, str, Json]] = [
        (stranger, path(case), MET),
        (case["rsc"], path(case, "M9"), MET),
        (case["mat"], path(case), MET | {"occurred_on": "2999-01-01"}),
        (reader, path(case), MET),
        (case["rsc"], path(case), MET | {"status": "done"}),
    ]
    fine = [(case[name], path(case, code), MET) for name in ("mat", "rsc") for code in ("M1", "M2") for _ in range(5)]
    answers = await at_once(*fine[:10], *asked, *fine[10:])
    assert [each.status_code for each in answers] == [201] * 10 + [404, 404, 422, 403, 422] + [201] * 10
    assert problem(answers[12], 422)["code"] == "future_date"
    by = [each.json()["recorded_by"]["kind"] for each in answers if each.status_code == 201]
    assert by == ["supplier"] * 10 + ["commissioner"] * 10
    more, further = written(case)
    assert more == records + 20
    assert further - transactions < 20


async def test_what_is_remembered_of_a_contract_gives_no_rights_and_no_refusals(case: Case) -> None:
    url = case.world.database_url
    assert (await at_once((case["mat"], path(case), MET)))[0].status_code == 201
    before = written(case)
    change(url, "UPDATE gateway.contract_ref SET supplier_uid = 'another'")
    problem((await at_once((case["mat"], path(case), MET)))[0], 404)
    change(
        url, f"UPDATE gateway.contract_ref SET supplier_uid = '{cast.SUPPLIER}', version = 99, status = 'transferred'"
    )
    problem((await at_once((case["mat"], path(case), MET)))[0], 409, "status_forbids")
    assert written(case) == before
    change(url, "UPDATE gateway.contract_ref SET version = 100, status = 'completed', milestones = '[\"M7\"]'")
    assert (await at_once((case["mat"], path(case, "M7"), MET)))[0].status_code == 201
    assert (await at_once((case["mat"], path(case), MET)))[0].status_code == 404


async def test_who_is_believed_is_confirmed_before_anything_is_told_or_done(
    case: Case, keys_dir: Path, subtests: pytest.Subtests
) -> None:
    os.utime(keys_dir, (1, 1))  # Keys that were changed just now are read again and again.
    gateway = case.world.system.apps["gateway"]
    sent: list[str] = []
    rows = gateway.state.wire.rows

    async def watched(statement: str, values: Mapping[str, Any]) -> list[Any]:
        sent.append(statement)
        return list(await rows(statement, values))

    gateway.state.wire.rows = watched
    async with served(gateway) as url, httpx.AsyncClient(base_url=url) as http:
        other = Actor(http, case["mat"].headers)
        left = [
            int(answer.headers["ratelimit"].partition("r=")[2].partition(";")[0])
            for answer in [(await at_once((other, path(case, "M99"), MET)))[0] for _ in range(4)]
        ]
        counted = [before - after for before, after in pairwise(left[1:])]
        assert 1 in counted, "what is refused after it was believed counts once"
        for name, (statement, status, reading) in ENDED.items():
            with subtests.test(name):
                actor = Actor(http, (await case.world.client(Kind.SUPPLIER, trust_uid=cast.SUPPLIER)).headers)
                await at_once((actor, path(case), MET), (other, path(case), MET))
                sent.clear()
                assert (await at_once((actor, path(case), MET)))[0].status_code == 201
                assert sent == [queries.RECORD_MILESTONES], "nothing was asked before"
                assert (await actor.ask("GET", case.contract)).status_code == 200
                before = written(case)[0]
                claims = jwt.get_unverified_claims(actor.headers["Authorization"].partition(" ")[2])
                change(case.world.database_url, statement.format(**claims))
                (answer, fine), seen = await asyncio.gather(
                    at_once((actor, path(case), MET), (other, path(case), MET)), actor.ask("GET", case.contract)
                )
                assert (answer.status_code, fine.status_code, seen.status_code) == (status, 201, reading)
                assert written(case)[0] == before + (2 if status == 201 else 1)


ENDED = {
    "the token was revoked": ("INSERT INTO gateway.revoked_token VALUES ('{jti}', '{sub}', now(), now())", 401, 401),
    "the client was disabled": ("UPDATE gateway.client SET disabled_at = now() WHERE id = '{sub}'", 401, 401),
    "the scope was taken": ("UPDATE gateway.client SET scopes = '[\"contracts:read\"]' WHERE id = '{sub}'", 403, 200),
    "the client is another trust's": ("UPDATE gateway.client SET trust_uid = '1' WHERE id = '{sub}'", 404, 404),
    "the client is called otherwise": ("UPDATE gateway.client SET name = 'another' WHERE id = '{sub}'", 201, 200),
}
"""What is done to a client on another replica, and what its next record and its next reading are answered."""


async def test_a_record_that_the_database_refuses_spoils_no_other(case: Case) -> None:
    change(
        case.world.database_url,
        "CREATE FUNCTION gateway.no_poison() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF NEW.note = 'poison' THEN RAISE 'poison' USING ERRCODE = 'data_exception'; END IF;"
        " RETURN NEW; END $$;"
        " CREATE TRIGGER no_poison BEFORE INSERT ON gateway.milestone_record FOR EACH ROW"
        " EXECUTE FUNCTION gateway.no_poison()",
    )
    before = written(case)[0]
    notes = ["fine", "fine", "poison", "fine", "poison", "fine"]
    answers = await at_once(*((case["mat"], path(case), MET | {"note": note}) for note in notes))
    assert [each.status_code for each in answers] == [201 if note == "fine" else 422 for note in notes]
    assert written(case)[0] == before + 4
