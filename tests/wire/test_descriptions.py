"""What the descriptions say: they are valid, current and complete, and describe every refusal as a problem."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from services import descriptions
from services.gateway.rules.scopes import SCOPES
from tests.world import Json, World

FOLDER = Path(__file__).parents[2] / "openapi"
NAMES = ("contracts", "outcomes", "gateway")
METHODS = ("get", "post", "put", "patch", "delete")
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
PROBLEM = {"$ref": "#/components/schemas/Problem"}
OWN_REFUSALS = {(f"/oauth2/{name}", status) for name in ("token", "revoke", "introspect") for status in ("400", "401")}
"""Those that RFC 6749 words."""
AGREED = """
POST /oauth2/token
POST /oauth2/revoke
POST /oauth2/introspect
GET /.well-known/oauth-authorization-server
GET /.well-known/jwks.json
POST /v1/clients
GET /v1/clients
GET /v1/clients/{id}
PUT /v1/clients/{id}/jwks
POST /v1/clients/{id}/secret
DELETE /v1/clients/{id}/secret
POST /v1/clients/{id}/disablement
POST /v1/api-keys
GET /v1/api-keys
GET /v1/api-keys/{id}
POST /v1/api-keys/{id}/rotation
DELETE /v1/api-keys/{id}
GET /v1/schools
GET /v1/schools/{urn}
GET /v1/schools/{urn}/observations
GET /v1/trusts
GET /v1/trusts/{uid}
GET /v1/measures
GET /v1/schools/{urn}/suppliers
GET /v1/suppliers
GET /v1/suppliers/{uid}
PUT /v1/suppliers/{uid}
POST /v1/suppliers/{uid}/suspension
POST /v1/suppliers/{uid}/reinstatement
POST /v1/suppliers/{uid}/matters
GET /v1/suppliers/{uid}/matters
POST /v1/suppliers/{uid}/matters/{id}/resolution
GET /v1/suppliers/{uid}/events
POST /v1/releases
GET /v1/releases
GET /v1/releases/{id}
GET /v1/releases/{id}/rejections
POST /v1/contracts
GET /v1/contracts
GET /v1/contracts/{id}
PATCH /v1/contracts/{id}
POST /v1/contracts/{id}/offer
POST /v1/contracts/{id}/signatures
POST /v1/contracts/{id}/cancellation
POST /v1/contracts/{id}/suspension
POST /v1/contracts/{id}/resumption
POST /v1/contracts/{id}/termination
POST /v1/contracts/{id}/variations
GET /v1/suppliers
GET /v1/suppliers/{uid}
PUT /v1/suppliers/{uid}
GET /v1/schools/{urn}/suppliers
GET /v1/ocds/releases
GET /v1/ocds/releases/{ocid}
GET /v1/ocds/records/{ocid}
GET /v1/duties
GET /v1/contracts/{id}/milestones
GET /v1/contracts/{id}/records
GET /v1/contracts/{id}/events
GET /v1/contracts/{id}/payments
POST /v1/contracts/{id}/milestones/{code}/records
POST /v1/contracts/{id}/evaluations
GET /v1/contracts/{id}/evaluations
GET /v1/ring-fences
GET /v1/trusts/{uid}/performance
GET /v1/transfers
GET /v1/transfers/{id}
POST /v1/transfers/{id}/consents
POST /v1/transfers/{id}/effective-date
POST /v1/transfers/{id}/steps/{key}/completion
POST /v1/transfers/{id}/cancellation
GET /v1/payments
POST /v1/claims
GET /v1/claims
GET /v1/claims/{id}
POST /v1/claims/{id}/certification
POST /v1/claims/{id}/approval
POST /v1/claims/{id}/rejection
POST /v1/claims/{id}/payment
GET /v1/invoices/{id}
GET /v1/contracts/{id}/statement
GET /v1/exports/payments
GET /health/live
GET /health/ready
"""
"""The agreed routes, less those that this version leaves out (subscriptions, the log, ...)."""


def description(name: str) -> Json:
    """The committed description."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def operations(whole: Json) -> Iterator[tuple[str, str, Json]]:
    """Method, path and operation, one after another."""
    for path, item in whole["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def shape(path: str) -> str:
    """The path without the names of its parameters."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


@pytest.mark.parametrize("name", NAMES)
def test_a_description_is_valid_openapi(name: str) -> None:
    OpenAPIV31SpecValidator(description(name)).validate()


def test_the_committed_descriptions_are_those_that_the_code_makes() -> None:
    made = {**descriptions.openapi_behind(), **descriptions.openapi_gateway()}
    assert {path.name for path in made} == {f"{name}.json" for name in NAMES}
    assert not descriptions.stale(made), "run `ringfence openapi`"


async def test_the_gateway_serves_the_committed_description(world: World) -> None:
    answer = await world.http.get("/openapi.json")
    assert answer.json() == description("gateway")


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_has_an_id_of_its_own(name: str) -> None:
    counted = Counter(operation["operationId"] for _, _, operation in operations(description(name)))
    assert not {each for each, times in counted.items() if times > 1}


def test_every_operation_is_named_and_sorted_for_readers(subtests: pytest.Subtests) -> None:
    whole = description("gateway")
    tags = {each["name"] for each in whole["tags"]}
    for method, path, operation in operations(whole):
        with subtests.test(method=method, path=path):
            assert operation["summary"]
            assert operation["description"]
            assert operation["tags"]
            assert set(operation["tags"]) <= tags


def test_every_operation_asks_for_known_scopes_or_is_public(subtests: pytest.Subtests) -> None:
    for method, path, operation in operations(description("gateway")):
        with subtests.test(method=method, path=path):
            asked = [scope for entry in operation.get("security", []) for scope in entry.get("oauth2", [])]
            assert bool(asked) != (path in PUBLIC)
            assert set(asked) <= set(SCOPES)


def test_the_scopes_are_explained() -> None:
    schemes = description("gateway")["components"]["securitySchemes"]
    assert schemes["oauth2"]["flows"]["clientCredentials"]["scopes"] == SCOPES
    assert (schemes["apiKey"]["in"], schemes["apiKey"]["name"]) == ("header", "x-api-key")


def resolved(whole: Json, part: Json) -> Json:
    """A part of the description, or what it refers to."""
    for name in part.get("$ref", "").split("/")[1:]:
        whole = whole[name]
    return whole if "$ref" in part else part


def test_every_refusal_is_described_as_a_problem() -> None:
    whole = description("gateway")
    wrong = [
        (method, path, status)
        for method, path, operation in operations(whole)
        for status, answer in operation["responses"].items()
        if status >= "400" and not path.startswith("/oauth2/")
        if resolved(whole, answer)["content"]["application/problem+json"]["schema"] != PROBLEM
    ]
    assert not wrong, f"{len(wrong)} refusals are described otherwise"
    assert "HTTPValidationError" not in whole["components"]["schemas"]


def refusals(path: str, operation: Json) -> set[str]:
    """The statuses of refusals that this operation can answer with."""
    names = {each.get("name") for each in operation.get("parameters", [])}
    expected = {"400", "401", "403", "503"}  # 400 also for two credentials in one request
    expected |= {"404"} if "{" in path else set()
    expected |= {"409", "412", "428"} if "If-Match" in names else set()
    return expected | ({"413", "422"} if "requestBody" in operation else set())


def test_every_operation_describes_the_refusals_that_it_can_give() -> None:
    missing = {
        (method, path): sorted(lacking)
        for method, path, operation in operations(description("gateway"))
        if path not in PUBLIC and (lacking := refusals(path, operation) - operation["responses"].keys())
    }
    assert not missing


def test_every_success_has_a_described_body() -> None:
    missing = [
        (method, path, status)
        for method, path, operation in operations(description("gateway"))
        for status, answer in operation["responses"].items()
        if status.startswith("2") and status != "204"
        if not all(medium.get("schema") for medium in answer.get("content", {"": {}}).values())
    ]
    assert not missing


def test_every_answer_says_where_its_caller_stands_and_every_later_one_when_to_come_again() -> None:
    whole = description("gateway")
    for method, path, operation in operations(whole):
        for status, found in operation["responses"].items():
            answer = resolved(whole, found)
            if (path, status) in OWN_REFUSALS:
                continue
            assert answer["headers"].keys() >= {"RateLimit", "RateLimit-Policy", "X-Request-Id"}, (method, path, status)
            assert status not in {"429", "502", "503", "504"} or "Retry-After" in answer["headers"]


def test_every_read_gives_an_entity_tag_and_304_to_who_has_it() -> None:
    whole = description("gateway")
    reads = [(path, each) for method, path, each in operations(whole) if method == "get" and "/health/" not in path]
    for path, operation in reads:
        assert "ETag" in operation["responses"]["200"]["headers"], path
        assert "304" in operation["responses"], path
        assert {"$ref": "#/components/parameters/IfNoneMatch"} in operation["parameters"], path


def test_every_example_is_as_its_schema_says() -> None:
    whole = description("gateway")
    wrong = [
        (method, path, each.message)
        for method, path, operation in operations(whole)
        for part in (operation.get("requestBody", {}), *operation["responses"].values())
        for kind, medium in part.get("content", {}).items()
        if "json" in kind or "requestBody" in operation
        for each in Draft202012Validator(
            {**medium["schema"], "components": whole["components"]}, format_checker=FormatChecker()
        ).iter_errors(medium["example"])
    ]
    assert not wrong


def test_what_is_made_leads_to_where_it_is_read() -> None:
    whole = description("gateway")
    for path, made in (("/v1/contracts", "201"), ("/v1/releases", "202")):
        links = whole["paths"][path]["post"]["responses"][made]["links"]
        ids = {each["operationId"] for each in links.values()}
        read = next(
            item["get"]["operationId"] for other, item in whole["paths"].items() if other.startswith(path + "/{")
        )
        assert read in ids


LIMITS = ("maxLength", "format", "enum", "const", "pattern", "contentMediaType")


def boundless(schema: Json, known: Json, place: str, seen: set[str]) -> Iterator[str]:
    """Places in a body where a caller may send any number of things, or a text of any length."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from boundless(known[name], known, name, seen | {name})
        return
    if schema.get("type") == "array" and "maxItems" not in schema:
        yield f"{place}: a list of any length"
    if schema.get("type") == "string" and not schema.keys() & set(LIMITS):
        yield f"{place}: a text of any length"
    for part, inner in schema.get("properties", {}).items():
        yield from boundless(inner, known, f"{place}.{part}", seen)
    choices: list[Json] = [*schema.get("anyOf", ()), *schema.get("allOf", ())]
    decimal = any(each.get("type") == "number" for each in choices)  # as a number or as text; its digits are limited
    for inner in [] if decimal else [*choices, *([schema["items"]] if "items" in schema else ())]:
        yield from boundless(inner, known, place, seen)


def test_nothing_in_a_body_is_boundless() -> None:
    whole = description("gateway")
    found = {
        each
        for method, path, operation in operations(whole)
        for medium in operation.get("requestBody", {}).get("content", {}).values()
        for each in boundless(medium["schema"], whole["components"]["schemas"], f"{method} {path}", set())
    }
    assert not found


def test_every_operation_that_changes_something_takes_an_idempotency_key_or_an_entity_tag() -> None:
    missing = {
        path
        for method, path, operation in operations(description("gateway"))
        if method != "get"
        if not {each.get("name") for each in operation.get("parameters", [])} & {"Idempotency-Key", "If-Match"}
    }
    named_by_what_it_holds = "/v1/transfers/{transfer_id}/hand-over/acknowledgement"
    assert missing == {"/oauth2/token", "/oauth2/revoke", "/oauth2/introspect", named_by_what_it_holds}


def test_every_agreed_route_is_at_the_gateway(subtests: pytest.Subtests) -> None:
    offered = {(method.upper(), shape(path)) for method, path, _ in operations(description("gateway"))}
    for line in AGREED.split("\n")[1:-1]:
        method, path = line.split()
        with subtests.test(route=line):
            assert (method, shape(path)) in offered


def test_everything_that_services_offer_under_v1_is_at_the_gateway() -> None:
    offered = {(method, path) for method, path, _ in operations(description("gateway"))}
    for name in ("contracts", "outcomes"):
        behind = {(method, path) for method, path, _ in operations(description(name)) if path.startswith("/v1/")}
        assert behind <= offered


def test_nothing_internal_is_told_to_clients() -> None:
    text = (FOLDER / "gateway.json").read_text()
    assert "/internal/" not in text
    assert '"internal"' not in text
