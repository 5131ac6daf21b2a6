"""What the gateway itself says of a contract: the contract, and what stands between it and a transfer."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from services.gateway import forward
from services.gateway.rules.transfer import conditions
from services.kernel.auth import Caller, require
from services.kernel.peers import Peer

router = APIRouter()
CONDITION = {
    "type": "object",
    "properties": {
        "code": {"type": "string"},
        "state": {"enum": ["met", "not_met", "unknown"]},
        "detail": {"type": "string"},
    },
}
WITH_CONDITIONS = {
    "allOf": [
        {"$ref": "#/components/schemas/ContractOut"},
        {"type": "object", "properties": {"transfer_conditions": {"type": "array", "items": CONDITION}}},
    ]
}
"""The contract as its service describes it, and what the gateway adds."""
ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {"schema": WITH_CONDITIONS}}}}

READ = forward.description("contracts")["paths"]["/v1/contracts/{contract_id}"]["get"]


@router.get("/v1/contracts/{contract_id}", tags=["contracts"], responses=ANSWER)
async def read_contract(
    contract_id: UUID,
    request: Request,
    caller: Annotated[Caller, require("contracts:read")],
    as_of: Annotated[date | None, Query(description="As it stood at the end of this day; 404 before it began")] = None,
) -> Response:
    """One contract as it stands, or stood on a day, with each condition for a transfer: met, not met, unknown, why."""
    contracts: Peer = request.app.state.contracts
    headers = {"x-request-id": request.state.request_id}
    if "if-none-match" in request.headers:
        headers["if-none-match"] = request.headers["if-none-match"]
    day = f"?as_of={as_of}" if as_of else ""
    answer = await contracts.send("GET", f"/v1/contracts/{contract_id}{day}", caller=caller, headers=headers)
    forward.check_answer("contracts", READ, answer)
    kept = {name: answer.headers[name] for name in ("etag", "content-type") if name in answer.headers}
    if answer.status_code != 200:
        return Response(answer.content, answer.status_code, kept)
    body = answer.json()
    body["transfer_conditions"] = [
        {"code": each.code, "state": each.state, "detail": each.detail} for each in conditions(body)
    ]
    return JSONResponse(body, headers={"ETag": kept["etag"]})
