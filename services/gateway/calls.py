"""What the gateway asks of the services behind it; each call is safe to repeat."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.gateway.joining import Transfer
from services.gateway.models import MilestoneRecord, Withdrawal
from services.gateway.rules.ground import Condition, conditions
from services.kernel.auth import Caller, service_caller
from services.kernel.peers import Peer, Refused
from services.kernel.types import plain

SELF = service_caller("gateway")
Json = dict[str, Any]


async def contract(contracts: Peer, contract_id: UUID, caller: Caller = SELF) -> Json:
    """The contract as its service shows it to this caller; raises Refused (404) when it is not the caller's."""
    answer: Json = await contracts.ask("GET", f"/v1/contracts/{contract_id}", caller=caller)
    return answer


@dataclass(frozen=True, slots=True)
class Ground:
    """What a transfer stands on: the contract, inspections of the school, and each condition explained."""

    contract: Json
    inspections: Json | None
    conditions: list[Condition]


async def ground(contracts: Peer, outcomes: Peer, contract_id: UUID) -> Ground:
    """The ground of a contract's transfer, as it is now."""
    found: Json = await contracts.ask("GET", f"/internal/contracts/{contract_id}/ground", caller=SELF)
    agreed = found["contract"]
    inspections = await known(outcomes, f"/v1/schools/{agreed['school']['urn']}/inspections")
    return Ground(agreed, inspections, conditions(agreed, found["open"], inspections))


async def known(outcomes: Peer, path: str) -> Json | None:
    """What the register says at a path; None where it has nothing there."""
    try:
        answer: Json = await outcomes.ask("GET", path, caller=SELF)
    except Refused as refusal:
        if refusal.status == 404:
            return None
        raise
    return answer


async def school(outcomes: Peer, urn: str) -> Json:
    """The school as it stands now."""
    answer: Json = await outcomes.ask("GET", f"/v1/schools/{urn}", caller=SELF)
    return answer


async def members(outcomes: Peer, left: Json) -> int | None:
    """How many schools the trust has that a school would leave; None where it is in none."""
    if left["trust"] is None:
        return None
    answer: Json = await outcomes.ask("GET", f"/v1/trusts/{left['trust']['uid']}", caller=SELF)
    return len(answer["members"])


async def deliver(contracts: Peer, row: MilestoneRecord) -> str:
    """Apply a milestone record to its contract; gives what became of it."""
    names = ("contract_id", "milestone_code", "status", "occurred_on", "recorded_at")
    body = {name: getattr(row, name) for name in names} | {"recorded_by": row.recorded_by["client_id"]}
    answer = await contracts.ask("PUT", f"/internal/milestone-records/{row.id}", caller=SELF, body=plain(body))
    return str(answer["result"])


async def withdraw(contracts: Peer, row: Withdrawal) -> str:
    """Undo at its contract what a withdrawn record did; gives what became of that."""
    body = {"contract_id": row.contract_id, "record_id": row.record_id}
    path = f"/internal/milestone-withdrawals/{row.id}"
    answer = await contracts.ask("PUT", path, caller=SELF, body=plain(body))
    return str(answer["result"])


async def open_membership(outcomes: Peer, row: Transfer, identifiers: Json) -> Json:
    """Close the ring-fence, open the membership, add identifiers, in one transaction: the point of no return."""
    body = {
        "contract_id": row.contract_id,
        "school_urn": row.school_urn,
        "trust_uid": row.trust_uid,
        "effective_on": row.effective_on,
        **identifiers,
    }
    answer: Json = await outcomes.ask("PUT", f"/internal/full-memberships/{row.id}", caller=SELF, body=plain(body))
    return answer


async def freeze_contract(contracts: Peer, row: Transfer) -> Json:
    """Make the contract transferred."""
    body = plain({"contract_id": row.contract_id, "effective_on": row.effective_on})
    answer: Json = await contracts.ask("PUT", f"/internal/transfers/{row.id}", caller=SELF, body=body)
    return answer
