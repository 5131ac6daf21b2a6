"""Who sees what at the gateway: what is not yours is not there, and nobody comes in without proof."""

import re
from typing import Any

import pytest

from services.demo import cast
from services.gateway.rules.scopes import ALLOWED
from services.kernel.types import Kind
from tests.integration.conftest import problem
from tests.integration.scenes import RESULTS_OUT, Actors, Case
from tests.world import Actor, World

PARTS = (
    "",
    "/payments",
    "/milestones",
    "/records",
    "/events",
    "/evaluations",
    "/reviews",
    "/kpi-assessments",
    "/findings",
    "/notices",
)
MAYBE_EMPTY = ("/reviews", "/findings", "/notices")
"""What a contract that went well may have none of."""
LISTS = ("/v1/contracts", "/v1/payments", "/v1/transfers", "/v1/duties")
STRANGERS: dict[str, tuple[Kind, dict[str, Any]]] = {
    "another supplier": (Kind.SUPPLIER, {"trust_uid": cast.ANOTHER_TRUST}),
    "the outgoing trust as a supplier": (Kind.SUPPLIER, {"trust_uid": cast.OUTGOING}),
    "a commissioner of another region": (Kind.COMMISSIONER, {"regions": ["London"], "organisation": "rsc-london"}),
    "another commissioner of the region": (Kind.COMMISSIONER, {"regions": [cast.REGION], "organisation": "other"}),
    "the same organisation in another region": (
        Kind.COMMISSIONER,
        {"regions": ["London"], "organisation": "rsc-north-west"},
    ),
    "the same organisation in another authority": (
        Kind.COMMISSIONER,
        {"la_codes": ["202"], "organisation": "rsc-north-west"},
    ),
    "another responsible body": (Kind.RESPONSIBLE_BODY, {"trust_uid": cast.ANOTHER_TRUST}),
    "the supplier as a responsible body": (Kind.RESPONSIBLE_BODY, {"trust_uid": cast.SUPPLIER}),
    "a responsible body of another school": (Kind.RESPONSIBLE_BODY, {"urns": [cast.CLOSED_SCHOOL]}),
}
SIGNATURE = {"party": "supplier", "signed_by": "x", "role": "x", "signed_on": RESULTS_OUT}
RECORD = {"status": "met", "occurred_on": "2024-07-12"}
CONSENT = {"by": "rsc", "decision": "declined", "decided_on": RESULTS_OUT}
DAY = {"effective_on": cast.EFFECTIVE_ON, "reason": "x"}
STOPS = ("clock", "payments", "reviews", "ring_fence")
VARIATION = {"effective_on": RESULTS_OUT, "rationale": "x", "changes": {"title": "x"}}
PERIOD = {"period_starts_on": "2023-09-01", "period_ends_on": "2024-08-31"}
OPPORTUNITY = {"opened_on": RESULTS_OUT, "closes_on": "2025-06-01", "details": "x"}
ON_CONTRACT = (
    ("contracts:write", "/offer", None),
    ("contracts:write", "/signatures", SIGNATURE),
    ("contracts:write", "/cancellation", {"reason": "x"}),
    ("contracts:write", "/suspension", {"reason": "x", "stops": dict.fromkeys(STOPS, True)}),
    ("contracts:write", "/resumption", {"reason": "x"}),
    ("contracts:write", "/termination", {"ground": "breach", "reason": "x"}),
    ("contracts:write", "/offer-withdrawal", {"reason": "x"}),
    ("contracts:write", "/refusal", {"reason": "x"}),
    ("contracts:write", "/hand-back", {"done_on": RESULTS_OUT}),
    ("contracts:write", "/corrections", {"reason": "x", "title": "x"}),
    ("contracts:write", "/variations", VARIATION),
    ("contracts:write", "/variations/1/signatures", SIGNATURE),
    ("contracts:write", "/variations/1/refusal", {"reason": "x"}),
    ("contracts:write", "/variations/1/withdrawal", {"reason": "x"}),
    ("contracts:write", "/reviews", {"reviewed_on": RESULTS_OUT, "academic_year": cast.YEAR, "reviewer": "x"}),
    ("contracts:write", "/kpi-assessments", PERIOD | {"explanation": "x"}),
    ("contracts:write", "/improvement-opportunities", OPPORTUNITY),
    ("contracts:write", "/poor-performance-findings", {"found_on": RESULTS_OUT, "opportunity": 1, "details": "x"}),
    ("contracts:write", "/notices", {"kind": "UK7", "published_on": RESULTS_OUT}),
    ("milestones:write", "/milestones/M1/records", RECORD),
    ("outcomes:write", "/evaluations", {"academic_year": cast.YEAR, "run": "final"}),
)
ON_TRANSFER = (
    ("transfers:write", "/consents", CONSENT),
    ("transfers:write", "/effective-date", DAY),
    ("transfers:write", "/steps/authority_to_proceed/completion", {}),
    ("transfers:write", "/cancellation", {"reason": "x"}),
)
READS = (
    *(("contracts:read", f"/v1/contracts/{{id}}{part}") for part in PARTS if part != "/evaluations"),
    ("outcomes:read", "/v1/contracts/{id}/evaluations"),
    ("contracts:read", "/v1/contracts"),
    ("contracts:read", "/v1/suppliers"),
    ("contracts:read", f"/v1/suppliers/{cast.SUPPLIER}"),
    ("contracts:read", f"/v1/schools/{cast.SCHOOL}/suppliers"),
    ("finance:read", "/v1/payments"),
    ("transfers:read", "/v1/transfers"),
    ("outcomes:read", f"/v1/schools/{cast.SCHOOL}"),
    ("outcomes:read", f"/v1/trusts/{cast.SUPPLIER}"),
    ("outcomes:read", "/v1/releases"),
    ("outcomes:read", "/v1/ring-fences"),
    ("clients:write", "/v1/clients"),
    ("keys:write", "/v1/api-keys"),
)
PUBLIC = {
    "/oauth2/token",
    "/oauth2/revoke",
    "/oauth2/introspect",
    "/.well-known/jwks.json",
    "/v1/ocds/releases",
    "/v1/ocds/releases/{ocid}",
    "/v1/ocds/records/{ocid}",
    "/.well-known/oauth-authorization-server",
    "/health/live",
    "/health/ready",
    "/health/startup",
}


