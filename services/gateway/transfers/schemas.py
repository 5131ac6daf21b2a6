"""Bodies about transfers."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.gateway.rules.transfer import Body as ConsentBody
from services.gateway.rules.transfer import Decision, Route, Status
from services.kernel.bodies import Answer, Body, Paging, Text

Day = Annotated[date, Field(strict=False)]


class ConsentIn(Body):
    """A decision of one of the bodies whose consent is needed."""

    by: Annotated[ConsentBody, Field(strict=False)]
    decision: Annotated[Decision, Field(strict=False)]
    conditions: Annotated[list[Text], Field(max_length=20)] = []
    decided_on: Day


class EffectiveDateIn(Body):
    """The first of a month on which the school is to join."""

    effective_on: Day
    reason: Text


class CompletionIn(Body):
    """How a step ended; a step that is not applicable needs a reason."""

    not_applicable: bool = False
    reason: Text | None = None


class CancellationIn(Body):
    """Why the transfer does not go on."""

    reason: Text


class ConsentOut(Answer):
    """A decision as recorded."""

    by: ConsentBody
    decision: Decision
    conditions: list[str]
    decided_on: date
    recorded_at: datetime


class StepOut(Answer):
    """A step and how it stands; `locked` waits for another step."""

    key: str
    title: str
    section: str
    owner: str
    status: str
    depends_on: list[str]
    gate: bool
    optional: bool
    reason: str | None
    finished_at: datetime | None


class TransferOut(Answer):
    """A transfer as it stands."""

    id: UUID
    reference: str
    contract_id: UUID
    status: Status
    reason_code: str | None
    version: int
    route: Route
    school_urn: str
    trust_uid: str
    effective_on: date | None
    needed: list[ConsentBody]
    consents: list[ConsentOut]
    steps: list[StepOut]
    evidence: dict[str, Any]
    result: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime


class TransferPage(BaseModel):
    """A page of transfers."""

    data: list[TransferOut]
    paging: Paging
