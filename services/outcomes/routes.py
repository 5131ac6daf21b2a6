"""The register's door: schools, trusts, measures and what was observed of them."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse

from services.kernel.auth import Caller, require
from services.kernel.bodies import Cursor, Limit, decode_cursor, page
from services.kernel.errors import NotFound
from services.kernel.events import read_after
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.outcomes import identifiers, queries, schemas
from services.outcomes.models import Event
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.succession import Life, Side, linked_side, opposite, resolved
from services.outcomes.schools import Establishment, EstablishmentLink

router = APIRouter()
Reader = Annotated[Caller, require("outcomes:read")]
Internal = Annotated[Caller, require("internal")]
PLAIN = r"^[^\x00]*$"
"""No zero byte: the database keeps none."""
Name = Annotated[
    str | None, Query(min_length=1, max_length=100, pattern=PLAIN, description="Part of the name, in any case")
]
UrnPath = Annotated[schemas.Urn, Path()]
UidPath = Annotated[schemas.Uid, Path()]


@router.get("/v1/schools", response_model=schemas.SchoolPage, tags=["schools"])
async def list_schools(
    request: Request,
    caller: Reader,
    session: Session,
    name: Name = None,
    region: Annotated[str | None, Query(max_length=60, pattern=PLAIN, examples=["South East"])] = None,
    la_code: Annotated[str | None, Query(pattern="^[0-9]{3}$", examples=["936"])] = None,
    trust_uid: Annotated[schemas.Uid | None, Query(description="Present members of this trust")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """Schools by URN, open and closed."""
    place = decode_cursor(cursor, int)
    rows = await queries.establishments_page(
        session,
        filters={"region": region, "la_code": la_code},
        name=name,
        trust_uid=trust_uid,
        after=place[0] if place else None,
        limit=limit,
    )
    shown = [schemas.SchoolSummary.of(row, uid) for row, uid in rows]
    return page(shown, limit, [rows[-1][0].urn] if rows else None, request)


async def known_school(session: Session, urn: str) -> Establishment:
    """The establishment with this URN; raises NotFound when the register has not shown it."""
    row = await queries.establishment(session, int(urn))
    if row is None:
        raise NotFound(f"No school with URN {urn} is in the register as ingested.")
    return row


@router.get("/v1/schools/{urn}", response_model=schemas.SchoolOut, tags=["schools"], responses=problems(404))
async def read_school(urn: UrnPath, caller: Reader, session: Session) -> schemas.SchoolOut:
    """One school with all that the register says; a closed one leads to its successors."""
    row = await known_school(session, urn)
    members = await queries.memberships(session, [row.urn])
    uid = next((each.trust_uid for each in members if each.left_on is None), None)
    trust = await queries.trust(session, uid) if uid else None
    sides = await successions(session, row)
    number = row.establishment_number
    return schemas.SchoolOut.of(
        row,
        uid,
        laestab=f"{row.la_code}{number}" if number else None,
        trust=schemas.TrustName.model_validate(trust) if trust else None,
        memberships=[schemas.MembershipOut.model_validate(each) for each in members],
        predecessors=sides[Side.PREDECESSOR],
        successors=sides[Side.SUCCESSOR],
        identifiers=[
            schemas.IdentifierOut.model_validate(each) for each in await identifiers.identifiers(session, row.school_id)
        ],
    )


async def successions(session: Session, row: Establishment) -> dict[Side, list[schemas.SuccessionOut]]:
    """Who came before and after this establishment, each once, whichever side of the link the register holds."""
    links = await queries.links(session, row.urn)
    ends = [(link, link.linked_urn if link.urn == row.urn else link.urn) for link in links]
    others = {each.urn: each for each in await queries.establishments(session, sorted({urn for _, urn in ends}))}
    found: dict[Side, dict[int, schemas.SuccessionOut]] = {side: {} for side in Side}
    for link, urn in ends:
        side = side_of(link, row, others.get(urn))
        found[side].setdefault(urn, schemas.SuccessionOut.of(urn, link, others.get(urn)))
    return {side: [shown[urn] for urn in sorted(shown)] for side, shown in found.items()}


def side_of(link: EstablishmentLink, row: Establishment, other: Establishment | None) -> Side:
    """What the other end of this link is to this establishment."""
    side = linked_side(link.kind)
    return resolved(side if link.urn == row.urn else opposite(side), life(row), life(other))


def life(row: Establishment | None) -> Life:
    """When an establishment lived; one that the register does not show is closed."""
    if row is None:
        return Life(True, None, None)
    return Life(row.status.lower() == "closed", row.opened_on, row.closed_on)


@router.get("/v1/trusts", response_model=schemas.TrustPage, tags=["trusts"])
async def list_trusts(
    request: Request, caller: Reader, session: Session, name: Name = None, limit: Limit = 50, cursor: Cursor = None
) -> JSONResponse:
    """Trusts by UID, open, closed and gone."""
    place = decode_cursor(cursor, str)
    rows = await queries.trusts_page(session, name=name, after=place[0] if place else None, limit=limit)
    shown = [schemas.TrustSummary.model_validate(row) for row in rows]
    return page(shown, limit, [rows[-1].uid] if rows else None, request)


@router.get("/v1/trusts/{uid}", response_model=schemas.TrustOut, tags=["trusts"], responses=problems(404))
async def read_trust(uid: UidPath, caller: Reader, session: Session) -> schemas.TrustOut:
    """One trust with its present members, each with the day on which it joined."""
    row = await queries.trust(session, uid)
    if row is None:
        raise NotFound(f"No trust with UID {uid} is in the register as ingested.")
    present = [each for each in await queries.trust_members(session, uid) if each.left_on is None]
    schools = {each.urn: each for each in await queries.establishments(session, [each.urn for each in present])}
    return schemas.TrustOut.of(row, [schemas.MemberOut.of(each, schools.get(each.urn)) for each in present])


@router.get("/v1/measures", response_model=schemas.MeasurePage, tags=["measures"])
async def list_measures(request: Request, caller: Reader) -> JSONResponse:
    """The catalogue of measures; those of context describe an intake and are never agreed in a contract."""
    return page([schemas.MeasureOut.of(each) for each in MEASURES.values()], 0, None, request)


@router.get("/internal/events", tags=["internal"])
async def read_events(
    caller: Internal,
    session: Session,
    txid: Annotated[int, Query(ge=0)] = 0,
    position: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> dict[str, Any]:
    """Events of the service after a place, skipping none."""
    return {"data": await read_after(session, Event, after=(txid, position), limit=limit)}
