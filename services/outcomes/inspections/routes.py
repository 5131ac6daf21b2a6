"""The door to inspections of schools and to published figures of trusts."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.kernel.bodies import page
from services.kernel.errors import NotFound
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.outcomes import queries as register
from services.outcomes.inspections import queries, schemas, service
from services.outcomes.routes import Internal, Reader, UidPath, UrnPath, known_school

router = APIRouter()


@router.get(
    "/v1/schools/{urn}/inspections", response_model=schemas.InspectionsOut, tags=["schools"], responses=problems(404)
)
async def list_inspections(urn: UrnPath, caller: Reader, session: Session) -> schemas.InspectionsOut:
    """Ofsted's inspections of a school through all of its lives, the latest first, on the scales of their time."""
    return await service.told(session, await known_school(session, urn))


@router.post("/internal/inspections", tags=["internal"])
async def read_standings(urns: list[int], caller: Internal, session: Session) -> list[schemas.StandingOut]:
    """Where inspections leave schools; those that the register does not know are left out."""
    return await service.standings(session, urns)


@router.get(
    "/v1/trusts/{uid}/observations",
    response_model=schemas.TrustObservationPage,
    tags=["trusts"],
    responses=problems(404),
)
async def list_trust_observations(uid: UidPath, request: Request, caller: Reader, session: Session) -> JSONResponse:
    """What DfE published of a trust: its own figures, for its own choice of schools, beside those reckoned here."""
    rows = await queries.trust_observations(session, uid)
    if not rows and await register.trust(session, uid) is None:
        raise NotFound(f"No trust with UID {uid} is in the register as ingested.")
    return page([schemas.TrustObservationOut.of(*each) for each in rows], 0, None, request)
