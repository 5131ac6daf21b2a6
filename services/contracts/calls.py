"""What the contracts service asks of the outcomes service; each call is safe to repeat."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.contracts.rules.terms import School, Trust
from services.kernel.auth import service_caller
from services.kernel.errors import Unprocessable
from services.kernel.peers import Peer

SELF = service_caller("contracts")


@dataclass(frozen=True, slots=True)
class Facts:
    """What evidence says about the parties of a contract, and the baselines of its measures by code."""

    school: School | None
    trust: Trust | None
    measures: dict[str, dict[str, Any]]


class UnknownMeasure(Unprocessable):
    """The catalogue has no such measure, or not one that a contract can be judged on."""

    code = "unknown_measure"
    title = "No such measure"


async def facts(outcomes: Peer, *, urn: str, uid: str, measures: list[str], starts_on: date) -> Facts:
    """The parties as GIAS has them, and for each measure its domain and its baseline before the term begins."""
    body = {"urn": urn, "trust_uid": uid, "measures": measures, "starts_on": starts_on.isoformat()}
    answer = await outcomes.ask("POST", "/internal/facts", caller=SELF, body=body)
    for code in measures:
        if code not in answer["measures"]:
            raise UnknownMeasure(f"{code} is not a measure that a contract can agree; see GET /v1/measures.")
    school, trust = answer["school"], answer["trust"]
    return Facts(School(**school) if school else None, Trust(**trust) if trust else None, answer["measures"])


async def ring_fence(outcomes: Peer, contract_id: UUID, body: dict[str, Any]) -> None:
    """Open the contract's ring-fence, or set its end."""
    await outcomes.ask("PUT", f"/internal/ring-fences/{contract_id}", caller=SELF, body=body)


async def evaluate(outcomes: Peer, body: dict[str, Any]) -> dict[str, Any]:
    """Judge the agreed outcomes of a contract; the same question on the same data gives the same evaluation."""
    answer: dict[str, Any] = await outcomes.ask("POST", "/internal/evaluations", caller=SELF, body=body)
    return answer


async def evaluations(outcomes: Peer, contract_id: UUID) -> dict[str, Any]:
    """All evaluations of a contract, newest first; whether the caller may see the contract was asked before."""
    answer: dict[str, Any] = await outcomes.ask("GET", f"/internal/contracts/{contract_id}/evaluations", caller=SELF)
    return answer
