"""What every service's door has in common: the app, request ids, security headers, health, sessions."""

import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kernel.auth import Caller, current_caller
from services.kernel.bodies import chosen
from services.kernel.db import Database
from services.kernel.errors import (
    DomainError,
    Unauthenticated,
    Unavailable,
    problem_members,
)
from services.kernel.openapi import PROBLEM_JSON, described
from services.kernel.problems import install, unexpected
from services.kernel.tokens import Verifier
from services.kernel.types import canonical_json, uuid7

MAX_BODY = 1_000_000
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
]
"""What every answer has, unless it says otherwise itself."""
QUIET = ("/health/", "/internal/events")
"""Paths that are asked all the time by machines; a log of them would drown the others."""
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
Count = Callable[[str, str, str, int, float], None]
log = structlog.get_logger("ringfence.access")


async def acceptable(request: Request) -> None:
    """Raise NotAcceptable, before anything is done, where no form of the route's answer is what the caller takes.

    A `format` in the address, where there are several forms, goes before Accept.
    """
    route = request.scope["route"]
    own = None if route.status_code == 204 else getattr(route.response_class, "value", route.response_class).media_type
    told = [answer.get("content", {}) for status, answer in route.responses.items() if int(status) < 300]
    offers = sorted({own, *(media for content in told for media in content)} - {None})
    if offers and not (len(offers) > 1 and "format" in request.query_params):
        chosen(request, offers)


class Edge:
    """Outermost layer of a service, in plain ASGI: request id, security headers, HEAD, and one access-log line.

    The line names the route and the caller's id, never the address or a body: these may hold names and secrets.
    The framework's limit on bodies answers in plain text, which is put as a problem here. `count` is told of every
    answer: service, route, method, status and seconds.
    """

    def __init__(self, app: ASGIApp, service: str, count: Count) -> None:
        self.app, self.service, self.count = app, service, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"])
        request_id = given.get(b"x-request-id") or given.get(b"x-correlation-id") or b""
        if not REQUEST_ID.fullmatch(request_id):
            request_id = str(uuid7()).encode()
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        state = inner.setdefault("state", {})
        state["request_id"] = request_id.decode()
        started, status = time.perf_counter(), 0
        instead: bytes | None = None

        async def send_with_headers(message: Message) -> None:
            nonlocal status, instead
            if message["type"] == "http.response.start":
                status, given = message["status"], message["headers"]
                if status == 413 and (b"content-type", PROBLEM_JSON.encode()) not in given:
                    instead = too_large(scope["path"])
                    length = str(len(instead)).encode()
                    given = [(b"content-type", PROBLEM_JSON.encode()), (b"content-length", length)]
                said = {name.lower() for name, _ in given}
                added = [field for field in SECURITY_HEADERS if field[0] not in said]
                message["headers"] = [*given, *added, (b"x-request-id", request_id)]
            elif instead is not None:
                message["body"], instead = instead, b""
            if scope["method"] == "HEAD" and "body" in message:
                message["body"] = b""
            await send(message)

        try:
            await self.app(inner, receive, send_with_headers)
        except Exception as error:
            if status:
                raise
            await (await unexpected(Request(inner), error))(inner, receive, send_with_headers)
        finally:
            seconds, path = time.perf_counter() - started, getattr(inner.get("route"), "path", "none")
            self.count(self.service, path, scope["method"], status or 500, seconds)
            facts = {"method": scope["method"], "route": path, "status": status}
            facts |= {"caller": getattr(state.get("caller"), "client_id", None), "ms": round(seconds * 1000, 1)}
            write = log.debug if status == 200 and scope["path"].startswith(QUIET) else log.info
            write("request", service=self.service, request_id=request_id.decode(), **facts)


def too_large(path: str) -> bytes:
    """The problem of a body beyond the limit."""
    words = ("The body is too large", "Send less, or in parts.")
    return canonical_json(problem_members(413, "content_too_large", *words, path))


class Service(FastAPI):
    """A FastAPI app whose outermost layer is the edge, and whose description tells every refusal as a problem."""

    count: Count | None = None
    """Who counts the answers, if anybody does."""

    def build_middleware_stack(self) -> ASGIApp:
        """The framework, inside the layers that were added, inside the edge: what these answer never enters it."""
        added, self.user_middleware = self.user_middleware, []
        app = super().build_middleware_stack()
        for layer, words, values in reversed(added):
            app = layer(app, *words, **values)
        return Edge(app, self.title.rpartition(" ")[2], self.count or (lambda *_: None))

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        if not self.openapi_schema:
            self.openapi_schema = described(super().openapi())
        return self.openapi_schema


def create_app(
    service: str,
    router: APIRouter,
    database: Database,
    verifier: Verifier,
    constraints: Mapping[str, DomainError],
    idempotency_table: type[Any],
) -> Service:
    """A service behind the door: every caller is vouched for by a signed identity; no header is trusted."""
    app = Service(
        title=f"Ringfence {service}",
        version="1",
        telemetry={"metrics": False, "logs": False},
        redirect_slashes=False,
        dependencies=[Depends(acceptable)],
        max_body_size=MAX_BODY,
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
    )

    async def authenticate(request: Request) -> Caller:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("This service is reached through the gateway.")
        return verifier.identity(token, service)

    app.state.peers = ()
    app.state.authenticate, app.state.database, app.state.idempotency_table = authenticate, database, idempotency_table
    install(app, constraints)
    app.include_router(router)
    app.include_router(health)
    return app


class Ready(BaseModel):
    """The process can work; `away` names services that have not answered of late."""

    status: Literal["ready"] = "ready"
    away: list[str]


health = APIRouter(tags=["health"])


@health.get("/health/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@health.get("/health/ready")
async def ready(request: Request) -> Ready:
    """The process can do its work: the database answers. What else it needs and finds away of late is named."""
    if not await request.app.state.database.answers():
        raise Unavailable("The database does not answer at the moment.")
    return Ready(away=[each.name for each in request.app.state.peers if each.away])


@health.get("/health/startup")
async def started(request: Request) -> Ready:
    """The process has started: its database has been reached. Until then it should be left alone."""
    return await ready(request)


async def open_session(
    request: Request, caller: Annotated[Caller, Depends(current_caller)]
) -> AsyncIterator[AsyncSession]:
    """The request's one transaction, bounded to its caller and committed before the answer leaves."""
    database: Database = request.app.state.database
    async with database.transaction(caller) as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session, scope="function")]
