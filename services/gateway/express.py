"""The short way for what comes most often: a single record that is in order in every respect, and passing a GET on.

Of so small a request the framework's own work (finding the route, resolving dependencies, validating) is the largest
part. This layer reads it directly and calls the same function as the route. Whatever is not exactly as it should be
goes on to the framework, which says what is wrong; so the description, and every refusal, are the route's own.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from fastapi.responses import Response
from fastapi.routing import APIRoute
from opentelemetry import trace
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.access.authenticate import believed
from services.gateway.access.remembered import Tokens
from services.gateway.beliefs import Belief, NotConfirmed
from services.gateway.forward import ANYBODY, OPEN_TO_ALL, Endpoint, Passing, scopes_of
from services.gateway.rates import Rates
from services.gateway.records import routes as records
from services.gateway.records.schemas import RecordIn
from services.gateway.records.service import Asked
from services.kernel.auth import proven
from services.kernel.errors import BadRequest, DomainError
from services.kernel.idempotency import checked
from services.kernel.problems import as_problem, database_error

JSON, ANY = "application/json", "*/*"


class Signposts:
    """Which route a path belongs to: the first that matches, as in the framework, looked for among those of its length.

    `passing` says by their functions what some pass on.
    """

    def __init__(self, routes: Sequence[APIRoute], passing: Mapping[Endpoint, Passing]) -> None:
        self.passing = passing
        self.routes: dict[tuple[str, int], list[APIRoute]] = defaultdict(list)
        for route in routes:
            for method in route.methods or ():
                self.routes[method, route.path.count("/")].append(route)

    def find(self, scope: Scope) -> APIRoute | None:
        """The route of this request, if it has one here."""
        among = self.routes.get((scope["method"], scope["path"].count("/")), ())
        return next((each for each in among if each.path_regex.match(scope["path"])), None)


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Who callers are as far as is known before the database has been asked."""

    tokens: Tokens
    rates: Rates

    async def of(self, request: Request, *scopes: str) -> Belief | None:
        """What is believed of a request that has these scopes; it is counted, and TooManyRequests raised."""
        belief = believed(request, self.tokens)
        if belief is None or not belief.caller.scopes.issuperset(scopes):
            return None
        await self.rates.charge(request, self.rates.caller, belief.caller.client_id)
        return belief


class Express:
    """The layer, in plain ASGI, right in front of the framework; `constraints` are those of the app."""

    def __init__(
        self, app: ASGIApp, constraints: Mapping[str, DomainError], signposts: Signposts, beliefs: Beliefs
    ) -> None:
        self.app, self.constraints, self.signposts, self.beliefs = app, constraints, signposts, beliefs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102
        route = self.signposts.find(scope) if scope["type"] == "http" else None
        response: Response | None = None
        if route is not None and scope["method"] == "GET" and route.endpoint in self.signposts.passing:
            response = await self.passed_on(Request(scope, receive), route)
        elif route is not None and route.endpoint is records.record_milestone:
            first = await receive()
            response = await self.recorded(Request(scope), route, first)
            receive = Replayed(first, receive)
        if response is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = route
        if route is not None and (span := trace.get_current_span()).is_recording():
            span.update_name(f"{scope['method']} {route.path}")
            span.set_attribute("http.route", route.path)
        await response(scope, receive, send)

    async def passed_on(self, request: Request, route: APIRoute) -> Response:
        """What a service answers to a GET, or what stands against it."""
        passing = self.signposts.passing[route.endpoint]
        scopes = scopes_of(passing.operation)
        try:
            caller = ANYBODY if passing.operation.get(OPEN_TO_ALL) else await proven(request, *scopes)
            return await passing.pass_on(request, caller)
        except (DomainError, DBAPIError, ConnectionError) as error:
            return await self.refused(request, error)

    async def recorded(self, request: Request, route: APIRoute, first: Message) -> Response | None:
        """What the route of a record answers, or what stands against it; nothing where it is not plainly in order."""
        try:
            asked, key = read(request, route, first)
        except (ValueError, BadRequest):
            return None
        try:
            belief = await self.beliefs.of(request, records.WRITE)
            if belief:
                with suppress(NotConfirmed):
                    response = await records.recorded_on_belief(request, asked, belief, key, first["body"])
                    request.state.caller = belief.caller
                    return response
            caller = await proven(request, records.WRITE)
            return await records.recorded(request, asked, caller, key, first["body"])
        except (DomainError, DBAPIError, ConnectionError) as error:
            return await self.refused(request, error)

    async def refused(self, request: Request, error: Exception) -> Response:
        """The problem that an error is."""
        if isinstance(error, DomainError):
            return as_problem(request, error)
        return await database_error(request, error, self.constraints)


def read(request: Request, route: APIRoute, message: Message) -> tuple[Asked, str]:
    """What is to be recorded, and under which key; raises ValueError or BadRequest for all that is not plainly so."""
    place = route.path_regex.fullmatch(request.scope["path"])
    plain = request.headers.get("content-type") == JSON and request.headers.get("accept", ANY) in {ANY, JSON}
    if place is None or message.get("more_body") or not plain:
        raise ValueError("not for the short way")
    if not records.CODE.fullmatch(place["code"]):
        raise ValueError("no code of a milestone")
    body = RecordIn.model_validate_json(message["body"])
    return Asked(UUID(place["contract_id"]), place["code"], body), checked(request.headers.get("idempotency-key"))


class Replayed:
    """The receiving side of a request whose first message was looked at."""

    def __init__(self, first: Message, receive: Receive) -> None:
        self.first: Message | None = first
        self.receive = receive

    async def __call__(self) -> Message:
        """The message that was looked at, then those after it."""
        first, self.first = self.first, None
        return first or await self.receive()
