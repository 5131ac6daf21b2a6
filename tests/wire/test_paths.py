"""Paths, methods, queries and headers that nobody offers are refused as problems, and never with a 500."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from tests.wire.loopback import check_headers, check_problem
from tests.wire.test_descriptions import resolved
from tests.world import Actor, World, agreed_contract

ROOT = Path(__file__).parents[2]
LISTS = (
    "/v1/contracts",
    "/v1/payments",
    "/v1/transfers",
    "/v1/releases",
    "/v1/ring-fences",
    "/v1/schools",
    "/v1/trusts",
    "/v1/suppliers",
)
BY_ID = ("/v1/contracts", "/v1/transfers", "/v1/releases")
CLIENT = {"name": "a reader", "kind": "dfe", "scopes": ["log:read"]}
FOREIGN_CURSORS = {
    "a word": "x",
    "no base64": "!!!",
    "no ASCII": "é",
    "null": "bnVsbA",
    "an empty list": "W10",
    "an object": "e30",
    "numbers": "WzEsMiwzXQ",
    "two texts": "WyJhIiwgImIiXQ",
    "two nulls": "W251bGwsbnVsbF0",
    "lists": "W1tdLFtdXQ",
    "too great": "WzFlNDAwLDFlNDAwXQ",
    "one too great": "WzFlNDAwXQ",
    "beyond 64 bits": "WzE4NDQ2NzQ0MDczNzA5NTUxNjE2LDE4NDQ2NzQ0MDczNzA5NTUxNjE2XQ",
    "one beyond 64 bits": "WzE4NDQ2NzQ0MDczNzA5NTUxNjE2XQ",
    "NUL": "WyJcdTAwMDAiXQ",
}
WHOLE = json.loads((ROOT / "openapi" / "gateway.json").read_text())
OFFERED = WHOLE["paths"]


async def test_an_unknown_path_is_404(dfe: Actor, subtests: pytest.Subtests) -> None:
    odd = ("/", "/v1", "/v2/contracts", "/v1/contracts/", "/v1/nothing", "/v1//contracts", "/V1/contracts", "/redoc")
    for path in odd:
        with subtests.test(path=path):
            check_problem(await dfe.ask("GET", path), 404)


async def test_a_method_that_is_not_offered_is_405_and_names_those_that_are(
    dfe: Actor, subtests: pytest.Subtests
) -> None:
    for path, item in OFFERED.items():
        there = path.replace("{", "").replace("}", "")
        method = min({"get", "post", "put", "patch", "delete"} - item.keys())
        with subtests.test(path=path, method=method):
            answer = await dfe.ask(method.upper(), there)
            check_problem(answer, 405)
            named = {name.strip() for name in answer.headers["allow"].split(",")} - {"HEAD", "OPTIONS"}
            assert named == {name.upper() for name in item}


async def test_a_method_that_nobody_knows_is_no_500(wire: Actor, subtests: pytest.Subtests) -> None:
    for method in ("TRACE", "CONNECT", "OPTIONS", "PROPFIND", "QUERY"):
        with subtests.test(method=method):
            answer = await wire.ask(method, "/v1/contracts")
            assert answer.status_code in {400, 405, 501}, answer.status_code
            check_headers(answer)


async def test_a_cursor_that_was_not_given_is_400(dfe: Actor, subtests: pytest.Subtests) -> None:
    for path in LISTS:
        for what, cursor in FOREIGN_CURSORS.items():
            with subtests.test(path=path, cursor=what):
                check_problem(await dfe.ask("GET", path, params={"cursor": cursor}), 400)


async def test_a_foreign_cursor_in_the_events_and_payments_of_a_contract_is_400(
    seeded_world: World, subtests: pytest.Subtests
) -> None:
    actors = await seeded_world.cast()
    path = await agreed_contract(actors)
    for part in ("events", "payments", "records"):
        for what, cursor in FOREIGN_CURSORS.items():
            with subtests.test(part=part, cursor=what):
                answer = await actors["rsc"].ask("GET", f"{path}/{part}", params={"cursor": cursor})
                check_problem(answer, 400)


async def test_a_foreign_cursor_in_the_observations_of_a_school_is_400(
    seeded_world: World, subtests: pytest.Subtests
) -> None:
    reader = (await seeded_world.cast())["rsc"]
    for what, cursor in FOREIGN_CURSORS.items():
        with subtests.test(cursor=what):
            answer = await reader.ask("GET", "/v1/schools/135936/observations", params={"cursor": cursor})
            check_problem(answer, 400)


async def test_a_page_of_an_impossible_size_is_422(dfe: Actor, subtests: pytest.Subtests) -> None:
    for path in LISTS:
        for limit in ("0", "-1", "100000", "many", "9" * 30, "1.5", ""):
            with subtests.test(path=path, limit=limit):
                check_problem(await dfe.ask("GET", path, params={"limit": limit}), 422)


async def test_an_identifier_that_is_none_is_422(wire: Actor, subtests: pytest.Subtests) -> None:
    for path in BY_ID:
        for given in ("x", "0", "00000000-0000-0000-0000-00000000000g", "1" * 300):
            with subtests.test(path=path, given=given):
                check_problem(await wire.ask("GET", f"{path}/{given}"), 422)


async def test_an_identifier_of_strange_signs_is_no_500(wire: Actor, subtests: pytest.Subtests) -> None:
    for path in (*BY_ID, "/v1/schools", "/v1/trusts", "/v1/suppliers"):
        for given in (
            "%00",
            "%0a",
            "%0D%0AX-A:1",
            "%ff",
            "a%20b",
            "%3Flimit=1",
            "%23",
            "%E2%80%AE",
            "%25",
            ";",
            "[",
            "\\",
        ):
            with subtests.test(path=path, given=given):
                answer = await wire.ask("GET", f"{path}/{given}")
                assert answer.status_code in {400, 404, 422}, f"{answer.status_code} {answer.text}"


async def test_an_identifier_of_nothing_is_404(dfe: Actor, subtests: pytest.Subtests) -> None:
    nothing = ("/v1/schools/999999", "/v1/trusts/99999", "/v1/suppliers/99999", "/v1/schools/999999/suppliers")
    for path in (*(f"{path}/{uuid4()}" for path in BY_ID), *nothing):
        with subtests.test(path=path):
            check_problem(await dfe.ask("GET", path), 404)
    check_problem(await dfe.ask("POST", "/v1/clients/nobody/disablement", headers={"If-Match": "*"}), 404)
    check_problem(await dfe.ask("DELETE", f"/v1/api-keys/{uuid4()}", headers={"If-Match": "*"}), 404)
    check_problem(await dfe.ask("POST", f"/v1/api-keys/{uuid4()}/rotation"), 404)


async def test_text_that_cannot_be_kept_in_a_path_is_no_500(wire: Actor, subtests: pytest.Subtests) -> None:
    for text in ("%00", "%ff", "a%00b"):
        with subtests.test(text=text):
            path, read = f"/v1/clients/{text}/disablement", {"If-Match": "*"}
            check_problem(await wire.ask("POST", path, headers=read), 400, 404, 422)


async def test_a_query_of_strange_signs_is_no_500(wire: Actor, subtests: pytest.Subtests) -> None:
    for path in LISTS:
        parameters = [resolved(WHOLE, each) for each in OFFERED[path]["get"].get("parameters", [])]
        names = [each["name"] for each in parameters if each["in"] == "query"]
        for name in names:
            for value in ("%00", "%ff", "a%0Ab", "9" * 40, "2023-99-99"):
                with subtests.test(path=path, query=f"{name}={value}"):
                    answer = await wire.ask("GET", f"{path}?{name}={value}")
                    assert answer.status_code in {200, 400, 422}, f"{answer.status_code} {answer.text}"
                    check_headers(answer)


async def test_a_malformed_idempotency_key_is_400(world: World, dfe: Actor, subtests: pytest.Subtests) -> None:
    check_problem(await world.http.post("/v1/clients", json=CLIENT, headers=dfe.headers), 400)
    for key in ("", "x", '"short"', '"a\\"bcdefgh"', '"0123456789', "a b c d e f", '"tab\there!"', "a" * 101):
        with subtests.test(key=key):
            answer = await world.http.post("/v1/clients", json=CLIENT, headers={**dfe.headers, "Idempotency-Key": key})
            check_problem(answer, 400)


async def test_two_credentials_in_one_request_are_400(world: World, dfe: Actor) -> None:
    key = await world.key("4903")
    found = check_problem(await dfe.ask("GET", "/v1/contracts", headers=key.headers), 400)
    assert found["code"] == "invalid_request"


async def test_a_credential_that_is_none_is_401_with_a_challenge(wire: Actor, subtests: pytest.Subtests) -> None:
    odd = ("Bearer", "Bearer x", "Bearer a.b.c", "Basic eDp5", "ApiKey x", "Bearer " + "[" * 3000, "é", "")
    for given in odd:
        with subtests.test(given=given[:20]):
            answer = await wire.http.get("/v1/contracts", headers={b"Authorization": given.encode()})
            check_problem(answer, 401)
            assert answer.headers["www-authenticate"]
    for key in ("x", "mat_live_", "mat_live_" + "a" * 36, "\u00e9"):
        with subtests.test(key=key):
            check_problem(await wire.http.get("/v1/contracts", headers={b"x-api-key": key.encode()}), 401)


async def test_a_token_request_that_makes_no_sense_is_an_oauth_error(wire: Actor, subtests: pytest.Subtests) -> None:
    forms = ("", "grant_type=password", "grant_type=client_credentials", "\x00", "&".join(f"a{n}=1" for n in range(50)))
    for form in forms:
        for proof in ("", "Basic", "Basic !!!", "Basic eA==", "Basic /////w==", "Basic AHg6eQ=="):
            with subtests.test(form=form[:30], proof=proof):
                headers = {"Authorization": proof, "content-type": "application/x-www-form-urlencoded"}
                answer = await wire.http.post("/oauth2/token", content=form, headers=headers)
                assert answer.status_code in {400, 401}, f"{answer.status_code} {answer.text}"
                assert answer.json()["error"] == ("invalid_request" if len(form) > 40 else "invalid_client")
                assert answer.headers["cache-control"] == "no-store"
                check_headers(answer)
