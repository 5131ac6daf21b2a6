"""What the gateway asks of the services behind it; each call is safe to repeat."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.gateway.joining import Transfer
from services.gateway.models import Withdrawal
from services.gateway.rules.ground import Condition, conditions
from services.kernel.auth import Caller, service_caller
from services.kernel.peers import Peer

SELF = service_caller("gateway")
Json = dict[str, Any]
AT_ONCE = 100
"""So many contracts are asked for in one call."""


async def contract(contracts: Peer, contract_id: UUID, caller: Caller = SELF) -> Json:
    """The contract as its service shows it to this caller; raises Refused (404) when it is not the caller's."""
    answer: Json = await contracts.ask("GET", f"/v1/contracts/{contract_id}", caller=caller)
    return answer


async def several(contracts: Peer, contract_ids: Collection[UUID]) -> list[Json]:
    """Contracts as they stand, in the order of their ids."""
    wanted, found = sorted(contract_ids), list[Json]()
    for place in range(0, len(wanted), AT_ONCE):
        body = wanted[place : place + AT_ONCE]
        found += await contracts.ask("POST", "/internal/contracts", caller=SELF, body=body)
    return found


@dataclass(frozen=True, slots=True)
class Ground:
    """What a transfer stands on: the contract, inspections of the school, and each condition explained."""

    contract: Json
    inspections: Json | None
    conditions: list[Condition]


async def ground(contracts: Peer, outcomes: Peer, contract_id: UUID) -> Ground:
    """The ground of a contract's transfer, as it is now."""
    return (await grounds(contracts, outcomes, [contract_id]))[contract_id]


async def grounds(contracts: Peer, outcomes: Peer, contract_ids: Sequence[UUID]) -> dict[UUID, Ground]:
    """By contract: the ground of its transfer, as it is now."""
    found: list[Json] = await contracts.ask("POST", "/internal/grounds", caller=SELF, body=contract_ids)
    urns = sorted({int(each["contract"]["school"]["urn"]) for each in found})
    told: list[Json] = await outcomes.ask("POST", "/internal/inspections", caller=SELF, body=urns)
    left = {each["urn"]: each for each in told}
    return {
        UUID(each["contract"]["id"]): ground_of(each, left.get(each["contract"]["school"]["urn"])) for each in found
    }


def ground_of(found: Json, inspections: Json | None) -> Ground:
    """The ground of a contract from what is told of it and its school."""
    agreed = found["contract"]
    return Ground(agreed, inspections, conditions(agreed, found["open"], inspections))


async def school(outcomes: Peer, urn: str) -> Json:
    """The school as it stands now."""
    answer: Json = await outcomes.ask("GET", f"/v1/schools/{urn}", caller=SELF)
    return answer


async def outgoing_trust(outcomes: Peer, left: Json) -> Json | None:
    """The trust that a school would leave, as GIAS has it, with its members; None where it is in none."""
    if left["trust"] is None:
        return None
    answer: Json = await outcomes.ask("GET", f"/v1/trusts/{left['trust']['uid']}", caller=SELF)
    return answer


async def deliver(contracts: Peer, rows: Sequence[Mapping[str, Any]]) -> dict[UUID, str]:
    """Apply milestone records to their contracts, all in one transaction there; by record what became of it."""
    answer: list[Json] = await contracts.ask("PUT", "/internal/milestone-records", caller=SELF, body=rows)
    return {UUID(each["record_id"]): each["result"] for each in answer}


async def withdraw(contracts: Peer, row: Withdrawal) -> str:
    """Undo at its contract what a withdrawn record did; gives what became of that."""
    body = {"contract_id": row.contract_id, "record_id": row.record_id}
    path = f"/internal/milestone-withdrawals/{row.id}"
    answer = await contracts.ask("PUT", path, caller=SELF, body=body)
    return str(answer["result"])


async def open_memberships(outcomes: Peer, rows: Sequence[tuple[Transfer, Json]]) -> dict[UUID, Json]:
    """Close ring-fences, open memberships, add identifiers, in one transaction: the point of no return."""
    names = ("contract_id", "school_urn", "trust_uid", "effective_on")
    body = [{"transfer_id": row.id, **{name: getattr(row, name) for name in names}, **new} for row, new in rows]
    answer: list[Json] = await outcomes.ask("PUT", "/internal/full-memberships", caller=SELF, body=body)
    return {UUID(each["transfer_id"]): each for each in answer}


async def freeze_contracts(contracts: Peer, rows: Sequence[Transfer]) -> dict[UUID, Json]:
    """Make the contracts transferred."""
    names = ("contract_id", "effective_on")
    body = [{"transfer_id": row.id, **{name: getattr(row, name) for name in names}} for row in rows]
    answer: list[Json] = await contracts.ask("PUT", "/internal/transfers", caller=SELF, body=body)
    return {UUID(each["transfer_id"]): each for each in answer}
