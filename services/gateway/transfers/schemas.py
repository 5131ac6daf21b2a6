"""Bodies about transfers."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.gateway.rules.transfer import Body as ConsentBody
from services.gateway.rules.transfer import Decision, Route, Status
from services.kernel.bodies import Answer, Body, Paging, Text

Day = Annotated[date, Field(strict=False, examples=["2025-06-01"])]


class EffectiveDateIn(Body):
    """The first of a month on which the school is to join; it is carried out once it is confirmed."""

    effective_on: Day
    confirmed: bool = False
    reason: Text


class ReasonIn(Body):
    """Why, for the record."""

    reason: Text


class ConditionOut(BaseModel):
    """One condition of a transfer, with the figure that decides it."""

    code: str
    state: Annotated[str, Field(pattern="^(met|not_met|unknown)$", examples=["met"])]
    detail: str


class ConditionsOut(BaseModel):
    """Every condition under which the contract's school may join; the transfer opens by itself once all are met."""

    contract_id: UUID
    all_met: bool
    data: list[ConditionOut]


class ConsentConditionOut(BaseModel):
    """A condition of a consent, by its number, and when it was met."""

    number: int
    condition: str
    fulfilled_on: date | None


class ToldFacts(BaseModel):
    """What DfE's systems need to know of a project and no register has; null where it was not told."""

    directive_academy_order: Annotated[
        bool | None, Field(description="Whether the Secretary of State directs the school to become an academy")
    ] = None
    academy_order_on: Annotated[Day | None, Field(description="Date of the academy order, directive or not")] = None
    financial_reasons: Annotated[bool | None, Field(description="Whether the school moves because of finances")] = None
    safeguarding_reasons: Annotated[bool | None, Field(description="Whether it moves because of safeguarding")] = None
    governance_reasons: Annotated[bool | None, Field(description="Whether it moves because of governance")] = None
    prepare_id: Annotated[
        Annotated[int, Field(ge=1, le=2_147_483_647, examples=[2187])] | None,
        Field(description="Number of the project in Prepare conversions or Prepare transfers"),
    ] = None
    project_group: Annotated[
        Annotated[str, Field(pattern=r"^GRP_[0-9]{8}$", examples=["GRP_00000042"])] | None,
        Field(description="Reference of the group of projects in Prepare and Complete"),
    ] = None


class ConsentOut(ToldFacts, Answer):
    """A decision as recorded; the latest of each body counts."""

    by: ConsentBody
    decision: Decision
    conditions: list[ConsentConditionOut]
    until: date | None
    decided_on: date
    recorded_at: datetime


class DayOut(Answer):
    """A day that was set, and why; the latest one counts."""

    effective_on: date
    confirmed: bool
    reason: str
    recorded_at: datetime


class StepOut(Answer):
    """A step and how it stands; `locked` waits for another step.

    `owner` is the capacity in which somebody finishes it, `actor` who that is in the field's words, `document` what is
    asked for, `known` a circumstance that decides whether it applies and who says so.
    """

    key: str
    title: str
    section: str
    owner: str
    actor: str
    document: str | None
    status: str
    depends_on: list[str]
    asks: list[str]
    gate: bool
    optional: bool
    known: dict[str, Any] | None
    reason: str | None
    answer: dict[str, Any] | None
    finished_at: datetime | None
    finished_by: dict[str, Any] | None


class DiscrepancyOut(Answer):
    """Something that does not agree with what was carried out, until it does."""

    kind: str
    detail: str
    facts: dict[str, Any]
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None


class TransferOut(Answer):
    """A transfer as it stands.

    `evidence` is why it was proposed, `ground` what the last check found; `attention` says what waits for a person.
    """

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
    confirmed: bool
    days: list[DayOut]
    hold: dict[str, Any] | None
    needed: list[ConsentBody]
    consents: list[ConsentOut]
    template_version: str
    steps: list[StepOut]
    evidence: dict[str, Any]
    ground: dict[str, Any] | None
    result: dict[str, Any] | None
    register_confirmed_at: datetime | None = Field(description="When a release of GIAS first showed the membership")
    discrepancies: list[DiscrepancyOut]
    attention: list[str]
    created_at: datetime
    updated_at: datetime


class TransferPage(BaseModel):
    """A page of transfers."""

    data: list[TransferOut]
    paging: Paging