async def nothing_is_there(case: Case, actor: Actor) -> None:
    """Neither the contract nor its transfer exists for this caller, and no list has them."""
    for part in PARTS:
        problem(await actor.ask("GET", f"{case.contract}{part}"), 404, "not_found")
    for path in LISTS:
        assert (await actor.get(path))["data"] == [], path
    assert (await actor.get("/v1/contracts", supplier_uid=cast.SUPPLIER, school_urn=cast.SCHOOL))["data"] == []
    problem(await actor.ask("GET", case.transfer), 404, "not_found")


async def test_what_is_not_yours_is_not_there(case: Case, subtests: pytest.Subtests) -> None:
    seen = (case.contract, case.transfer, f"{case.contract}/records")
    before = [await case["rsc"].get(path) for path in seen]
    for who, (kind, bounds) in STRANGERS.items():
        actor = await case.world.client(kind, **bounds)
        with subtests.test(caller=who):
            await nothing_is_there(case, actor)
        for resource, moves in ((case.contract, ON_CONTRACT), (case.transfer, ON_TRANSFER)):
            for scope, action, body in moves:
                with subtests.test(caller=who, move=action):
                    answer = await actor.ask("POST", resource + action, json=body, headers={"If-Match": "*"})
                    problem(answer, *((404, "not_found") if scope in ALLOWED[kind] else (403, "insufficient_scope")))
    assert [await case["rsc"].get(path) for path in seen] == before


