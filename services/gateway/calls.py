"""What the gateway asks of the services behind it; each call is safe to repeat."""

from typing import Any
from uuid import UUID

from services.gateway.models import MilestoneRecord, Transfer, Withdrawal
from services.kernel.auth import Caller, service_caller
from services.kernel.peers import Peer
from services.kernel.types import plain

SELF = service_caller("gateway")


async def contract(contracts: Peer, contract_id: UUID, caller: Caller = SELF) -> dict[str, Any]:
    """The contract as its service shows it to this caller; raises Refused (404) when it is not the caller's."""
    answer: dict[str, Any] = await contracts.ask("GET", f"/v1/contracts/{contract_id}", caller=caller)
    return answer


async def school(outcomes: Peer, urn: str) -> dict[str, Any]:
    """The school as it stands now."""
    answer: dict[str, Any] = await outcomes.ask("GET", f"/v1/schools/{urn}", caller=SELF)
    return answer


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


async def open_membership(outcomes: Peer, row: Transfer) -> dict[str, Any]:
    """Close the ring-fence and open the membership, in one transaction there: the point of no return."""
    body = {
        "contract_id": row.contract_id,
        "school_urn": row.school_urn,
        "trust_uid": row.trust_uid,
        "effective_on": row.effective_on,
        "new_urn": None,
    }
    path = f"/internal/full-memberships/{row.id}"
    answer: dict[str, Any] = await outcomes.ask("PUT", path, caller=SELF, body=plain(body))
    return answer


async def freeze_contract(contracts: Peer, row: Transfer) -> dict[str, Any]:
    """Make the contract transferred."""
    body = plain({"contract_id": row.contract_id, "effective_on": row.effective_on})
    answer: dict[str, Any] = await contracts.ask("PUT", f"/internal/transfers/{row.id}", caller=SELF, body=body)
    return answer
