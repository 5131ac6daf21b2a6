"""Bodies of milestones, and of records that arrive from the gateway."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from services.contracts.rules.milestones import MilestoneStatus
from services.contracts.schemas import Day, MilestoneOut
from services.kernel.bodies import Answer, Body, Code, Paging


class MilestonePage(BaseModel):
    """The milestones of a contract."""

    data: list[MilestoneOut]
    paging: Paging


def decided(status: MilestoneStatus) -> MilestoneStatus:
    """A record decides; nothing makes a milestone undecided again."""
    if status is MilestoneStatus.SCHEDULED:
        raise ValueError("a record says met, partially_met or not_met")
    return status


class RecordIn(Body):
    """A milestone record of the gateway, to be applied."""

    record_id: Annotated[UUID, Field(strict=False)]
    contract_id: Annotated[UUID, Field(strict=False)]
    milestone_code: Code
    status: Annotated[MilestoneStatus, Field(strict=False), AfterValidator(decided)]
    occurred_on: Day
    recorded_at: Annotated[AwareDatetime, Field(strict=False)]
    recorded_by: Annotated[str | None, Field(max_length=200, description="The credential that recorded it")] = None


Records = Annotated[list[RecordIn], Field(min_length=1, max_length=1000)]


class WithdrawalIn(Body):
    """A record of the gateway that was taken back."""

    contract_id: Annotated[UUID, Field(strict=False)]
    record_id: Annotated[UUID, Field(strict=False)]


class UndoneOut(Answer):
    """What became of a withdrawal."""

    withdrawal_id: UUID
    record_id: UUID
    contract_id: UUID
    result: str


class AppliedOut(Answer):
    """What became of a record."""

    record_id: UUID
    contract_id: UUID
    milestone_code: str
    result: str
