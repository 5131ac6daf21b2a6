"""Pass-through: what another service offers under /v1 is offered here, as its committed description says."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter, Request, Security
from fastapi.responses import Response
from pydantic_core import from_json

from services.gateway.kept import Kept
from services.kernel.auth import Caller, current_caller, service_caller
from services.kernel.openapi import PROBLEM_JSON
from services.kernel.peers import BadGateway, Peer

BEHIND = ("contracts", "outcomes")
DESCRIPTIONS = Path(__file__).parents[2] / "openapi"
CONDITIONS = ("if-match", "if-none-match")
PASSED_ON = ("content-type", "accept", "idempotency-key", *CONDITIONS)
PASSED_BACK = (
    "content-type",
    "content-disposition",
    "cache-control",
    "vary",
    "etag",
    "location",
    "link",
    "retry-after",
    "idempotent-replayed",
    "www-authenticate",
    "allow",
)
OPEN_TO_ALL = "x-public"
"""Marks what a service offers to everybody, without a token."""
ANYBODY = service_caller("gateway")
Endpoint = Callable[..., Awaitable[Response]]
METHODS = frozenset({"get", "post", "put", "patch", "delete"})


def description(service: str) -> dict[str, Any]:
    """The committed description of a service, from which the gateway routes."""
    found: dict[str, Any] = from_json((DESCRIPTIONS / f"{service}.json").read_bytes())
    return found


def public(paths: dict[str, Any]) -> dict[str, Any]:
    """The paths that are offered at the gateway."""
    return {path: item for path, item in paths.items() if path.startswith("/v1/")}


def scopes_of(operation: dict[str, Any]) -> list[str]:
    """The scopes that an operation asks for."""
    return [scope for entry in operation.get("security", []) for scope in entry.get("oauth2", [])]


def open_paths() -> tuple[str, ...]:
    """How the paths begin that services offer to everybody."""
    paths = [(path, item) for service in BEHIND for path, item in public(description(service)["paths"]).items()]
    return tuple({path.partition("{")[0] for path, item in paths for each in item.values() if each.get(OPEN_TO_ALL)})


def check_answer(service: str, operation: dict[str, Any], answer: httpx.Response) -> None:
    """Raise BadGateway for an answer that is neither a problem nor what the description says, or JSON that is none."""
    if answer.status_code == 304:
        return
    kind = answer.headers.get("content-type", "").partition(";")[0]
    described = operation["responses"].get(str(answer.status_code), {}).get("content", {})
    as_described = kind in described or (not answer.content and answer.status_code == 204)
    try:
        if not (as_described or (answer.status_code >= 400 and kind == PROBLEM_JSON)):
            raise ValueError(f"{answer.status_code} {kind}")
        if kind.endswith("json"):
            from_json(answer.content)
    except ValueError as error:
        raise BadGateway(f"The {service} service gave an answer that makes no sense.") from error


@dataclass(frozen=True, slots=True)
class Passing:
    """One operation of a service, as it is offered here."""

    service: str
    operation: dict[str, Any]

    async def pass_on(self, request: Request, caller: Caller) -> Response:
        """Pass a request on under a signed identity, and its answer back."""
        query = request.scope["query_string"]
        target = (request.scope["raw_path"] + (b"?" + query if query else b"")).decode("ascii", "replace")
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        if request.method == "GET" and headers.keys().isdisjoint(CONDITIONS):
            return await self.read(request, caller, target, headers)
        answer = await self.asked(request, caller, target, headers)
        return Response(answer.content, answer.status_code, passed_back(answer))

    async def read(self, request: Request, caller: Caller, target: str, headers: dict[str, str]) -> Response:
        """The answer to a GET; where one is kept, the service is asked whether that still stands."""
        kept: Kept = request.app.state.kept
        question = (caller, target, headers.get("accept"))
        if found := kept.find(question):
            headers["if-none-match"] = found.tag
        answer = await self.asked(request, caller, target, headers)
        if found and answer.status_code == 304:
            return Response(found.body, 200, found.headers)
        back = passed_back(answer)
        if answer.status_code == 200:
            kept.keep(question, answer.content, back)
        return Response(answer.content, answer.status_code, back)

    async def asked(self, request: Request, caller: Caller, target: str, headers: dict[str, str]) -> httpx.Response:
        """What the service answers; raises BadGateway where that makes no sense."""
        peer: Peer = getattr(request.app.state, self.service)
        content = await request.body()
        headers["x-request-id"] = request.state.request_id
        answer = await peer.send(request.method, target, caller=caller, content=content or None, headers=headers)
        check_answer(self.service, self.operation, answer)
        return answer


def passed_back(answer: httpx.Response) -> dict[str, str]:
    """The header fields of a service's answer that are passed back."""
    return {name: answer.headers[name] for name in PASSED_BACK if name in answer.headers}


def passing_routes(service: str, own: set[tuple[str, str]]) -> tuple[APIRouter, dict[Endpoint, Passing]]:
    """Routes for all that `service` offers, less what the gateway answers itself (method, path).

    And by their functions, what each passes on.
    """
    router, passing = APIRouter(), dict[Endpoint, Passing]()
    for path, item in public(description(service)["paths"]).items():
        for method in METHODS & item.keys():
            if (method, path) not in own:
                found = Passing(service, item[method])
                passing[add_route(router, found, method, path)] = found
    return router, passing


def add_route(router: APIRouter, passing: Passing, method: str, path: str) -> Endpoint:
    """One route that checks the caller and passes the request on; gives its function."""
    operation = passing.operation

    async def pass_on_for_anybody(request: Request) -> Response:
        return await passing.pass_on(request, ANYBODY)

    async def pass_on(
        request: Request, caller: Caller = Security(current_caller, scopes=scopes_of(operation))
    ) -> Response:
        return await passing.pass_on(request, caller)

    endpoint: Endpoint = pass_on_for_anybody if operation.get(OPEN_TO_ALL) else pass_on
    router.add_api_route(
        path,
        endpoint,
        methods=[method.upper()],
        name=operation["operationId"],
        response_class=Response,
        include_in_schema=False,
        max_body_size=operation.get("x-max-body-bytes"),
    )
    return endpoint
