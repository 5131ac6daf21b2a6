"""Every door asks who calls: a scope on each route, or a place on the public list; and services believe signatures."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from services.gateway.rules.scopes import ALLOWED, KEY_SCOPES, SCOPES
from services.kernel.auth import Caller, as_claims, current_caller
from services.kernel.tokens import ACCESS, ALGORITHM, IDENTITY, Signer
from services.kernel.types import Kind
from services.keys import Folder
from tests.forging import by_hand, everything, identity_claims, signed, stranger
from tests.world import Actor, World

ABOUT_ITSELF = {("GET", "/openapi.json"), ("HEAD", "/openapi.json"), ("GET", "/health/live"), ("GET", "/health/ready")}
ABOUT_ITSELF |= {("GET", "/health/startup")}
OPEN_DATA = {
    ("GET", "/v1/ocds/releases"),
    ("GET", "/v1/ocds/releases/{ocid}"),
    ("GET", "/v1/ocds/records/{ocid}"),
}
PUBLIC = {
    "contracts": ABOUT_ITSELF | OPEN_DATA,
    "outcomes": ABOUT_ITSELF,
    "gateway": ABOUT_ITSELF
    | OPEN_DATA
    | {
        ("GET", "/docs"),
        ("POST", "/oauth2/token"),
        ("POST", "/oauth2/revoke"),
        ("POST", "/oauth2/introspect"),
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/.well-known/oauth-authorization-server"),
    },
}
NEVER_GIVEN = ["internal", "*", "internal:events", "contracts:*", ""]
FORM: dict[str, Any] = {"headers": {"content-type": "multipart/form-data; boundary=x"}, "content": b"--x--\r\n"}
"""A form without fields: a route that takes nothing else must not refuse it for its type."""
BEHIND = ("contracts", "outcomes")
DOORS = {"contracts": "/v1/contracts", "outcomes": "/v1/measures"}


def routes(app: FastAPI) -> Iterator[tuple[str, str, list[str]]]:
    """Method, path and scopes of everything that an app answers."""
    for found in iter_route_contexts(app.routes):
        dependant = getattr(found, "dependant", None)
        asked = [each for each in (dependant.dependencies if dependant else []) if each.call is current_caller]
        scopes = [scope for each in asked for scope in each.own_oauth_scopes]
        for method in sorted(found.methods or ()):
            yield method, str(found.path), scopes


def filled(path: str) -> str:
    """The path with something in place of its parameters."""
    return "/".join(str(uuid4()) if part.startswith("{") else part for part in path.split("/"))


def behind(world: World, service: str) -> httpx.AsyncClient:
    """A client that goes round the gateway."""
    transport = httpx.ASGITransport(app=world.system.apps[service], raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"http://{service}")


def is_refused(answer: httpx.Response) -> bool:
    """Whether the answer is a 401 as it should be."""
    problem = answer.headers["content-type"] == "application/problem+json"
    return answer.status_code == 401 and problem and answer.headers["www-authenticate"].startswith("Bearer")


async def test_every_route_asks_for_a_scope_or_is_on_the_public_list(world: World) -> None:
    for service, app in world.system.apps.items():
        found = list(routes(app))
        assert len(found) > 15
        open_to_all = {(method, path) for method, path, scopes in found if not scopes}
        assert open_to_all <= PUBLIC[service], f"{service} is open at {open_to_all - PUBLIC[service]}"


async def test_every_scope_that_a_route_asks_for_is_a_known_one(world: World) -> None:
    for app in world.system.apps.values():
        for method, path, scopes in routes(app):
            assert set(scopes) <= {*SCOPES, "internal"}, (method, path)
            assert ("internal" in scopes) == path.startswith("/internal"), (method, path)


async def test_every_route_that_is_not_public_refuses_a_caller_without_proof(world: World) -> None:
    for service, app in world.system.apps.items():
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://any") as http:
            for method, path, _ in routes(app):
                if (method, path) not in PUBLIC[service]:
                    assert is_refused(await http.request(method, filled(path), **FORM)), (service, method, path)


async def test_a_scope_that_was_not_given_is_403_on_every_route_of_the_gateway(world: World) -> None:
    reader = await world.client(Kind.DFE, scopes=["log:read"])
    for method, path, scopes in routes(world.system.apps["gateway"]):
        if set(scopes) - {"log:read"}:
            answer = await reader.ask(method, filled(path))
            assert answer.status_code == 403, (method, path, answer.text)
            assert answer.json()["code"] == "insufficient_scope"
            assert answer.json()["scope"] in scopes


async def test_internal_routes_refuse_even_a_caller_with_all_public_scopes(world: World, keys_dir: Path) -> None:
    dfe = Caller("dfe-1", "DfE", Kind.DFE, "dfe", frozenset(SCOPES))
    signer = Signer(Folder(keys_dir), "gateway")
    for service in BEHIND:
        headers = {"Authorization": f"Bearer {signer.identity(dfe, service)}"}
        async with behind(world, service) as http:
            for method, path, _ in routes(world.system.apps[service]):
                if path.startswith("/internal"):
                    answer = await http.request(method, filled(path), headers=headers)
                    assert answer.status_code == 403, (service, method, path)


async def test_internal_routes_answer_a_service(world: World, keys_dir: Path) -> None:
    signer = Signer(Folder(keys_dir), "gateway")
    for service in BEHIND:
        async with behind(world, service) as http:
            headers = {"Authorization": f"Bearer {signer.identity(everything('gateway'), service)}"}
            assert (await http.get("/internal/events", headers=headers)).status_code == 200


@pytest.mark.parametrize("scope", NEVER_GIVEN)
async def test_no_client_can_be_given_the_scopes_of_services(world: World, scope: str) -> None:
    dfe = await world.client(Kind.DFE)
    bounds = {"regions": ["North West"], "trust_uid": "4903"}
    for kind in ALLOWED:
        body = {"name": "somebody", "kind": kind, "scopes": ["log:read", scope], **bounds}
        answer = await dfe.ask("POST", "/v1/clients", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "scope_not_allowed"), kind
        assert scope not in ALLOWED[kind]


async def test_no_key_can_be_given_the_scopes_of_services(world: World) -> None:
    dfe = await world.client(Kind.DFE)
    for scope in (*NEVER_GIVEN, "clients:write", "contracts:write"):
        answer = await dfe.ask("POST", "/v1/api-keys", json={"trust_uid": "4903", "scopes": [scope]})
        assert (answer.status_code, answer.json()["code"]) == (422, "scope_not_allowed"), scope
        assert scope not in KEY_SCOPES


async def test_no_client_can_be_registered_as_a_service(world: World) -> None:
    dfe = await world.client(Kind.DFE)
    body = {"name": "a service", "kind": "service", "scopes": ["contracts:read"]}
    answer = await dfe.ask("POST", "/v1/clients", json=body)
    assert answer.status_code == 422, answer.text


async def test_the_token_endpoint_gives_no_scope_that_the_client_was_not_given(world: World) -> None:
    dfe = await world.client(Kind.DFE, scopes=["clients:write"])
    made = await dfe.post("/v1/clients", {"name": "reader", "kind": "dfe", "scopes": ["log:read"]})
    proof = (made["id"], made["client_secret"])
    for scope in ("internal", "*", "contracts:write", "log:read internal"):
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = await world.http.post("/oauth2/token", data=form, auth=proof)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope"), scope


async def test_the_gateway_offers_no_internal_path(world: World) -> None:
    assert not [path for _, path, _ in routes(world.system.apps["gateway"]) if "internal" in path]
    dfe = await world.client(Kind.DFE)
    for path in ("/internal/events", "/v1/internal/events", "/v1/../internal/events", "/v1/schools/..%2F..%2Finternal"):
        assert (await dfe.ask("GET", path)).status_code in {404, 405, 422}, path


async def test_services_do_not_take_a_clients_access_token(world: World) -> None:
    dfe = await world.client(Kind.DFE)
    for service, path in DOORS.items():
        async with behind(world, service) as http:
            assert is_refused(await http.get(path, headers=dfe.headers))


def forged_identities(keys_dir: Path, service: str) -> dict[str, str]:
    """Identities that no service should believe, each by what is wrong with it."""
    gateway, tokens = Signer(Folder(keys_dir), "gateway"), Signer(Folder(keys_dir), "tokens")
    caller, now, key = everything("gateway"), int(time.time()), gateway.key()
    header = {"alg": ALGORITHM, "typ": IDENTITY.typ, "kid": key.id}
    good = gateway.identity(caller, service)
    start, body, signature = good.split(".")
    nobody = by_hand({}, identity_claims(service)).split(".")[1]

    def changed(**changes: Any) -> str:
        return signed(key.private, header, identity_claims(service, **changes))

    return {
        "expired": changed(iat=now - 120, exp=now - 60),
        "not yet issued": changed(iat=now + 600, exp=now + 660),
        "good for two minutes": changed(exp=now + 120),
        "good for a year": changed(exp=now + 365 * 86400),
        "without an end": changed(exp=None),
        "without a caller": changed(caller=None),
        "with a caller that is none": changed(caller={"kind": "king"}),
        "bound to a certificate": changed(cnf={"x5t#S256": "x"}),
        "another audience": gateway.identity(caller, "outcomes" if service == "contracts" else "contracts"),
        "the public audience": gateway.identity(caller, "ringfence"),
        "another issuer": changed(iss="contracts"),
        "an access token": tokens.sign(ACCESS, service, "x", {"caller": as_claims(caller)}),
        "of another kind": gateway.sign(ACCESS, service, "x", {"caller": as_claims(caller)}),
        "by the key of access tokens": tokens.sign(IDENTITY, service, "x", {"caller": as_claims(caller)}),
        "alg none": by_hand({**header, "alg": "none"}, identity_claims(service)),
        "alg none with a signature": by_hand({**header, "alg": "none"}, identity_claims(service), signature),
        "alg HS256": by_hand({**header, "alg": "HS256"}, identity_claims(service), signature),
        "another key under a known name": stranger("gateway", key.id).identity(caller, service),
        "another key": stranger("gateway", "gateway-0").identity(caller, service),
        "changed body": f"{start}.{nobody}.{signature}",
        "no signature": f"{start}.{body}.",
        "a key inside": by_hand({**header, "jwk": {"kty": "EC"}}, identity_claims(service), signature),
        "nothing": "",
        "noise": "..",
    }


@pytest.mark.parametrize("service", BEHIND)
async def test_services_refuse_every_forged_or_stale_identity(world: World, keys_dir: Path, service: str) -> None:
    good = Signer(Folder(keys_dir), "gateway").identity(everything("gateway"), service)
    async with behind(world, service) as http:
        assert (await http.get(DOORS[service], headers={"Authorization": f"Bearer {good}"})).status_code == 200
        for what, token in forged_identities(keys_dir, service).items():
            assert is_refused(await http.get(DOORS[service], headers={"Authorization": f"Bearer {token}"})), what


WRONG_EVERYWHERE = ("expired", "another audience", "another key", "an access token", "nothing")


@pytest.mark.parametrize("service", ["gateway", *BEHIND])
async def test_every_route_of_every_service_refuses_a_wrong_identity(
    world: World, keys_dir: Path, service: str
) -> None:
    forged = forged_identities(keys_dir, service)
    asked = 0
    async with behind(world, service) as http:
        for method, path, _ in routes(world.system.apps[service]):
            if (method, path) in PUBLIC[service]:
                continue
            for what in WRONG_EVERYWHERE:
                request = FORM | {"headers": FORM["headers"] | {"Authorization": f"Bearer {forged[what]}"}}
                assert is_refused(await http.request(method, filled(path), **request)), (method, path, what)
                asked += 1
    assert asked > 100


async def test_services_believe_no_header_that_nobody_signed(world: World) -> None:
    caller = json.dumps(as_claims(everything("gateway")))
    claims = {"x-caller": caller, "x-identity": caller, "x-forwarded-user": "dfe", "x-api-key": "mat_live_x"}
    for service, path in DOORS.items():
        async with behind(world, service) as http:
            assert is_refused(await http.get(path, headers=claims))
            assert is_refused(await http.get(path, headers={**claims, "Authorization": f"Basic {caller}"}))


async def test_the_gateway_takes_no_identity_of_a_service(world: World, keys_dir: Path) -> None:
    signer = Signer(Folder(keys_dir), "gateway")
    for audience in ("gateway", "ringfence", "contracts"):
        bearer = {"Authorization": f"Bearer {signer.identity(everything('gateway'), audience)}"}
        assert is_refused(await Actor(world.http, bearer).ask("GET", "/v1/contracts"))
