"""Bodies of evaluations: what to judge, and the verdict."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.contracts.schemas import ContractOut
from services.kernel.bodies import Body, Paging
from services.kernel.types import plain


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
    measures: list[dict[str, Any]]
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


JUDGED = {"code", "measure", "weight", "critical", "target", "baseline"}


def to_evaluate(contract: ContractOut, asked: EvaluationIn, actor: dict[str, Any]) -> dict[str, Any]:
    """What the outcomes service needs in order to judge this contract."""
    wanted: dict[str, Any] = plain(
        {
            "contract_id": contract.id,
            "school_urn": contract.school["urn"],
            "supplier_uid": contract.supplier["uid"],
            "organisation": contract.commissioner["organisation"],
            "starts_on": contract.term.starts_on,
            "ends_on": contract.term.ended_on or contract.term.ends_on,
            "outcomes": [each.model_dump(include=JUDGED) for each in contract.outcomes],
            "academic_year": asked.academic_year,
            "run": asked.run,
            "requested_by": actor,
        }
    )
    return wanted
