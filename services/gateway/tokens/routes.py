"""The token endpoint, and what the world may know of it (RFC 6749, 7009, 7517, 7662, 8414)."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.credentials import Client
from services.gateway.rules.client_keys import ALGORITHMS
from services.gateway.rules.scopes import SCOPES
from services.gateway.rules.tokens import TokenRefused, bad_request
from services.gateway.tokens import schemas, service
from services.gateway.tokens.authenticate import ASSERTION_TYPE, fields, proven_client
from services.kernel.auth import service_caller
from services.kernel.bodies import entity_tag
from services.kernel.db import Database
from services.kernel.tokens import ACCESS
from services.kernel.types import real_now

router = APIRouter(tags=["access"])
SELF = service_caller("gateway")
NO_STORE = {"Cache-Control": "no-store"}
CACHED = "public, max-age=300"
METHODS = ["client_secret_basic", "private_key_jwt"]
PROOF = {
    "client_id": {"type": "string", "maxLength": 40, "description": "May stand beside an assertion"},
    "client_assertion_type": {"type": "string", "enum": [ASSERTION_TYPE]},
    "client_assertion": {
        "type": "string",
        "maxLength": 4096,
        "description": "A JWT signed by a client that has public keys (RFC 7523)",
    },
}
GRANT = {"type": "string", "enum": ["client_credentials"]}
SCOPE = {
    "type": "string",
    "maxLength": 1000,
    "description": "Scopes, separated by spaces; without it, all that the client was given",
}
TOKEN = {"type": "string", "maxLength": 4096, "description": "The access token"}
REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": schemas.Refusal, "description": "The request is not one that can be answered"},
    401: {"model": schemas.Refusal, "description": "The client does not prove itself"},
}


def form_of(required: str, **properties: Any) -> dict[str, Any]:
    """How a form is described that a client sends with its proof."""
    schema = {"type": "object", "required": [required], "properties": {**properties, **PROOF}}
    content = {"application/x-www-form-urlencoded": {"schema": schema}}
    return {"x-own-refusals": True, "requestBody": {"required": True, "content": content}}


Answer = Callable[[AsyncSession, Client, dict[str, str]], Awaitable[Response]]


async def for_proven_client(request: Request, answer: Answer) -> Response:
    """The answer for the client that the request proves, all in one transaction; or the refusal, never to be stored.

    What proves the client is spent also where the rest of the request is refused.
    """
    database: Database = request.app.state.database
    issuer: str = request.app.state.issuer
    try:
        form = fields(request.headers.get("content-type", ""), await request.body())
        shown = request.headers.getlist("authorization")
        async with database.transaction(SELF) as session:
            audiences = (issuer, f"{issuer}/oauth2/token")
            client = await proven_client(session, shown=shown, form=form, audiences=audiences)
        async with database.transaction(SELF) as session:
            found = await answer(session, client, form)
    except TokenRefused as refused:
        challenge = {"WWW-Authenticate": 'Basic realm="ringfence"'} if refused.status == 401 else {}
        return JSONResponse(refused.body, refused.status, {**NO_STORE, **challenge})
    found.headers.update(NO_STORE)
    return found


@router.post(
    "/oauth2/token",
    response_model=schemas.Token,
    openapi_extra=form_of("grant_type", grant_type=GRANT, scope=SCOPE),
    responses=REFUSED,
)
async def get_token(request: Request) -> Response:
    """An access token for a client that proves itself: by an assertion that it signs, or by its secret (HTTP Basic)."""

    async def answer(_session: AsyncSession, client: Client, form: dict[str, str]) -> Response:
        token, scope = service.issue(request.app.state.signer, client, form)
        made = schemas.Token(access_token=token, expires_in=ACCESS.seconds, scope=scope)
        return JSONResponse(made.model_dump())

    return await for_proven_client(request, answer)


@router.post(
    "/oauth2/revoke", response_model=dict[str, str], openapi_extra=form_of("token", token=TOKEN), responses=REFUSED
)
async def revoke_token(request: Request) -> Response:
    """Refuse a token of the client's own from now on; a token that nobody knows is answered the same (RFC 7009)."""

    async def answer(session: AsyncSession, client: Client, form: dict[str, str]) -> Response:
        token = token_in(form)
        await service.revoke(session, verifier=verifier, issuer=issuer, client=client, token=token, now=real_now())
        return JSONResponse({})

    verifier, issuer = request.app.state.tokens.verifier, request.app.state.issuer
    return await for_proven_client(request, answer)


@router.post(
    "/oauth2/introspect",
    response_model=schemas.Introspection,
    openapi_extra=form_of("token", token=TOKEN),
    responses=REFUSED,
)
async def introspect_token(request: Request) -> Response:
    """What is known of a token of the client's own, or, for DfE, of any (RFC 7662)."""

    async def answer(session: AsyncSession, client: Client, form: dict[str, str]) -> Response:
        token = token_in(form)
        found = await service.introspect(session, verifier=verifier, issuer=issuer, client=client, token=token)
        return JSONResponse(schemas.Introspection(**found).model_dump(exclude_none=True))

    verifier, issuer = request.app.state.tokens.verifier, request.app.state.issuer
    return await for_proven_client(request, answer)


def token_in(form: dict[str, str]) -> str:
    """The token that a request is about; raises TokenRefused where it names none."""
    if "token" not in form:
        raise bad_request("Send the token.")
    return form["token"]


def cached(request: Request, body: dict[str, Any]) -> Response:
    """An answer that anybody may keep for five minutes, or word that it has not changed."""
    headers = {"Cache-Control": CACHED, "ETag": entity_tag(body)}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return JSONResponse(body, headers=headers)


@router.get("/.well-known/jwks.json", response_model=schemas.KeySet)
async def read_keys(request: Request) -> Response:
    """The public keys with which access tokens are signed, those that will be next included."""
    return cached(request, request.app.state.published())


@router.get("/.well-known/oauth-authorization-server", response_model=schemas.Metadata)
async def read_metadata(request: Request) -> Response:
    """What the token endpoint can do (RFC 8414)."""
    issuer: str = request.app.state.issuer
    facts: dict[str, Any] = {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth2/token",
        "revocation_endpoint": f"{issuer}/oauth2/revoke",
        "introspection_endpoint": f"{issuer}/oauth2/introspect",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["none"],
        "scopes_supported": sorted(SCOPES),
    }
    for endpoint in ("token", "revocation", "introspection"):
        facts[f"{endpoint}_endpoint_auth_methods_supported"] = METHODS
        facts[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = sorted(ALGORITHMS.values())
    return cached(request, schemas.Metadata(**facts).model_dump())