async def test_another_trusts_finance_team_sees_nothing(case: Case) -> None:
    key = await case.world.key(cast.ANOTHER_TRUST)
    for part in PARTS:
        problem(await key.ask("GET", f"{case.contract}{part}"), 404, "not_found")
    for path in ("/v1/contracts", "/v1/payments"):
        assert (await key.get(path))["data"] == []


async def test_every_party_sees_the_contract_and_its_parts(case: Case, subtests: pytest.Subtests) -> None:
    contract, transfer = (path.rpartition("/")[2] for path in (case.contract, case.transfer))
    for name, actor in case.actors.items():
        with subtests.test(caller=name):
            for part in PARTS:
                found = await actor.get(f"{case.contract}{part}")
                assert part in {"", *MAYBE_EMPTY} or found["data"], part
            assert {each["id"] for each in (await actor.get("/v1/contracts"))["data"]} == {contract}
            assert {each["contract_id"] for each in (await actor.get("/v1/payments"))["data"]} == {contract}
            if name != "finance":
                assert [each["id"] for each in (await actor.get("/v1/transfers"))["data"]] == [transfer]


async def test_a_draft_is_not_there_for_the_other_parties(actors: Actors) -> None:
    made = await actors["rsc"].post("/v1/contracts", cast.CONTRACT)
    path = f"/v1/contracts/{made['id']}"
    for name in ("mat", "body", "finance"):
        problem(await actors[name].ask("GET", path), 404, "not_found")
        assert (await actors[name].get("/v1/contracts"))["data"] == []
    await actors["rsc"].change(path, "offer")
    for name in ("mat", "body", "finance"):
        assert (await actors[name].get(path))["status"] == "offered"


async def test_a_missing_scope_is_named(case: Case) -> None:
    every = sorted({scope for scope, _ in READS} | {scope for scope, *_ in (*ON_CONTRACT, *ON_TRANSFER)})
    for lacking in every:
        actor = await case.world.client(Kind.DFE, scopes=[scope for scope in every if scope != lacking])
        asked = [("GET", path.format(id=case.contract.rpartition("/")[2]), None) for s, path in READS if s == lacking]
        asked += [("POST", case.contract + action, body) for s, action, body in ON_CONTRACT if s == lacking]
        asked += [("POST", case.transfer + action, body) for s, action, body in ON_TRANSFER if s == lacking]
        for method, path, body in asked:
            answer = await actor.ask(method, path, json=body, headers={"If-Match": "*"})
            assert problem(answer, 403, "insufficient_scope")["scope"] == lacking, (method, path)
            assert lacking in answer.headers["www-authenticate"], (method, path)


async def test_every_path_but_the_public_ones_needs_proof(world: World) -> None:
    asked = 0
    for path, item in world.system.apps["gateway"].openapi()["paths"].items():
        for method in item:
            filled = re.sub(r"\{[^}]+\}", "00000000-0000-7000-8000-000000000000", path)
            answer = await world.http.request(method.upper(), filled)
            if path in PUBLIC:
                assert answer.status_code in {200, 400, 422}, path
            else:
                problem(answer, 401, "invalid_token")
                assert answer.headers["www-authenticate"].startswith("Bearer"), path
                asked += 1
    assert asked > 40


async def test_what_proves_nothing_is_refused(world: World, subtests: pytest.Subtests) -> None:
    for name, value in (
        ("Authorization", "Bearer "),
        ("Authorization", "Bearer not.a.token"),
        ("Authorization", "Basic eDp5"),
        ("x-api-key", "mat_live_000000000000000000000000000000000000"),
        ("x-api-key", "something else"),
    ):
        with subtests.test(header=value):
            answer = await world.http.get("/v1/contracts", headers={name: value})
            problem(answer, 401, "invalid_token")
            assert "www-authenticate" in answer.headers


async def test_a_token_that_was_changed_is_refused(world: World) -> None:
    dfe = await world.client(Kind.DFE)
    head, body, tail = dfe.headers["Authorization"].split(".")
    for token in (f"{head}.{body}.{tail[::-1]}", f"{head}.{body[:-4]}AAAA.{tail}", f"{head}.{body}."):
        problem(await world.http.get("/v1/contracts", headers={"Authorization": token}), 401, "invalid_token")


