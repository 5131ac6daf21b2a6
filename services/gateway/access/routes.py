"""The door itself: tokens, clients and API keys."""

from typing import Annotated
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from services.gateway.access import queries, service
from services.gateway.access.authenticate import TOKEN_SECONDS, TokenRefused, issue_token
from services.gateway.access.schemas import (
    ClientIn,
    ClientOut,
    ClientPage,
    KeyIn,
    KeyOut,
    KeyPage,
    KeySet,
    NewClientOut,
    NewKeyOut,
    Token,
)
from services.gateway.rules.scopes import SCOPES
from services.kernel.auth import Caller, require
from services.kernel.bodies import page
from services.kernel.http import Session
from services.kernel.idempotency import Idempotent
from services.kernel.openapi import problems
from services.kernel.types import real_now

router = APIRouter()
Clients = Annotated[Caller, require("clients:write")]
Keys = Annotated[Caller, require("keys:write")]
FORM = {
    "x-own-refusals": True,
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "scope": {"type": "string", "maxLength": 1000, "description": "Scopes, separated by spaces"},
                    },
                }
            }
        },
    },
}


@router.post("/oauth2/token", response_model=Token, tags=["access"], openapi_extra=FORM)
async def get_token(request: Request) -> JSONResponse:
    """An access token for a client that sends its id and secret as HTTP Basic (client credentials)."""
    no_store = {"Cache-Control": "no-store"}
    try:
        form = fields((await request.body()).decode("latin-1"))
        token, scope = await issue_token(
            database=request.app.state.database,
            signer=request.app.state.signer,
            authorization=request.headers.get("authorization", ""),
            form=form,
        )
    except TokenRefused as refused:
        challenge = {"WWW-Authenticate": "Basic"} if refused.status == 401 else {}
        return JSONResponse(refused.body, refused.status, {**no_store, **challenge})
    answer = Token(access_token=token, expires_in=TOKEN_SECONDS, scope=scope)
    return JSONResponse(answer.model_dump(), headers=no_store)


def fields(body: str) -> dict[str, str]:
    """The fields of a form; raises TokenRefused for more than any token request has."""
    try:
        return dict(parse_qsl(body, max_num_fields=10))
    except ValueError as error:
        raise TokenRefused(400, "invalid_request", "The form has too many fields.") from error


@router.get("/.well-known/jwks.json", response_model=KeySet, tags=["access"])
async def read_keys(request: Request) -> JSONResponse:
    """The public keys with which tokens are signed."""
    return JSONResponse(request.app.state.jwks, headers={"Cache-Control": "public, max-age=300"})


@router.get("/.well-known/oauth-authorization-server", tags=["access"])
async def read_metadata(request: Request) -> dict[str, object]:
    """What the token endpoint can do (RFC 8414)."""
    base = str(request.base_url).rstrip("/")
    return {
        "issuer": base,
        "token_endpoint": f"{base}/oauth2/token",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "response_types_supported": ["none"],
        "scopes_supported": sorted(SCOPES),
    }


@router.post("/v1/clients", status_code=201, response_model=NewClientOut, tags=["access"], responses=problems(409))
async def register_client(body: ClientIn, caller: Clients, session: Session, once: Idempotent) -> JSONResponse:
    """Register a system; its secret is shown this once (a repeated request shows the client without it)."""
    await once.begin()
    row, secret = await service.register_client(session, body=body, caller=caller, now=real_now())
    shown = ClientOut.model_validate(row)
    once.finish(201, shown)
    return JSONResponse({**shown.model_dump(mode="json"), "client_secret": secret}, 201)


@router.get("/v1/clients", response_model=ClientPage, tags=["access"])
async def list_clients(request: Request, caller: Clients, session: Session) -> JSONResponse:
    """All registered systems."""
    return page([ClientOut.model_validate(row) for row in await queries.clients(session)], 0, None, request)


@router.post("/v1/clients/{client_id}/disablement", response_model=ClientOut, tags=["access"], responses=problems(404))
async def disable_client(client_id: str, caller: Clients, session: Session) -> ClientOut:
    """Refuse a system from now on."""
    row = await service.disable_client(session, client_id=client_id, caller=caller, now=real_now())
    return ClientOut.model_validate(row)


@router.post("/v1/api-keys", status_code=201, response_model=NewKeyOut, tags=["access"], responses=problems(404, 409))
async def create_api_key(body: KeyIn, caller: Keys, session: Session, once: Idempotent) -> JSONResponse:
    """Make an API key for a trust's finance team; it is shown this once."""
    await once.begin()
    row, key = await service.create_key(session, body=body, caller=caller, now=real_now())
    shown = KeyOut.model_validate(row)
    once.finish(201, shown)
    return JSONResponse({**shown.model_dump(mode="json"), "key": key}, 201)


@router.get("/v1/api-keys", response_model=KeyPage, tags=["access"])
async def list_api_keys(request: Request, caller: Keys, session: Session) -> JSONResponse:
    """API keys that the caller may see, by their first characters."""
    return page([KeyOut.model_validate(row) for row in await queries.keys(session)], 0, None, request)


@router.post(
    "/v1/api-keys/{key_id}/rotation",
    status_code=201,
    response_model=NewKeyOut,
    tags=["access"],
    responses=problems(404, 409),
)
async def rotate_api_key(key_id: UUID, caller: Keys, session: Session, once: Idempotent) -> JSONResponse:
    """A new key with the same rights; the old one ends within seven days."""
    await once.begin()
    row, key = await service.rotate_key(session, key_id=key_id, caller=caller, now=real_now())
    shown = KeyOut.model_validate(row)
    once.finish(201, shown)
    return JSONResponse({**shown.model_dump(mode="json"), "key": key}, 201)


@router.delete("/v1/api-keys/{key_id}", status_code=204, tags=["access"], responses=problems(404))
async def revoke_api_key(key_id: UUID, caller: Keys, session: Session) -> Response:
    """Refuse a key from now on."""
    await service.revoke_key(session, key_id=key_id, caller=caller, now=real_now())
    return Response(status_code=204)
