"""The short way for what comes most often: a single record that is in order in every respect.

Of so small a request the framework's own work (finding the route, resolving dependencies, validating) is the largest
part. This layer reads it directly and calls the same function as the route. Whatever is not exactly as it should be
goes on to the framework, which says what is wrong; so the description, and every refusal, are the route's own.
"""

from collections.abc import Mapping
from uuid import UUID

from fastapi.responses import Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.records import routes
from services.gateway.records.schemas import RecordIn
from services.gateway.records.service import Asked
from services.kernel.auth import proven
from services.kernel.errors import BadRequest, DomainError
from services.kernel.http import as_problem, database_error
from services.kernel.idempotency import checked

(ROUTE,) = (
    each for each in routes.router.routes if isinstance(each, APIRoute) and each.endpoint is routes.record_milestone
)
JSON = "application/json"


class Express:
    """The layer, in plain ASGI, right in front of the framework; `constraints` are those of the app."""

    def __init__(self, app: ASGIApp, constraints: Mapping[str, DomainError]) -> None:
        self.app, self.constraints = app, constraints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102
        place = ROUTE.path_regex.fullmatch(scope["path"]) if scope.get("method") == "POST" else None
        if place is None:
            await self.app(scope, receive, send)
            return
        first = await receive()
        request = Request(scope)
        try:
            asked, key = read(request, place["contract_id"], place["code"], first)
        except (ValueError, BadRequest):
            await self.app(scope, Replayed(first, receive), send)
            return
        scope["route"] = ROUTE
        response = await self.answer(request, asked, key, first["body"])
        await response(scope, receive, send)

    async def answer(self, request: Request, asked: Asked, key: str, body: bytes) -> Response:
        """What the route answers, or what stands against it."""
        try:
            return await routes.recorded(request, asked, await proven(request, routes.WRITE), key, body)
        except DomainError as error:
            return as_problem(request, error)
        except (DBAPIError, ConnectionError) as error:
            return await database_error(request, error, self.constraints)


def read(request: Request, contract_id: str, code: str, message: Message) -> tuple[Asked, str]:
    """What is to be recorded, and under which key; raises ValueError or BadRequest for all that is not plainly so."""
    if request.headers.get("content-type") != JSON or message.get("more_body") or not routes.CODE.fullmatch(code):
        raise ValueError("not for the short way")
    body = RecordIn.model_validate_json(message["body"])
    return Asked(UUID(contract_id), code, body), checked(request.headers.get("idempotency-key"))


class Replayed:
    """The receiving side of a request whose first message was looked at."""

    def __init__(self, first: Message, receive: Receive) -> None:
        self.first: Message | None = first
        self.receive = receive

    async def __call__(self) -> Message:
        """The message that was looked at, then those after it."""
        first, self.first = self.first, None
        return first or await self.receive()
