"""How every refusal is shown: as a problem (RFC 9457), whoever made it."""

from collections.abc import Mapping
from functools import partial

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from services.kernel.db import is_contention, is_unreachable, violated_constraint
from services.kernel.errors import BadRequest, DomainError, Unavailable, Unprocessable, problem, problem_members
from services.kernel.openapi import PROBLEM_JSON

MAX_ERRORS = 100


class Answered(Exception):
    """Ends a request whose answer is known already, with that answer."""

    def __init__(self, response: JSONResponse) -> None:
        super().__init__("answered before")
        self.response = response


def as_problem(request: Request, error: DomainError) -> JSONResponse:
    """The error as RFC 9457 shows it."""
    body = problem(error, instance=request.url.path)
    return JSONResponse(body, error.status, error.headers, media_type=PROBLEM_JSON)


async def domain_error(request: Request, error: Exception) -> JSONResponse:
    """A rule was broken."""
    assert isinstance(error, DomainError)
    return as_problem(request, error)


async def invalid_body(request: Request, error: Exception) -> JSONResponse:
    """The request does not fit its description: 400 for what is no JSON, 422 for the rest, with the places."""
    assert isinstance(error, RequestValidationError)
    found = [
        {"pointer": "".join(f"/{escaped(part)}" for part in item["loc"][1:]), "detail": item["msg"]}
        for item in error.errors()[:MAX_ERRORS]
    ]
    if any(item["type"] == "json_invalid" for item in error.errors()):
        return as_problem(request, BadRequest("The body is not valid JSON.", errors=found))
    return as_problem(request, Unprocessable("Some fields are not as they should be; see errors.", errors=found))


def escaped(part: int | str) -> str:
    """A part of a JSON pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")


async def http_error(request: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses."""
    assert isinstance(error, HTTPException)
    code = str(error.detail).lower().replace(" ", "_")[:60]
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(offered(request))
    detail = f"{request.method} {request.url.path}: {error.detail}."
    members = problem_members(error.status_code, code, str(error.detail), detail, request.url.path)
    return JSONResponse(members, error.status_code, headers, media_type=PROBLEM_JSON)


def offered(request: Request) -> list[str]:
    """The methods that the request's path has."""
    routes = request.app.router.routes
    found = []
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in routes):
            found += [method, "HEAD"] if method == "GET" else [method]
    return found


async def database_error(request: Request, error: Exception, constraints: Mapping[str, DomainError]) -> JSONResponse:
    """A constraint that means something, or a database that is away; the rest is unexpected."""
    if isinstance(error, IntegrityError) and (known := constraints.get(violated_constraint(error))):
        return as_problem(request, known)
    if isinstance(error, DataError):
        return as_problem(request, Unprocessable("A value holds a sign or a number that cannot be kept."))
    if is_contention(error):
        detail = "Another change to the same things was under way and stood against this one. Nothing was changed."
        return as_problem(request, Unavailable(detail, retry_after=1))
    if is_unreachable(error):
        return as_problem(request, Unavailable("The database does not answer at the moment. Nothing was changed."))
    return await unexpected(request, error)


async def unexpected(request: Request, error: Exception) -> JSONResponse:
    """What nobody foresaw: logged, and told without any detail."""
    structlog.get_logger("ringfence").error("unexpected", path=request.url.path, exc_info=error)
    detail = "Something went wrong here; it has been logged under the request id."
    members = problem_members(500, "internal_error", "Internal error", detail, request.url.path)
    return JSONResponse(members, 500, media_type=PROBLEM_JSON)


async def answered(_request: Request, error: Exception) -> JSONResponse:
    """The answer that was given before."""
    assert isinstance(error, Answered)
    return error.response


def install(app: FastAPI, constraints: Mapping[str, DomainError]) -> None:
    """Give an app the handlers that show every error as a problem, also those that the framework makes.

    `constraints` names, for each database constraint that a caller can run into, the error that it means.
    """
    app.add_exception_handler(Answered, answered)
    app.add_exception_handler(DomainError, domain_error)
    app.add_exception_handler(RequestValidationError, invalid_body)
    app.add_exception_handler(HTTPException, http_error)
    for unreachable in (DBAPIError, ConnectionError, TimeoutError):
        app.add_exception_handler(unreachable, partial(database_error, constraints=constraints))
    app.add_exception_handler(Exception, unexpected)
