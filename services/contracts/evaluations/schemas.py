"""Bodies of evaluations: what to judge, the verdict, and what its pictures are drawn from."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.contracts.models import Contract, Outcome
from services.contracts.schemas import ContractOut
from services.kernel.bodies import Body, Paging
from services.kernel.types import plain
from services.pictures import Format


class Evaluation(BaseModel):
    """The outcomes service's verdict on a contract."""

    model_config = ConfigDict(extra="allow")

    id: UUID
    contract_id: UUID
    academic_year: str
    run: str
    overall: str
    score: float | None
    coverage: float
    kpi_rating: str
    release_status: str | None
    measures: list[dict[str, Any]] = Field(
        description="Each agreed outcome; one that is `not_measurable` says why in `reasons`, where a result is missing"
        " in the words of the `state` of an observation"
    )
    method_version: str
    inputs_hash: str


class EvaluationPage(BaseModel):
    """The evaluations of a contract, newest first."""

    data: list[Evaluation]
    paging: "Paging"


class EvaluationIn(Body):
    """Which year's results to judge, and whether the verdict is interim or final."""

    academic_year: Annotated[str, Field(pattern=r"^20[0-9]{2}/[0-9]{2}$", examples=["2023/24"])]
    run: Annotated[str, Field(pattern=r"^(interim|final)$", examples=["final"])]


JUDGED = {"code", "measure", "weight", "critical", "target", "baseline", "comparators"}
FOLLOWED = JUDGED | {"trajectory"}


def to_evaluate(
    contract: ContractOut, breaks: list[dict[str, Any]], asked: EvaluationIn, actor: dict[str, Any]
) -> dict[str, Any]:
    """What the outcomes service needs in order to judge this contract."""
    return {
        **parties_and_term(contract, breaks),
        "organisation": contract.commissioner["organisation"],
        "outcomes": plain([each.model_dump(include=JUDGED) for each in contract.outcomes]),
        "academic_year": asked.academic_year,
        "run": asked.run,
        "requested_by": actor,
    }


def to_review(contract: ContractOut, breaks: list[dict[str, Any]], academic_year: str) -> dict[str, Any]:
    """What the outcomes service needs in order to say how far each outcome is from its path."""
    return {
        **parties_and_term(contract, breaks),
        **agreed_until(contract.term.ended_on, contract.term.ends_on),
        "outcomes": plain([each.model_dump(include=FOLLOWED) for each in contract.outcomes]),
        "academic_year": academic_year,
    }


def agreed_until(ended_on: date | None, ends_on: date) -> dict[str, str]:
    """The last day as agreed, of a contract that ended on another: its usual path leads to the target by then."""
    return {"agreed_until": ends_on.isoformat()} if ended_on not in {None, ends_on} else {}


def parties_and_term(contract: ContractOut, breaks: list[dict[str, Any]]) -> dict[str, Any]:
    """Whose results are looked at, for which supplier, over which days."""
    found: dict[str, Any] = plain(
        {
            "contract_id": contract.id,
            "school_urn": contract.school["urn"],
            "supplier_uid": contract.supplier["uid"],
            "starts_on": contract.term.starts_on,
            "ends_on": contract.term.ended_on or contract.term.ends_on,
            "breaks": breaks,
        }
    )
    return found


def to_draw(
    row: Contract, outcomes: Iterable[Outcome], beside: Iterable[Contract], outcome: str | None, form: Format
) -> dict[str, Any]:
    """What the outcomes service needs in order to draw a verdict on this contract, beside those on others."""
    return {
        "outcome": outcome,
        "format": form.value,
        **called(row),
        "supplier": row.supplier["name"],
        "trajectories": {each.code: each.trajectory for each in outcomes},
        **agreed_until(row.ended_on, row.ends_on),
        "beside": [{"evaluation_id": each.evaluation["id"], **called(each)} for each in beside if each.evaluation],
    }


def called(row: Contract) -> dict[str, str]:
    """What a contract and its school are called."""
    return {"contract": row.reference, "school": str(row.school["name"])}
