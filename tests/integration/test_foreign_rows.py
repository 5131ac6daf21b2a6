"""Nobody of another region, trust or school learns anything: not by any route, and not by a forgotten where-clause."""

import json
import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import text

from services.demo import cast
from tests.integration.scenes import Case
from tests.integration.test_row_security import STRANGERS as BOUNDS
from tests.integration.test_visibility import ON_CONTRACT, ON_TRANSFER, STRANGERS
from tests.world import Actor, Json

TABLES = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname IN ('contracts', 'outcomes', 'gateway') AND c.relkind IN ('r', 'p', 'v', 'm')"
    " AND c.relname <> 'alembic_version' AND has_table_privilege('ringfence_' || n.nspname, c.oid, 'SELECT')"
    " ORDER BY 1, 2"
)
"""All that the role of a service may read from."""
FOR_ALL = {("contracts", "ocds_release"), ("outcomes", "release"), ("outcomes", "ring_fence")}
"""What the public is told, which releases came in, and which results are kept apart: everybody may read these."""
READ_BY_ALL = re.compile(r"/v1/(ocds/.*|releases|ring-fences)")
UNREAD = {(422, "unusable_keys"), (422, "invalid")}
"""What a body is told before it is known whose the row is."""
MARKS = {
    "contract": "SELECT id::text FROM contracts.contract",
    "reference of the contract": "SELECT reference FROM contracts.contract",
    "title of the contract": "SELECT title FROM contracts.contract",
    "transfer": "SELECT id::text FROM gateway.transfer",
    "reference of the transfer": "SELECT reference FROM gateway.transfer",
    "record": "SELECT id::text FROM gateway.milestone_record LIMIT 1",
    "key": "SELECT id::text FROM gateway.api_key LIMIT 1",
    "start of the key": "SELECT start FROM gateway.api_key LIMIT 1",
    "hash of the key": "SELECT key_hash FROM gateway.api_key LIMIT 1",
    "evaluation": "SELECT id::text FROM outcomes.evaluation LIMIT 1",
    "client": "SELECT id FROM gateway.client WHERE kind = 'dfe' LIMIT 1",
    "commissioner": "SELECT id FROM gateway.client WHERE kind = 'commissioner' LIMIT 1",
}
"""By what a row of the case gives itself away."""


def marks(case: Case) -> dict[str, str]:
    """Words that only those may read whose they are."""
    return {name: case.world.rows(query)[0][0] for name, query in MARKS.items()}


async def test_without_any_where_clause_no_table_shows_a_row_of_others(case: Case) -> None:
    marked, seen = marks(case), set()
    tables = [(schema, table) for schema, table in case.world.rows(TABLES) if (schema, table) not in FOR_ALL]
    assert len(tables) > 40
    for who, caller in BOUNDS.items():
        for schema, table in tables:
            async with case.world.database(schema).transaction(caller) as session:
                found = (await session.execute(text(f"SELECT to_jsonb(t)::text FROM {schema}.{table} t"))).scalars()
                whole = "\n".join(found)
            leaks = [name for name, mark in marked.items() if mark in whole]
            assert not leaks, (who, schema, table, leaks)
    for schema, table in tables:
        whole = "\n".join(each for (each,) in case.world.rows(f"SELECT to_jsonb(t)::text FROM {schema}.{table} t"))
        seen |= {name for name, mark in marked.items() if mark in whole}
    assert seen == set(marked), "what is looked for is there"


async def test_an_answer_that_was_kept_shows_to_nobody_but_its_caller(case: Case) -> None:
    for schema in ("contracts", "gateway"):
        kept = case.world.rows(f"SELECT client_id FROM {schema}.idempotency_key")
        assert kept
        assert all(client for (client,) in kept)
        async with case.world.database(schema).transaction(BOUNDS["another supplier"]) as session:
            assert not (await session.execute(text(f"SELECT key FROM {schema}.idempotency_key"))).all()


BODIES: dict[str, Json] = {
    **{f"/v1/contracts/{{}}{path}": body for _, path, body in ON_CONTRACT},
    **{f"/v1/transfers/{{}}{path}": body for _, path, body in ON_TRANSFER},
    "/v1/clients/{}/jwks": {"keys": []},
}
OTHERS = {"code": "M1", "number": "1", "key": "authority_to_proceed", "uid": cast.SUPPLIER, "urn": cast.SCHOOL}


def operations(case: Case) -> Iterator[tuple[str, str]]:
    """Method and path of everything that the merged description offers to callers."""
    for path, item in case.world.system.apps["gateway"].openapi()["paths"].items():
        yield from ((method.upper(), path) for method, operation in item.items() if operation.get("security"))


async def ask(actor: Actor, method: str, path: str, ids: dict[str, str]) -> tuple[int, str, str]:
    """Status, code and words of an answer, less the address that was asked for."""
    filled = re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], OTHERS.get(found[1], str(uuid4()))), path)
    shape = re.sub(r"\{(\w+)\}", lambda found: OTHERS.get(found[1], "{}"), path)
    body = {"json": BODIES.get(shape, {})} if method in {"POST", "PUT", "PATCH"} else {}
    answer = await actor.ask(method, filled, headers={"If-Match": "*"}, **body)
    said = answer.text
    if "json" in answer.headers.get("content-type", ""):
        members = answer.json()
        members.pop("instance", None)
        said = json.dumps(members)
        return answer.status_code, str(members.get("code", "")), said
    return answer.status_code, "", said


CALLERS = (
    "another supplier",
    "a commissioner of another region",
    "another commissioner of the region",
    "the same organisation in another authority",
    "another responsible body",
    "a responsible body of another school",
)


async def test_no_route_tells_anybody_else_that_it_is_there(case: Case, subtests: pytest.Subtests) -> None:
    marked = marks(case)
    real = {"contract_id": marked["contract"], "transfer_id": marked["transfer"], "key_id": marked["key"]}
    real |= {"client_id": marked["client"], "record_id": marked["record"]}
    made_up = {name: "nobody-00000000" if name == "client_id" else str(uuid4()) for name in real}
    before = [await case["rsc"].get(path) for path in (case.contract, case.transfer)]
    callers: dict[str, tuple[str, Actor]] = {
        who: (STRANGERS[who][0], await case.world.client(STRANGERS[who][0], **STRANGERS[who][1])) for who in CALLERS
    }
    callers["another finance team"] = ("key", await case.world.key(cast.ANOTHER_TRUST))
    unknown: dict[tuple[str, str, str], tuple[int, str, str]] = {}
    asked = 0
    for who, (kind, actor) in callers.items():
        for method, path in operations(case):
            private = any(f"{{{name}}}" in path for name in real)
            if READ_BY_ALL.fullmatch(path) or (method != "GET" and not private):
                continue
            with subtests.test(caller=who, method=method, path=path):
                status, code, said = await ask(actor, method, path, real)
                asked += 1
                assert not [name for name, mark in marked.items() if mark in said]
                if private:
                    assert status in {403, 404} or (status, code) in UNREAD, (status, said)
                    if (kind, method, path) not in unknown:
                        unknown[kind, method, path] = await ask(actor, method, path, made_up)
                    assert (status, code, said) == unknown[kind, method, path], "as if it were not there"
                    assert (status == 403) == (code == "insufficient_scope")
    assert asked > 400
    assert [await case["rsc"].get(path) for path in (case.contract, case.transfer)] == before
