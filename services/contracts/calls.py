"""What the contracts service asks of the outcomes service; each call is safe to repeat."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from httpx import Response

from services.contracts.rules.parties import School, Trust, UnknownSchool, check_trust
from services.contracts.rules.shortlist import NearTrust
from services.contracts.rules.suppliers import Phase
from services.kernel.auth import service_caller
from services.kernel.errors import Unprocessable
from services.kernel.peers import Peer, Refused
from services.kernel.types import canonical_json

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


async def from_register(outcomes: Peer, path: str) -> dict[str, Any] | None:
    """What the register says at a path; None where it has nothing there."""
    try:
        found: dict[str, Any] = await outcomes.ask("GET", path, caller=SELF)
    except Refused as refusal:
        if refusal.status == 404:
            return None
        raise
    return found


async def supplier(outcomes: Peer, uid: str) -> Trust:
    """The trust as GIAS has it; raises UnknownTrust, or UnsuitableParty unless it is an open multi-academy trust."""
    return check_trust(uid, known(Trust, await from_register(outcomes, f"/v1/trusts/{uid}")))


async def check_school(outcomes: Peer, urn: str) -> None:
    """Raise UnknownSchool unless GIAS, as ingested, has an establishment with this URN."""
    if await from_register(outcomes, f"/v1/schools/{urn}") is None:
        raise UnknownSchool(f"No establishment with URN {urn} in the GIAS releases ingested.", school_urn=urn)


@dataclass(frozen=True, slots=True)
class Beside:
    """A school, its phase in the words of suppliers (None: the register does not say), and trusts beside it by UID."""

    school: School | None
    phase: Phase | None
    trusts: dict[str, NearTrust]


async def beside(outcomes: Peer, *, urn: str, uids: list[str]) -> Beside:
    """The school as GIAS has it, and for each trust what it runs and how near that is."""
    answer = await outcomes.ask("POST", "/internal/shortlist", caller=SELF, body={"urn": urn, "trust_uids": uids})
    school = answer["school"]
    phase = Phase(school["phase_code"]) if school and school["phase_code"] else None
    trusts = [NearTrust(**each) for each in answer["trusts"]]
    return Beside(known(School, school), phase, {each.uid: each for each in trusts})


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


async def evaluation(outcomes: Peer, evaluation_id: UUID) -> dict[str, Any]:
    """A verdict, by its id."""
    answer: dict[str, Any] = await outcomes.ask("GET", f"/internal/evaluations/{evaluation_id}", caller=SELF)
    return answer


async def evaluations(outcomes: Peer, contract_id: UUID) -> dict[str, Any]:
    """All evaluations of a contract, newest first; whether the caller may see the contract was asked before."""
    answer: dict[str, Any] = await outcomes.ask("GET", f"/internal/contracts/{contract_id}/evaluations", caller=SELF)
    return answer


async def plot(outcomes: Peer, evaluation_id: UUID, name: str, body: dict[str, Any], seen: str | None) -> Response:
    """A picture of a verdict as outcomes draws it; `seen` are the entity tags that the reader has already.

    Raises Refused with the problem of outcomes.
    """
    headers = {"Content-Type": "application/json"} | ({"If-None-Match": seen} if seen else {})
    target = f"/internal/evaluations/{evaluation_id}/plots/{name}"
    answer = await outcomes.send("POST", target, caller=SELF, content=canonical_json(body), headers=headers)
    if answer.status_code >= 400:
        raise Refused(answer.status_code, answer.json())
    return answer
