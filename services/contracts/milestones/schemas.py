"""Bodies of milestones, and of records that arrive from the gateway."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.contracts.rules.milestones import MilestoneStatus
from services.contracts.schemas import Day, MilestoneOut
from services.kernel.bodies import Answer, Body, Code, Paging


class MilestonePage(BaseModel):
    """The milestones of a contract."""

    data: list[MilestoneOut]
    paging: Paging


class RecordIn(Body):
    """A milestone record of the gateway, to be applied."""

    contract_id: Annotated[UUID, Field(strict=False)]
    milestone_code: Code
    status: Annotated[MilestoneStatus, Field(strict=False)]
    occurred_on: Day
    recorded_at: Annotated[AwareDatetime, Field(strict=False)]


class AppliedOut(Answer):
    """What became of a record."""

    record_id: UUID
    contract_id: UUID
    milestone_code: str
    result: str