async def test_two_proofs_in_one_request_are_refused(world: World) -> None:
    dfe, key = await world.client(Kind.DFE), await world.key(cast.SUPPLIER)
    problem(await world.http.get("/v1/contracts", headers=dfe.headers | key.headers), 400, "invalid_request")


async def test_a_disabled_client_is_refused_with_its_old_token_and_gets_no_new_one(world: World) -> None:
    dfe = await world.client(Kind.DFE)
    made = await dfe.post(
        "/v1/clients", {"name": "a MAT", "kind": "supplier", "trust_uid": cast.SUPPLIER, "scopes": ["contracts:read"]}
    )
    proof = (made["id"], made["client_secret"])
    asked = {"data": {"grant_type": "client_credentials"}, "auth": proof}
    token = (await world.http.post("/oauth2/token", **asked)).json()["access_token"]
    actor = Actor(world.http, {"Authorization": f"Bearer {token}"})
    assert (await actor.get("/v1/contracts"))["data"] == []
    problem(await dfe.ask("POST", f"/v1/clients/{made['id']}/disablement"), 428)
    read = (await dfe.ask("GET", f"/v1/clients/{made['id']}")).headers["etag"]
    assert (await dfe.change(f"/v1/clients/{made['id']}", "disablement"))["disabled_at"]
    problem(await dfe.ask("POST", f"/v1/clients/{made['id']}/disablement", headers={"If-Match": read}), 412)
    problem(await actor.ask("GET", "/v1/contracts"), 401, "invalid_token")
    refused = await world.http.post("/oauth2/token", **asked)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert "www-authenticate" in refused.headers


async def test_a_revoked_key_is_refused_and_the_other_one_still_works(world: World) -> None:
    dfe = await world.client(Kind.DFE)
    made = [
        await dfe.post("/v1/api-keys", {"trust_uid": cast.SUPPLIER, "scopes": ["contracts:read"]}) for _ in range(2)
    ]
    keys = [Actor(world.http, {"x-api-key": each["key"]}) for each in made]
    path = f"/v1/api-keys/{made[0]['id']}"
    tag = {"If-Match": (await dfe.ask("GET", path)).headers["etag"]}
    problem(await dfe.ask("DELETE", path), 428)
    assert (await dfe.ask("DELETE", path, headers=tag)).status_code == 204
    problem(await dfe.ask("DELETE", path, headers=tag), 412)
    problem(await keys[0].ask("GET", "/v1/contracts"), 401, "invalid_token")
    assert (await keys[1].get("/v1/contracts"))["data"] == []


async def test_a_key_that_was_made_under_a_moved_clock_works(case: Case) -> None:
    made = await case["dfe"].post("/v1/api-keys", {"trust_uid": cast.ANOTHER_TRUST, "scopes": ["contracts:read"]})
    assert (await Actor(case.world.http, {"x-api-key": made["key"]}).get("/v1/contracts"))["data"] == []


async def test_a_supplier_manages_keys_of_its_own_trust_only(world: World) -> None:
    own = await world.client(Kind.SUPPLIER, trust_uid=cast.SUPPLIER)
    dfe = await world.client(Kind.DFE)
    other = await dfe.post("/v1/api-keys", {"trust_uid": cast.ANOTHER_TRUST, "scopes": ["contracts:read"]})
    assert (await own.get("/v1/api-keys"))["data"] == []
    problem(await own.ask("DELETE", f"/v1/api-keys/{other['id']}", headers={"If-Match": "*"}), 404)
    problem(await own.ask("POST", f"/v1/api-keys/{other['id']}/rotation"), 404)
    body = {"trust_uid": cast.ANOTHER_TRUST, "scopes": ["contracts:read"]}
    problem(await own.ask("POST", "/v1/api-keys", json=body), 404)
    assert (await Actor(world.http, {"x-api-key": other["key"]}).get("/v1/contracts"))["data"] == []
