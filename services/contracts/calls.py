"""What the contracts service asks of the outcomes service; each call is safe to repeat."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from services.contracts.rules.terms import School, Trust
from services.kernel.auth import service_caller
from services.kernel.errors import Unprocessable
from services.kernel.peers import Peer

SELF = service_caller("contracts")
Known = TypeVar("Known", School, Trust)


@dataclass(frozen=True, slots=True)
class Facts:
    """What evidence says about the parties of a contract, and the baselines of its measures by code."""

    school: School | None
    trust: Trust | None
    measures: dict[str, dict[str, Any]]
    method: dict[str, Any] | None = None


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
    school, trust = known(School, answer["school"]), known(Trust, answer["trust"])
    return Facts(school, trust, answer["measures"], answer.get("method"))


def known(kind: type[Known], facts: dict[str, Any] | None) -> Known | None:
    """What contracts look at of what the register says."""
    if facts is None:
        return None
    return kind(**{each.name: facts[each.name] for each in fields(kind) if each.name in facts})


async def present_facts(outcomes: Peer, *, urn: str, uid: str, starts_on: date) -> Facts:
    """The parties of a contract that was drafted before: a school that has another URN now is followed to it."""
    found = await facts(outcomes, urn=urn, uid=uid, measures=[], starts_on=starts_on)
    now = found.school.present_urn if found.school else None
    if now is None or str(now) == urn:
        return found
    return await facts(outcomes, urn=str(now), uid=uid, measures=[], starts_on=starts_on)


async def ring_fence(outcomes: Peer, contract_id: UUID, body: dict[str, Any]) -> None:
    """Open the contract's ring-fence, or set its end."""
    await outcomes.ask("PUT", f"/internal/ring-fences/{contract_id}", caller=SELF, body=body)


async def evaluate(outcomes: Peer, body: dict[str, Any]) -> dict[str, Any]:
    """Judge the agreed outcomes of a contract; the same question on the same data gives the same evaluation."""
    answer: dict[str, Any] = await outcomes.ask("POST", "/internal/evaluations", caller=SELF, body=body)
    return answer


async def rag(outcomes: Peer, body: dict[str, Any]) -> list[dict[str, Any]]:
    """How far each agreed outcome is from its path, as red, amber, green or grey."""
    answer = await outcomes.ask("POST", "/internal/rag", caller=SELF, body=body)
    found: list[dict[str, Any]] = answer["outcomes"]
    return found


async def evaluations(outcomes: Peer, contract_id: UUID) -> dict[str, Any]:
    """All evaluations of a contract, newest first; whether the caller may see the contract was asked before."""
    answer: dict[str, Any] = await outcomes.ask("GET", f"/internal/contracts/{contract_id}/evaluations", caller=SELF)
    return answer
