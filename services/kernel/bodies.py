"""What requests and answers are made of: bodies, media types, entity tags, pages."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.kernel.errors import BadRequest, DomainError
from services.kernel.openapi import needed
from services.kernel.types import canonical_json

Pence = Annotated[int, Field(ge=0, le=100_000_000_000, description="Money in pence", examples=[2_000_000])]
Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
LongText = Annotated[str, Field(max_length=4000)]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows a page")]
Cursor = Annotated[str | None, Query(max_length=400, description="From `paging.next` of the page before")]

ELEMENT, PARAMETER = (re.compile(rf'(?:[^{separator}"]|"(?:[^"\\]|\\.)*")+') for separator in ",;")
WEIGHT = re.compile(r"0?\.\d+|0\.?|1(?:\.0*)?")
LONGEST_ACCEPT = 1000


class Body(BaseModel):
    """A request or answer body: unknown fields are refused, strings are not turned into numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(BaseModel):
    """Base of answers built from rows."""

    model_config = ConfigDict(from_attributes=True)


class Paging(BaseModel):
    """Where the next page begins; null at the end."""

    next: str | None


class PreconditionRequired(DomainError):
    """The update names no version, so it might overwrite somebody's work."""

    status = 428
    code = "precondition_required"
    title = "If-Match is needed"


class PreconditionFailed(DomainError):
    """The version that the caller read is no longer the present one."""

    status = 412
    code = "stale"
    title = "The resource has changed since it was read"


class NotAcceptable(DomainError):
    """The answer has no form that the caller takes."""

    status = 406
    code = "not_acceptable"
    title = "The answer has no form that Accept takes"


def preferred(accept: str, offers: Sequence[str]) -> str:
    """The media type that an Accept field likes best, the first of several alike; raises NotAcceptable.

    As RFC 9110 (12.5.1) says: of the ranges that fit, the most specific one decides. A field that is empty, names no
    range or goes on for ever takes everything.
    """
    ranges: dict[str, float] = {}
    for element in ELEMENT.findall(accept if len(accept) <= LONGEST_ACCEPT else ""):
        media, *parameters = [each.strip().lower() for each in PARAMETER.findall(element) or [""]]
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        narrower = [f";{each}" for each in parameters if each and not each.startswith(("q=", "charset="))]
        if (media == "*" or "/" in media) and WEIGHT.fullmatch(weight):
            ranges["".join(["*/*" if media == "*" else media, *narrower])] = float(weight)

    def liked(offer: str) -> float:
        wider = (offer, offer.partition("/")[0] + "/*", "*/*")
        return next((ranges[each] for each in wider if each in ranges), 0.0)

    best = max(offers, key=liked)
    if ranges and not liked(best):
        raise NotAcceptable(f"Accept one of these: {', '.join(offers)}.", offered=list(offers))
    return best


def chosen(request: Request, offers: Sequence[str]) -> str:
    """The media type among `offers` that the caller likes best; raises NotAcceptable."""
    return preferred(",".join(request.headers.getlist("accept")), offers)


def entity_tag(value: Any) -> str:
    """A strong entity tag of a body or of a version number."""
    return tag_of(canonical_json(value))


def tag_of(data: bytes) -> str:
    """A strong entity tag of bytes as they are sent."""
    return '"' + hashlib.sha256(data).hexdigest()[:24] + '"'


READ = needed({"type": "string", "minLength": 1, "maxLength": 200})


async def if_match(value: Annotated[str | None, Header(alias="If-Match", json_schema_extra=READ)] = None) -> str:
    """The entity tag of the version that the caller read; raises 428 when it names none."""
    if not value:
        raise PreconditionRequired("Send If-Match with the ETag of the version that you read.")
    return value


IfMatch = Annotated[str, Depends(if_match)]


def check_match(expected: str, present: str) -> None:
    """Raise 412 unless the caller read the present version."""
    if expected not in {present, "*"}:
        raise PreconditionFailed("Read it again and repeat the request with its new ETag.", etag=present)


def encode_cursor(values: list[Any]) -> str:
    """An opaque place in a list."""
    return base64.urlsafe_b64encode(canonical_json(values)).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: type) -> list[Any] | None:
    """The place that `encode_cursor` wrote, its parts of these types; raises 400 for any that no service wrote."""
    if cursor is None:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list):
            raise ValueError(values)
        return [part_of(value, kind) for value, kind in zip(values, kinds, strict=True)]
    except (ValueError, RecursionError) as error:
        raise BadRequest("The cursor is not one that this service gave.") from error


def part_of(value: Any, kind: type) -> Any:
    """A part of a place, as the database can compare it; raises ValueError for anything else."""
    if kind in {UUID, date} and isinstance(value, str):
        return UUID(value) if kind is UUID else date.fromisoformat(value)
    text = kind is str and isinstance(value, str) and "\x00" not in value
    number = kind is int and type(value) is int and abs(value) < 2**63
    if not text and not number:
        raise ValueError(value)
    return value


def ways(request: Request, **relations: Mapping[str, Any] | None) -> dict[str, str]:
    """`Link` (RFC 8288) to other pages of a list, by relation: what differs in the query, None for what is left out."""
    links = []
    for relation, query in relations.items():
        if query is not None:
            target = request.url.remove_query_params(list(query))
            target = target.include_query_params(**{name: each for name, each in query.items() if each is not None})
            links.append(f'<{target.path}{"?" * bool(target.query)}{target.query}>; rel="{relation}"')
    return {"Link": ", ".join(links)} if links else {}


def cursor_ways(request: Request, following: str | None) -> dict[str, str]:
    """`Link` of a list that goes by cursors: to the next page, where there is one, and to the first."""
    return ways(request, next={"cursor": following} if following else None, first={"cursor": None})


def page(rows: list[Any], limit: int, place: list[Any] | None, request: Request, **more: Any) -> JSONResponse:
    """One page of a list, with the way to the next one in the body and in `Link`; `more` stands beside."""
    cursor = encode_cursor(place) if place is not None and len(rows) == limit else None
    headers = cursor_ways(request, cursor) if limit else {}
    body = [row.model_dump(mode="json") if isinstance(row, BaseModel) else row for row in rows]
    return JSONResponse({**more, "data": body, "paging": {"next": cursor}}, headers=headers)
