"""The public's door: what was published of contracts, as packages of the Open Contracting Data Standard."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BeforeValidator

from services.contracts.publication import queries, schemas
from services.contracts.rules.ocds.parties import Publisher
from services.contracts.rules.ocds.releases import record_package, release_package
from services.kernel.bodies import Cursor, Limit, cursor_ways, decode_cursor, encode_cursor, entity_tag
from services.kernel.errors import NotFound, Unavailable
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.kernel.types import plain

router = APIRouter(prefix="/v1/ocds", tags=["publication"])
PUBLIC = {"x-public": True}
Ocid = Annotated[
    str,
    Path(
        pattern=r"^ocds-[a-z0-9]{6}-[0-9a-f-]{36}$",
        description="Open Contracting identifier",
        examples=["ocds-213czf-0199c7a2-6c1e-7d3a-8f00-000000000000"],
    ),
]


def no_number(given: Any) -> Any:
    """Refuse seconds since 1970, which pydantic takes for an instant."""
    if isinstance(given, str) and "T" not in given.upper():
        raise ValueError("an instant is written as 2026-09-01T09:00:00Z")
    return given


Since = Annotated[AwareDatetime, BeforeValidator(no_number)]


class NotPublishing(Unavailable):
    """This installation has no prefix of its own to publish under."""

    code = "ocid_prefix_missing"
    title = "Nothing is published here yet"


def publisher_of(request: Request) -> Publisher:
    """Who publishes; raises NotPublishing where nobody does."""
    publisher: Publisher | None = request.app.state.publisher
    if publisher is None:
        raise NotPublishing("Set RINGFENCE_OCID_PREFIX to the prefix that the Open Contracting Partnership gave you.")
    return publisher


def answered(request: Request, package: dict[str, Any], links: dict[str, str] | None = None) -> Response:
    """A package with its entity tag; 304 to who has it already."""
    tag = entity_tag(package)
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return JSONResponse(package, headers={"ETag": tag, **(links or {})})


@router.get("/releases", response_model=schemas.ReleasePackage, openapi_extra=PUBLIC)
async def list_ocds_releases(
    request: Request,
    session: Session,
    since: Annotated[Since | None, Query(description="Published at this instant or later")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Releases of all contracts, oldest first; `Link` leads to the next page."""
    publisher, place = publisher_of(request), decode_cursor(cursor, int)
    rows = await queries.releases_page(session, since=since, after=place[0] if place else None, limit=limit)
    links = cursor_ways(request, encode_cursor([rows[-1].position]) if len(rows) == limit else None)
    newest = max((row.published_at for row in rows), default=datetime.fromtimestamp(0).astimezone())
    uri = f"{publisher.uri}{request.url.path}"
    return answered(request, release_package([row.body for row in rows], uri, plain(newest), publisher), links)


@router.get("/releases/{ocid}", response_model=schemas.ReleasePackage, responses=problems(404), openapi_extra=PUBLIC)
async def read_ocds_releases(ocid: Ocid, request: Request, session: Session) -> Response:
    """All releases of one contracting process."""
    publisher, rows = publisher_of(request), await found(session, ocid)
    uri, at = f"{publisher.uri}{request.url.path}", plain(rows[-1].published_at)
    return answered(request, release_package([row.body for row in rows], uri, at, publisher))


@router.get("/records/{ocid}", response_model=schemas.RecordPackage, responses=problems(404), openapi_extra=PUBLIC)
async def read_ocds_record(ocid: Ocid, request: Request, session: Session) -> Response:
    """One contracting process: its releases, and the compiled release that they add up to."""
    publisher, rows = publisher_of(request), await found(session, ocid)
    uri, at = f"{publisher.uri}{request.url.path}", plain(rows[-1].published_at)
    return answered(request, record_package([row.body for row in rows], uri, at, publisher))


async def found(session: Session, ocid: str) -> list[Any]:
    """The releases of a process; raises NotFound when there are none."""
    rows = await queries.releases_under(session, ocid)
    if not rows:
        raise NotFound(f"Nothing has been published under {ocid}.")
    return list(rows)
