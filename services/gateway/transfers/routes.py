"""Transfers to full membership; they are opened by the gateway itself, so there is no way to post one."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from services.gateway import calls
from services.gateway.joining import Consent, Transfer
from services.gateway.rules.ground import gate_open, shown
from services.gateway.rules.hand_over import TOLD
from services.gateway.rules.steps import shown_status
from services.gateway.rules.transfer import Status
from services.gateway.transfers import queries, schemas, service
from services.kernel.auth import Caller, require
from services.kernel.bodies import Cursor, IfMatch, check_match, decode_cursor, entity_tag, page
from services.kernel.errors import NotFound
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.kernel.peers import Refused
from services.kernel.types import utc_now

router = APIRouter(tags=["transfers"])
Reader = Annotated[Caller, require("transfers:read")]
Writer = Annotated[Caller, require("transfers:write")]
CHANGE = problems(404, 409)
PATH = "/v1/transfers/{transfer_id}"


def shown_consents(given: list[Consent], met: dict[tuple[UUID, int], Any]) -> list[dict[str, Any]]:
    """Decisions, each condition with the day on which it was met."""
    alike = ("by", "decision", "until", "decided_on", *TOLD, "recorded_at")
    return [
        {
            **{name: getattr(each, name) for name in alike},
            "conditions": [
                {
                    "number": number,
                    "condition": words,
                    "fulfilled_on": met[each.id, number].fulfilled_on if (each.id, number) in met else None,
                }
                for number, words in enumerate(each.conditions, 1)
            ],
        }
        for each in given
    ]


async def attention(session: Session, row: Transfer) -> list[str]:
    """What about a transfer waits for a person."""
    found = [each.kind for each in await queries.discrepancies(session, row.id) if each.closed_at is None]
    package = await queries.hand_over(session, row.id)
    late = package is not None and package.acknowledged_at is None and package.due_at < utc_now()
    return [*found, *(["hand_over_not_acknowledged"] if late else [])]


async def shape(session: Session, row: Transfer) -> schemas.TransferOut:
    """The transfer with its consents, days, steps and what does not agree with it."""
    await session.flush()
    steps, consents = await queries.steps(session, row.id), await queries.consents(session, [row.id])
    statuses = {step.key: step.status for step in steps}
    listed = [
        schemas.StepOut.model_validate(step).model_copy(
            update={"status": shown_status(step.status, step.depends_on, statuses)}
        )
        for step in steps
    ]
    made = {"consents", "days", "steps", "discrepancies", "attention", "school_urn"}
    met = await queries.fulfilments(session, [each.id for each in consents])
    return schemas.TransferOut.model_validate(
        {
            **{name: getattr(row, name) for name in schemas.TransferOut.model_fields.keys() - made},
            "school_urn": str(row.school_urn),
            "consents": shown_consents(consents, met),
            "days": [schemas.DayOut.model_validate(each) for each in await queries.days(session, [row.id])],
            "steps": listed,
            "discrepancies": await queries.discrepancies(session, row.id),
            "attention": await attention(session, row),
        }
    )


async def tagged(session: Session, row: Transfer, status: int = 200) -> JSONResponse:
    """The transfer with the entity tag that the next update must name."""
    answer = await shape(session, row)
    return JSONResponse(answer.model_dump(mode="json"), status, {"ETag": entity_tag(answer.version)})


async def for_update(session: Session, transfer_id: UUID, match: str) -> Transfer:
    """The transfer, locked, once it is sure that the caller read its present version."""
    row = await queries.transfer(session, transfer_id, locked=True)
    check_match(match, entity_tag(row.version))
    return row


@router.get(
    "/v1/contracts/{contract_id}/transfer-conditions", response_model=schemas.ConditionsOut, responses=problems(404)
)
async def read_conditions(contract_id: UUID, request: Request, caller: Reader) -> schemas.ConditionsOut:
    """Each condition under which the school may join the trust: met, not met or unknown, with the figure."""
    state = request.app.state
    try:
        await calls.contract(state.contracts, contract_id, caller)
    except Refused as error:
        raise NotFound("No such contract.") from error
    found = (await calls.ground(state.contracts, state.outcomes, contract_id)).conditions
    data = [schemas.ConditionOut(**each) for each in shown(found)]
    return schemas.ConditionsOut(contract_id=contract_id, all_met=gate_open(found), data=data)


@router.get("/v1/transfers", response_model=schemas.TransferPage)
async def list_transfers(
    request: Request,
    caller: Reader,
    session: Session,
    status: Status | None = None,
    attention: Annotated[bool | None, Query(description="Whether something about it waits for a person")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """Transfers of the contracts that the caller may see."""
    place = decode_cursor(cursor, UUID)
    after = place[0] if place else None
    now = utc_now()
    rows = await queries.transfers_page(session, status=status, attention=attention, after=after, limit=limit, now=now)
    answers = [await shape(session, row) for row in rows]
    return page(list(answers), limit, [rows[-1].id] if rows else None, request)


@router.get(PATH, response_model=schemas.TransferOut, responses=problems(404))
async def read_transfer(transfer_id: UUID, request: Request, caller: Reader, session: Session) -> Response:
    """One transfer as it stands: who must still consent, and which steps are open."""
    row = await queries.transfer(session, transfer_id)
    if request.headers.get("if-none-match") == entity_tag(row.version):
        return Response(status_code=304, headers={"ETag": entity_tag(row.version)})
    return await tagged(session, row)


@router.post(f"{PATH}/effective-date", response_model=schemas.TransferOut, responses=CHANGE)
async def set_effective_date(
    transfer_id: UUID, body: schemas.EffectiveDateIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Set, change or confirm the first of a month on which the school joins."""
    row = await for_update(session, transfer_id, match)
    row = await service.set_effective_date(session, row=row, body=body, caller=caller, now=utc_now())
    return await tagged(session, row)


@router.post(f"{PATH}/hold", response_model=schemas.TransferOut, responses=CHANGE)
async def hold_transfer(
    transfer_id: UUID, body: schemas.ReasonIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Put a transfer on hold: its day does not come until it is taken up again."""
    row = await for_update(session, transfer_id, match)
    row = await service.hold(session, row=row, reason=body.reason, caller=caller, now=utc_now())
    return await tagged(session, row)


@router.post(f"{PATH}/resumption", response_model=schemas.TransferOut, responses=CHANGE)
async def resume_transfer(
    transfer_id: UUID, body: schemas.ReasonIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Take a transfer up again that was on hold."""
    row = await for_update(session, transfer_id, match)
    row = await service.resume(session, row=row, reason=body.reason, caller=caller, now=utc_now())
    return await tagged(session, row)


@router.post(f"{PATH}/cancellation", response_model=schemas.TransferOut, responses=CHANGE)
async def cancel_transfer(
    transfer_id: UUID, body: schemas.ReasonIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Give a transfer up before the point of no return."""
    row = await for_update(session, transfer_id, match)
    row = await service.cancel(session, row=row, reason=body.reason, caller=caller, now=utc_now())
    return await tagged(session, row)
