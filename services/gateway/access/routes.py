"""Who may come in: registered systems and API keys."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from services.gateway.access import queries, service
from services.gateway.access.schemas import (
    ClientIn,
    ClientOut,
    ClientPage,
    KeyIn,
    KeyOut,
    KeyPage,
    KeySetIn,
    NewClientOut,
    NewKeyOut,
    RotationIn,
    SecretIn,
)
from services.kernel.auth import Caller, require
from services.kernel.bodies import IfMatch, check_match, entity_tag, page
from services.kernel.http import Session
from services.kernel.idempotency import Idempotent
from services.kernel.openapi import problems
from services.kernel.types import real_now

router = APIRouter(tags=["access"])
Clients = Annotated[Caller, require("clients:write")]
Keys = Annotated[Caller, require("keys:write")]


def tagged(shown: BaseModel, request: Request) -> Response:
    """An answer with its entity tag, or word that the caller has it already."""
    body: dict[str, Any] = shown.model_dump(mode="json")
    tag = {"ETag": entity_tag(body)}
    if request.headers.get("if-none-match") == tag["ETag"]:
        return Response(status_code=304, headers=tag)
    return JSONResponse(body, headers=tag)


def check_read(match: str, shown: BaseModel) -> None:
    """Raise PreconditionFailed unless the caller read it as it is now."""
    check_match(match, entity_tag(shown.model_dump(mode="json")))


def with_secret(shown: BaseModel, once: Idempotent, **secret: str | None) -> JSONResponse:
    """An answer with a secret in it, which a repeated request does not get again: it is nowhere kept."""
    kept = once.finish(201, shown)
    return JSONResponse({**shown.model_dump(mode="json"), **secret}, 201, {"ETag": kept.headers["etag"]})


@router.post("/v1/clients", status_code=201, response_model=NewClientOut, responses=problems(409))
async def register_client(body: ClientIn, caller: Clients, session: Session, once: Idempotent) -> JSONResponse:
    """Register a system; its secret is shown this once (a repeated request shows the client without it)."""
    await once.begin()
    row, secret = await service.register_client(session, body=body, caller=caller, now=real_now())
    return with_secret(ClientOut.model_validate(row), once, client_secret=secret)


@router.get("/v1/clients", response_model=ClientPage)
async def list_clients(request: Request, caller: Clients, session: Session) -> JSONResponse:
    """All registered systems."""
    return page([ClientOut.model_validate(row) for row in await queries.clients(session)], 0, None, request)


@router.get("/v1/clients/{client_id}", response_model=ClientOut, responses=problems(404))
async def read_client(client_id: str, request: Request, caller: Clients, session: Session) -> Response:
    """One registered system: what it may see, and how it proves itself."""
    return tagged(ClientOut.model_validate(await queries.client(session, client_id)), request)


@router.put("/v1/clients/{client_id}/jwks", response_model=ClientOut, responses=problems(404))
async def replace_client_keys(
    client_id: str, body: KeySetIn, request: Request, caller: Clients, session: Session, match: IfMatch
) -> Response:
    """Put public keys in the place of those that the system signs its assertions by; the old ones serve no more."""
    row = await queries.locked_client(session, client_id)
    check_read(match, ClientOut.model_validate(row))
    await service.replace_client_keys(session, row=row, body=body, caller=caller, now=real_now())
    return tagged(ClientOut.model_validate(row), request)


@router.post(
    "/v1/clients/{client_id}/secret", status_code=201, response_model=NewClientOut, responses=problems(404, 409)
)
async def replace_client_secret(
    client_id: str, caller: Clients, session: Session, once: Idempotent, body: SecretIn | None = None
) -> JSONResponse:
    """A new secret, which is shown this once; the present one works for up to seven days more."""
    await once.begin()
    days = (body or SecretIn()).overlap_days
    row, secret = await service.replace_secret(
        session, client_id=client_id, overlap_days=days, caller=caller, now=real_now()
    )
    return with_secret(ClientOut.model_validate(row), once, client_secret=secret)


@router.delete("/v1/clients/{client_id}/secret", status_code=204, responses=problems(404, 409))
async def end_client_secrets(client_id: str, caller: Clients, session: Session, match: IfMatch) -> Response:
    """Take its secrets from a system that has public keys, from now on."""
    row = await queries.locked_client(session, client_id)
    check_read(match, ClientOut.model_validate(row))
    await service.end_secrets(session, row=row, caller=caller, now=real_now())
    return Response(status_code=204)


@router.post("/v1/clients/{client_id}/disablement", response_model=ClientOut, responses=problems(404))
async def disable_client(
    client_id: str, request: Request, caller: Clients, session: Session, match: IfMatch
) -> Response:
    """Refuse a system from now on. In haste, `If-Match: *` does without having read it."""
    row = await queries.locked_client(session, client_id)
    check_read(match, ClientOut.model_validate(row))
    await service.disable_client(session, row=row, caller=caller, now=real_now())
    return tagged(ClientOut.model_validate(row), request)


@router.post("/v1/api-keys", status_code=201, response_model=NewKeyOut, responses=problems(404, 409))
async def create_api_key(body: KeyIn, caller: Keys, session: Session, once: Idempotent) -> JSONResponse:
    """Make an API key for a trust's finance team; it is shown this once. Two of each environment may be live."""
    await once.begin()
    row, key = await service.create_key(session, body=body, caller=caller, now=real_now())
    return with_secret(KeyOut.model_validate(row), once, key=key)


@router.get("/v1/api-keys", response_model=KeyPage)
async def list_api_keys(request: Request, caller: Keys, session: Session) -> JSONResponse:
    """API keys that the caller may see, by their first characters."""
    return page([KeyOut.model_validate(row) for row in await queries.keys(session)], 0, None, request)


@router.get("/v1/api-keys/{key_id}", response_model=KeyOut, responses=problems(404))
async def read_api_key(key_id: UUID, request: Request, caller: Keys, session: Session) -> Response:
    """One API key, by its first characters: whose, for what, until when, and in which hour it was last used."""
    return tagged(KeyOut.model_validate(await queries.key(session, key_id)), request)


@router.post("/v1/api-keys/{key_id}/rotation", status_code=201, response_model=NewKeyOut, responses=problems(404, 409))
async def rotate_api_key(
    key_id: UUID, caller: Keys, session: Session, once: Idempotent, body: RotationIn | None = None
) -> JSONResponse:
    """A new key with the same rights; the old one ends after the overlap, of seven days unless another is given.

    Where two keys are live there is no room for an overlap: send `overlap_days` 0, and the old one ends at once.
    """
    await once.begin()
    row, key = await service.rotate_key(
        session, key_id=key_id, body=body or RotationIn(), caller=caller, now=real_now()
    )
    return with_secret(KeyOut.model_validate(row), once, key=key)


@router.delete("/v1/api-keys/{key_id}", status_code=204, responses=problems(404))
async def revoke_api_key(key_id: UUID, caller: Keys, session: Session, match: IfMatch) -> Response:
    """Refuse a key from now on. In haste, `If-Match: *` does without having read it."""
    row = await queries.key(session, key_id, lock=True)
    check_read(match, KeyOut.model_validate(row))
    await service.revoke_key(session, row=row, caller=caller, now=real_now())
    return Response(status_code=204)
