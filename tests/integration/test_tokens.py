"""The token endpoint as clients and other libraries know it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jwt as other_library
from joserfc.jwk import ECKey, KeySet, RSAKey
from joserfc.jwt import JWTClaimsRegistry

from services.gateway.models import Job
from services.kernel.jobs import forget
from services.kernel.tokens import ACCESS, ALGORITHM, Signer
from services.kernel.types import Kind, real_now
from services.keys import Folder
from tests.forging import by_hand, everything
from tests.world import Actor, Json, World, change, world_on

ISSUER = "https://ringfence.localhost"
ENDPOINT = f"{ISSUER}/oauth2/token"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GRANT = {"grant_type": "client_credentials"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class System:
    """A registered system that proves itself by keys."""

    world: World
    id: str
    key: Any

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What it asserts of itself; ... leaves a claim out."""
        now = int(time.time())
        whole = {"iss": self.id, "sub": self.id, "aud": ISSUER, "iat": now, "exp": now + 120, "jti": str(uuid4())}
        return {name: value for name, value in (whole | changes).items() if value is not ...}

    def assertion(self, header: Mapping[str, Any] | None = None, key: Any = None, **changes: Any) -> str:
        """An assertion, made by another library."""
        key = key or self.key
        head = {"alg": "RS256" if key.key_type == "RSA" else ALGORITHM, "kid": key.kid, **(header or {})}
        return other_library.encode({k: v for k, v in head.items() if v}, self.claims(**changes), key)

    async def ask(self, assertion: str, path: str = "/oauth2/token", **form: str) -> httpx.Response:
        """A request to the token endpoint, or to one beside it."""
        proof = {"client_assertion_type": ASSERTION, "client_assertion": assertion}
        return await self.world.http.post(path, data={**(GRANT if path == "/oauth2/token" else {}), **proof, **form})

    async def token(self) -> str:
        """An access token."""
        answer = await self.ask(self.assertion())
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


def public(*keys: Any) -> list[dict[str, Any]]:
    """Public parts of keys."""
    return [key.as_dict(private=False) for key in keys]


def fresh(kid: str = "one") -> Any:
    """A new key of a client."""
    return ECKey.generate_key("P-256", {"kid": kid}, private=True)


async def registered(world: World, dfe: Actor, **more: Json) -> System:
    """A MAT's system with a key of its own."""
    key = fresh()
    facts = {"name": "a MAT", "kind": "supplier", "trust_uid": "4903", "scopes": ["contracts:read", "log:read"]}
    made = await dfe.post("/v1/clients", {**facts, "jwks": {"keys": public(key)}, **more})
    assert made["client_secret"] is None
    assert made["authentication"] == ["private_key_jwt"]
    return System(world, made["id"], key)


