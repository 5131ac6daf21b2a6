"""The door for published files: receive one, and say what became of it."""

import hashlib
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, File, Query, Request
from fastapi.responses import JSONResponse

from services.kernel.auth import Caller, require
from services.kernel.bodies import Cursor, Limit, decode_cursor, page
from services.kernel.errors import DomainError, Unprocessable
from services.kernel.http import Session
from services.kernel.idempotency import Idempotency, IdempotencyKey
from services.kernel.openapi import problems
from services.kernel.types import canonical_json, london_date, real_now, utc_now
from services.outcomes.arrivals import service
from services.outcomes.arrivals.service import Arrival
from services.outcomes.releases import queries, schemas
from services.outcomes.rules.releases import Status
from services.outcomes.rules.years import academic_year_from

MAX_FILE = 64 * 2**20
MAX_UPLOAD = MAX_FILE + 64 * 2**10
"""A file of the greatest size with the fields around it."""

router = APIRouter(tags=["releases"])
Reader = Annotated[Caller, require("outcomes:read")]
Writer = Annotated[Caller, require("releases:write")]


class WrongMediaType(DomainError):
    """The body is not a form with a file in it."""

    status = 415
    code = "unsupported_media_type"
    title = "The body is not multipart/form-data"


class OneSourceNeeded(Unprocessable):
    """The request has neither a file nor an address, or both."""

    code = "one_source_needed"
    title = "A file or an address is needed"


async def multipart(request: Request) -> None:
    """Raise 415 unless the body is a form with parts."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != "multipart/form-data":
        raise WrongMediaType("Send the file and its fields as multipart/form-data.")


@router.post(
    "/v1/releases",
    status_code=202,
    response_model=schemas.ReleaseOut,
    responses=problems(409, 415),
    dependencies=[Depends(multipart)],
    max_body_size=MAX_UPLOAD,
    openapi_extra={"x-max-body-bytes": MAX_UPLOAD},
)
async def receive_release(
    request: Request,
    caller: Writer,
    session: Session,
    key: IdempotencyKey,
    form: Annotated[schemas.ReleaseIn, File()],
) -> JSONResponse:
    """Send a published file, or the address where it was published.

    It is fetched where it has to be, kept as it came and read, in the background; follow `Location` to see the result.
    """
    if (form.file is None) is (form.url is None):
        raise OneSourceNeeded("Send either the file itself as `file`, or where it was published as `url`.")
    year = academic_year_from(form.academic_year) if form.academic_year is not None else None
    url = request.app.state.hosts.check(form.url) if form.url is not None else None
    content = await form.file.read() if form.file is not None else b""
    fields = form.model_dump(exclude={"file"})
    sent = canonical_json({**fields, "sha256": hashlib.sha256(content).hexdigest()})
    once = Idempotency(request, caller, session, key, sent)
    await once.begin()
    asked = Arrival(form.feed, year, form.release_status, form.published_on, source_url=str(url) if url else None)
    facts: dict[str, Any] = {"asked": asked, "caller": caller, "today": london_date(real_now()), "now": utc_now()}
    if url is not None:
        row = await service.expect(session, filename=url.path, **facts)
    else:
        name = (form.file and form.file.filename) or ""
        row = await service.receive(session, filename=name, content=content, **facts)
    return once.finish(202, schemas.ReleaseOut.of(row, []), {"Location": f"/v1/releases/{row.id}"})


@router.get("/v1/releases", response_model=schemas.ReleasePage)
async def list_releases(
    request: Request,
    caller: Reader,
    session: Session,
    feed: Annotated[schemas.FeedCode | None, Query()] = None,
    status: Status | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """Releases, newest first."""
    place = decode_cursor(cursor, UUID)
    before = place[0] if place else None
    filters = {"feed": feed, "status": status}
    rows = await queries.releases_page(session, filters=filters, before=before, limit=limit)
    parts = await queries.held(session, [row.id for row in rows])
    shown = [schemas.ReleaseOut.of(row, parts[row.id]) for row in rows]
    return page(shown, limit, [rows[-1].id] if rows else None, request)


@router.get("/v1/releases/{release_id}", response_model=schemas.ReleaseOut, responses=problems(404))
async def read_release(release_id: UUID, caller: Reader, session: Session) -> schemas.ReleaseOut:
    """One release and what became of it."""
    row = await queries.release(session, release_id)
    return schemas.ReleaseOut.of(row, (await queries.held(session, [row.id]))[row.id])


@router.get("/v1/releases/{release_id}/rejections", response_model=schemas.RejectionPage, responses=problems(404))
async def list_rejections(
    release_id: UUID, request: Request, caller: Reader, session: Session, limit: Limit = 100, cursor: Cursor = None
) -> JSONResponse:
    """Every row of the file that was left out, each with its reason."""
    await queries.release(session, release_id)
    place = decode_cursor(cursor, int)
    rows = await queries.rejections_page(session, release_id, after=place[0] if place else None, limit=limit)
    shown = [schemas.RejectionOut.of(row) for row in rows]
    return page(shown, limit, [rows[-1].place] if rows else None, request)
