"""A repeated request is answered again, not carried out again (Idempotency-Key, draft-ietf-httpapi 07)."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import JSON, DateTime, func, text
from sqlmodel import Field

from services.kernel.auth import Caller, current_caller
from services.kernel.bodies import entity_tag
from services.kernel.db import Table
from services.kernel.errors import BadRequest, DomainError, Unprocessable
from services.kernel.http import Session
from services.kernel.openapi import needed
from services.kernel.problems import Answered

KEPT_HOURS = 48
"""How long an answer is kept; the description of the header says so."""
DESCRIPTION = (
    "A string in quotes, 8 to 100 characters, new for each request; a bare token is taken too. The same request with "
    f"the same key is answered again and not carried out again, for {KEPT_HOURS} hours."
)
EXAMPLE = '"4d5f0a34-1f0e"'
FORGET = "DELETE FROM {} WHERE key = :key AND created_at < now() - make_interval(hours => :kept)"
"""A worker takes away the answers that are no longer kept; one that it has not come to yet is not given either."""
AGAIN = {"Idempotent-Replayed": "true"}
"""Marks an answer that was given before."""
KEY = re.compile(r'"[\x20\x21\x23-\x5b\x5d-\x7e]{8,100}"|[A-Za-z0-9._~-]{8,100}')

SHAPE = needed({"type": "string", "pattern": f"^({KEY.pattern})$", "examples": [EXAMPLE]})


class IdempotencyRow(Table):
    """The answer that a key was given; the key is a hash of caller, method, path and key.

    The database itself notes whose it is, and shows it to nobody else.
    """

    key: str = Field(primary_key=True, max_length=64)
    client_id: str = Field(
        default=None,
        sa_column_kwargs={"server_default": text("coalesce(current_setting('ringfence.client_id', true), '')")},
    )
    fingerprint: str = Field(max_length=64)
    status: int
    body: dict[str, Any] = Field(sa_type=JSON)
    headers: dict[str, str] = Field(sa_type=JSON)
    created_at: datetime = Field(
        sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": func.now(), "index": True}
    )


class KeyReused(Unprocessable):
    """The same key came with another body."""

    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request"


class StillRunning(DomainError):
    """The first request with this key has not finished."""

    code = "idempotency_key_in_use"
    title = "The first request with this Idempotency-Key is still running"


@dataclass(frozen=True, slots=True)
class Keyed:
    """A request under its key: what names it, and what tells it from another, both as hashes."""

    key: str
    fingerprint: str

    @classmethod
    def of(cls, request: Request, caller: Caller, key: str, body: bytes) -> Self:
        """The request of this caller with this body."""
        scoped = "\n".join((caller.client_id, request.method, request.scope["path"], key))
        return cls(hashlib.sha256(scoped.encode()).hexdigest(), hashlib.sha256(body).hexdigest())

    def check(self, fingerprint: str) -> None:
        """Raise KeyReused where the key was used for another request."""
        if fingerprint != self.fingerprint:
            raise KeyReused("Use a new key for a new request.")


class Idempotency:
    """The memory of one request: `begin` in its transaction before any effect, `finish` with its answer."""

    def __init__(self, request: Request, caller: Caller, session: Session, key: str, body: bytes) -> None:
        self.once = Keyed.of(request, caller, key, body)
        self.session, self.table = session, request.app.state.idempotency_table

    async def begin(self) -> None:
        """Raise Answered, KeyReused or StillRunning unless this is the first request with its key."""
        lock = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
        if not (await self.session.execute(lock, {"key": self.once.key})).scalar_one():
            raise StillRunning("Wait for it, then repeat the request to get its answer.")
        forget = text(FORGET.format(self.table.__table__.fullname))
        await self.session.execute(forget, {"key": self.once.key, "kept": KEPT_HOURS})
        row = await self.session.get(self.table, self.once.key)
        if row is not None:
            self.once.check(row.fingerprint)
            raise Answered(JSONResponse(row.body, row.status, {**row.headers, **AGAIN}))

    def finish(self, status: int, answer: BaseModel, headers: Mapping[str, str] | None = None) -> JSONResponse:
        """Store the answer in the same transaction as the effect, and give it."""
        body = answer.model_dump(mode="json")
        head = {"ETag": entity_tag(body.get("version", body)), **(headers or {})}
        self.session.add(self.table(**asdict(self.once), status=status, body=body, headers=head))
        return JSONResponse(body, status, head)


async def idempotency_key(
    key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", description=DESCRIPTION, json_schema_extra=SHAPE),
    ] = None,
) -> str:
    """The request's key, as `checked` gives it."""
    return checked(key)


def checked(key: str | None) -> str:
    """The key without its quotes; raises BadRequest for a missing or malformed one."""
    if key is None or not KEY.fullmatch(key):
        raise BadRequest("Send an Idempotency-Key: a quoted string of 8 to 100 characters, new for each request.")
    return key.strip('"')


IdempotencyKey = Annotated[str, Depends(idempotency_key)]


async def idempotency(
    request: Request, session: Session, caller: Annotated[Caller, Depends(current_caller)], key: IdempotencyKey
) -> Idempotency:
    """The route's memory of a request whose body is read as a whole; forms build theirs from what they read."""
    return Idempotency(request, caller, session, key, await request.body())


Idempotent = Annotated[Idempotency, Depends(idempotency, scope="function")]