def refused(answer: httpx.Response, status: int, error: str, words: str = "") -> None:
    """The answer is the token endpoint's own refusal, and is not to be stored."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"error", "error_description"}
    assert body["error"] == error
    assert words in body["error_description"]
    assert all(sign in range(0x20, 0x7F) and chr(sign) not in '"\\' for sign in body["error_description"].encode())
    assert answer.headers["cache-control"] == "no-store"
    assert "pragma" not in answer.headers
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.fixture
async def dfe(world: World) -> Actor:
    """Who registers systems."""
    return await world.client(Kind.DFE)


async def test_a_token_is_what_other_libraries_expect(world: World, dfe: Actor) -> None:
    system = await registered(world, dfe)
    answer = await system.ask(system.assertion(), scope="contracts:read")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, "contracts:read")
    published = await world.http.get("/.well-known/jwks.json")
    token = other_library.decode(body["access_token"], KeySet.import_key_set(published.json()), [ALGORITHM])
    assert token.header["typ"] == "at+jwt"
    wanted = {name: {"essential": True} for name in ("exp", "iat", "sub", "client_id", "jti", "scope")}
    JWTClaimsRegistry(iss={"value": ISSUER}, aud={"value": "ringfence"}, **wanted).validate(token.claims)
    assert token.claims["sub"] == token.claims["client_id"] == system.id
    assert token.claims["exp"] - token.claims["iat"] == 600
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    assert (await world.http.get("/v1/contracts", headers=bearer)).status_code == 200
    assert (await world.http.get("/v1/payments", headers=bearer)).status_code == 403


async def test_what_is_published_is_valid_and_can_be_kept(world: World) -> None:
    found = await world.http.get("/.well-known/oauth-authorization-server")
    metadata = AuthorizationServerMetadata(found.json())
    metadata.validate()
    assert metadata["issuer"] == ISSUER
    assert metadata["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "private_key_jwt"]
    assert all(value for value in metadata.values())
    for path in ("/.well-known/jwks.json", "/.well-known/oauth-authorization-server"):
        answer = await world.http.get(path)
        assert answer.headers["cache-control"] == "public, max-age=300"
        again = await world.http.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    for key in (await world.http.get("/.well-known/jwks.json")).json()["keys"]:
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert key["kid"].startswith("tokens-"), "identities between services are nobody's business"


async def test_an_assertion_of_another_library_works_once_it_is_short_enough(world: World, dfe: Actor) -> None:
    system = await registered(world, dfe)
    for audience in (ISSUER, ENDPOINT):
        made = private_key_jwt_sign(system.key, system.id, audience, alg=ALGORITHM, expires_in=300)
        assert (await system.ask(made)).status_code == 200
    hour = private_key_jwt_sign(system.key, system.id, ENDPOINT, alg=ALGORITHM)
    refused(await system.ask(hour), 401, "invalid_client", "300 seconds after iat: some libraries set an hour")


async def test_an_assertion_serves_once_on_every_replica(world: World, dfe: Actor, keys_dir: Path) -> None:
    system = await registered(world, dfe)
    async with world_on(world.database_url, keys_dir) as other:
        twin = System(other, system.id, system.key)
        spent = system.assertion()
        assert (await system.ask(spent)).status_code == 200
        for each in (system, twin):
            refused(await each.ask(spent), 401, "invalid_client", "used before")
        wasted = system.assertion()
        refused(await system.ask(wasted, scope="clients:write"), 400, "invalid_scope")
        refused(await twin.ask(wasted), 401, "invalid_client", "used before")


async def test_every_wrong_assertion_is_refused(world: World, dfe: Actor, subtests: pytest.Subtests) -> None:
    system, other = await registered(world, dfe), await registered(world, dfe, name="another")
    own = public(system.key)[0]
    signer = world.system.apps["gateway"].state.signer
    rsa = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
    secret = fresh()
    wrong = {
        "nothing": "",
        "noise": "a.b.c",
        "another one's key": system.assertion(key=other.key),
        "a key of one's own": system.assertion(key=secret),
        "an RSA key under the name of an EC key": system.assertion(key=rsa),
        "of another": system.assertion(iss=other.id, sub=other.id),
        "for another": system.assertion(sub=other.id),
        "of nobody": system.assertion(iss="nobody", sub="nobody"),
        "to another": system.assertion(aud="https://ringfence.localhost/"),
        "to two": system.assertion(aud=[ISSUER, "https://other.example"]),
        "for an hour": system.assertion(exp=int(time.time()) + 3600),
        "expired": system.assertion(iat=int(time.time()) - 200, exp=int(time.time()) - 1),
        "not yet": system.assertion(iat=int(time.time()) + 100, exp=int(time.time()) + 200),
        "without a jti": system.assertion(jti=...),
        "without an iat": system.assertion(iat=...),
        "without an exp": system.assertion(exp=...),
        "with a name that is a number": system.assertion(jti=7),
        "of another type": system.assertion(header={"typ": "at+jwt"}),
        "with its key inside": system.assertion(header={"jwk": own}),
        "with a key from elsewhere": system.assertion(header={"jku": "https://attacker.example/"}),
        "with an unknown kid": system.assertion(header={"kid": "two"}),
        "alg none": by_hand({"alg": "none", "kid": "one"}, system.claims()),
        "an access token": signer.sign(ACCESS, "ringfence", system.id, {"client_id": system.id, "scope": "log:read"}),
        "an identity": Signer(signer.keys, "gateway").identity(everything("gateway"), ISSUER),
    }
    assert (await system.ask(system.assertion())).status_code == 200
    for what, assertion in wrong.items():
        with subtests.test(assertion=what):
            answer = await system.ask(assertion)
            expected = (400, "invalid_request") if not assertion else (401, "invalid_client")
            refused(answer, *expected)
    bearer = {"Authorization": f"Bearer {system.assertion(aud='ringfence')}"}
    assert (await world.http.get("/v1/contracts", headers=bearer)).status_code == 401


async def test_what_the_endpoint_cannot_read_is_refused_by_the_book(world: World, dfe: Actor) -> None:
    system = await registered(world, dfe)
    proof = {"client_assertion_type": ASSERTION, "client_assertion": system.assertion()}
    basic = {"Authorization": "Basic eDp5"}

    async def ask(body: str | bytes, **headers: str) -> httpx.Response:
        return await world.http.post("/oauth2/token", content=body, headers={**FORM, **headers})

    refused(await world.http.post("/oauth2/token", json=GRANT), 400, "invalid_request", "form")
    refused(await ask(urlencode(GRANT)), 401, "invalid_client", "HTTP Basic")
    refused(await ask(urlencode(GRANT), **basic), 401, "invalid_client")
    refused(await ask(urlencode(GRANT), Authorization="Bearer x"), 401, "invalid_client")
    refused(await ask(urlencode(GRANT), Authorization="Basic !!"), 401, "invalid_client")
    refused(await ask(urlencode(GRANT | {"client_id": "x", "client_secret": "y"})), 400, "invalid_request", "Basic")
    refused(await ask(urlencode(GRANT | proof), **basic), 400, "invalid_request", "one way")
    refused(await ask(urlencode(GRANT | {"client_id": "z"}), **basic), 400, "invalid_request", "another client")
    refused(await ask(urlencode(GRANT | proof) + "&scope=a&scope=b"), 400, "invalid_request", "twice")
    refused(await ask(b"grant_type=%ff\xff"), 400, "invalid_request")
    refused(await ask("&".join(f"a{n}=1" for n in range(50))), 400, "invalid_request")
    refused(await ask(urlencode(GRANT | {"client_assertion": "x"})), 400, "invalid_request")
    refused(await ask(urlencode(proof)), 400, "invalid_request", "grant_type")
    proof["client_assertion"] = system.assertion()
    refused(await ask(urlencode(proof | {"grant_type": "password"})), 400, "unsupported_grant_type")
    refused(await system.ask(system.assertion(), scope="clients:write"), 400, "invalid_scope")
    refused(await system.ask(system.assertion(), scope="contracts:read internal"), 400, "invalid_scope")
    two = [("Authorization", "Basic eDp5"), ("Authorization", "Basic eDp5"), *FORM.items()]
    refused(await world.http.post("/oauth2/token", content=urlencode(GRANT), headers=two), 400, "invalid_request")


async def test_secrets_are_replaced_with_an_overlap(world: World, dfe: Actor) -> None:
    made = await dfe.post("/v1/clients", {"name": "reader", "kind": "dfe", "scopes": ["log:read"]})
    path, first = f"/v1/clients/{made['id']}", made["client_secret"]

    async def works(secret: str) -> bool:
        answer = await world.http.post("/oauth2/token", data=GRANT, auth=(made["id"], secret))
        return answer.status_code == 200

    second = (await dfe.post(f"{path}/secret", {"overlap_days": 7}))["client_secret"]
    assert [await works(each) for each in (first, second)] == [True, True]
    third = (await dfe.post(f"{path}/secret", None))["client_secret"]
    assert [await works(each) for each in (first, second, third)] == [False, True, True]
    change(world.database_url, "UPDATE gateway.client SET former_secret_until = now() - interval '1 second'")
    assert [await works(each) for each in (second, third)] == [False, True]
    assert (await dfe.ask("POST", f"{path}/secret", json={"overlap_days": 8})).status_code == 422
    answer = await dfe.ask("DELETE", f"{path}/secret", headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_other_proof")
    key, tag = fresh(), (await dfe.ask("GET", path)).headers["etag"]
    put = {"json": {"keys": public(key)}, "headers": {"If-Match": tag}}
    answer = await dfe.ask("PUT", f"{path}/jwks", **put)
    assert answer.json()["authentication"] == ["client_secret_basic", "private_key_jwt"]
    assert (await dfe.ask("PUT", f"{path}/jwks", **put)).status_code == 412
    assert (await dfe.ask("PUT", f"{path}/jwks", json={"keys": public(key)})).status_code == 428
    assert (await dfe.ask("DELETE", f"{path}/secret")).status_code == 428
    tag = (await dfe.ask("GET", path)).headers["etag"]
    assert (await dfe.ask("DELETE", f"{path}/secret", headers={"If-Match": tag})).status_code == 204
    assert (await dfe.ask("DELETE", f"{path}/secret", headers={"If-Match": tag})).status_code == 412
    assert not await works(third)
    system = System(world, made["id"], key)
    assert (await system.ask(system.assertion())).status_code == 200
    told = world.rows("SELECT type FROM gateway.event WHERE type LIKE 'client.%%' ORDER BY position")
    kinds = ["registered", "secret_replaced", "secret_replaced", "keys_replaced", "secret_ended"]
    assert [each for (each,) in told][-5:] == [f"client.{kind}" for kind in kinds]


async def test_keys_of_a_client_are_replaced_and_private_ones_refused(world: World, dfe: Actor) -> None:
    system = await registered(world, dfe)
    path = f"/v1/clients/{system.id}"
    new = RSAKey.generate_key(2048, {"kid": "two"}, private=True)
    for keys in ([new.as_dict(private=True)], [{"kty": "oct", "kid": "x", "k": "AAAA"}], [], public(*[new] * 5)):
        answer = await dfe.ask("PUT", f"{path}/jwks", json={"keys": keys}, headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (422, "unusable_keys")
        assert "d" not in answer.json()
    answer = await dfe.ask("PUT", f"{path}/jwks", json={"keys": public(new)}, headers={"If-Match": "*"})
    assert answer.headers["etag"] == (await dfe.ask("GET", path)).headers["etag"]
    refused(await system.ask(system.assertion()), 401, "invalid_client")
    assert (await system.ask(system.assertion(key=new))).status_code == 200
    assert (await system.ask(system.assertion(key=new, header={"kid": None}))).status_code == 200


async def test_a_token_is_revoked_by_its_client_only(world: World, dfe: Actor, keys_dir: Path) -> None:
    system, other = await registered(world, dfe), await registered(world, dfe, name="another")
    token = await system.token()
    bearer = {"Authorization": f"Bearer {token}"}
    async with world_on(world.database_url, keys_dir) as replica:
        for there in (world, replica):
            assert (await there.http.get("/v1/contracts", headers=bearer)).status_code == 200
        for foreign in ("nonsense", token):
            answer = await other.ask(other.assertion(), "/oauth2/revoke", token=foreign)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert (await replica.http.get("/v1/contracts", headers=bearer)).status_code == 200
        for _ in range(2):
            assert (await system.ask(system.assertion(), "/oauth2/revoke", token=token)).status_code == 200
        for there in (world, replica):
            assert (await there.http.get("/v1/contracts", headers=bearer)).status_code == 401
    assert world.rows("SELECT count(*) FROM gateway.event WHERE type = 'token.revoked'") == [(1,)]
    refused(await world.http.post("/oauth2/revoke", data={"token": token}), 401, "invalid_client")
    refused(await system.ask(system.assertion(), "/oauth2/revoke"), 400, "invalid_request", "Send the token")


async def test_a_disabled_client_is_refused_at_once_on_every_replica(world: World, dfe: Actor, keys_dir: Path) -> None:
    system = await registered(world, dfe)
    bearer = {"Authorization": f"Bearer {await system.token()}"}
    async with world_on(world.database_url, keys_dir) as replica:
        for there in (world, replica):
            assert (await there.http.get("/v1/contracts", headers=bearer)).status_code == 200
        await dfe.change(f"/v1/clients/{system.id}", "disablement")
        for there in (world, replica):
            assert (await there.http.get("/v1/contracts", headers=bearer)).status_code == 401
        refused(await System(replica, system.id, system.key).ask(system.assertion()), 401, "invalid_client")


async def test_a_client_is_told_of_its_own_tokens_only_and_dfe_of_all(world: World, dfe: Actor) -> None:
    system, other = await registered(world, dfe), await registered(world, dfe, name="another")
    ministry = await registered(world, dfe, kind="dfe", name="DfE")
    token = await system.token()

    async def told(by: System, about: str) -> Json:
        answer = await by.ask(by.assertion(), "/oauth2/introspect", token=about)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        return answer.json()

    for who in (system, ministry):
        found = await told(who, token)
        assert (found["active"], found["client_id"], found["token_type"]) == (True, system.id, "Bearer")
        assert found["exp"] - found["iat"] == 600
    assert await told(other, token) == {"active": False}
    identity = Signer(Folder(world.system.apps["gateway"].state.signer.keys.path), "gateway")
    for wrong in ("nonsense", token[:-4] + "AAAA", identity.identity(everything("gateway"), "ringfence")):
        assert await told(ministry, wrong) == {"active": False}
    await system.ask(system.assertion(), "/oauth2/revoke", token=token)
    assert await told(ministry, token) == {"active": False}
    late = await other.token()
    await dfe.change(f"/v1/clients/{other.id}", "disablement")
    assert await told(ministry, late) == {"active": False}
    refused(await world.http.post("/oauth2/introspect", data={"token": token}), 401, "invalid_client")


async def test_what_has_expired_is_forgotten_and_nothing_else(world: World, dfe: Actor) -> None:
    system = await registered(world, dfe)
    await system.ask(system.assertion(), "/oauth2/revoke", token=await system.token())
    tables = ("spent_assertion", "revoked_token", "idempotency_key")

    def kept() -> list[int]:
        return [world.rows(f"SELECT count(*) FROM gateway.{table}")[0][0] for table in tables]

    before = kept()
    assert all(before)
    await forget(world.database("gateway"), "gateway", real_now(), table=Job)
    assert kept() == before
    for table, column in zip(tables, ("expires_at", "expires_at", "created_at"), strict=True):
        change(world.database_url, f"UPDATE gateway.{table} SET {column} = now() - interval '49 hours'")
    await forget(world.database("gateway"), "gateway", real_now(), table=Job)
    assert kept() == [0, 0, 0]
    again = world.rows("SELECT available_at > now() + interval '50 minutes' FROM gateway.job WHERE kind = 'forget'")
    assert again == [(True,)]
