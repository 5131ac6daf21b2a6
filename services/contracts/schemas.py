"""Bodies of the contracts service, as clients see them at the gateway."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.contracts.models import Contract, Milestone, Outcome, Signature
from services.contracts.rules.life import Role, Status
from services.contracts.rules.milestones import MilestoneStatus
from services.kernel.bodies import Answer, Body, Paging, Text

Day = Annotated[date, Field(strict=False, examples=["2023-09-01"])]
Urn = Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$", description="Unique reference number", examples=["135816"])]
Uid = Annotated[str, Field(pattern=r"^[0-9]{1,10}$", description="GIAS group UID of a trust", examples=["2059"])]


class LegalRoute(StrEnum):
    """Under which law the contract is made; never assumed."""

    LIGHT_TOUCH = "light_touch"
    GRANT = "grant"
    OTHER = "other"


class MilestoneKind(StrEnum):
    """What a milestone is about."""

    MOBILISATION = "mobilisation"
    DELIVERY = "delivery"
    REVIEW = "review"
    OUTCOME = "outcome"
    FINANCE = "finance"
    TRANSITION = "transition"


class SignatureIn(Body):
    """A party's signature under the offer as it stands."""

    party: Annotated[
        Role, Field(strict=False, json_schema_extra={"enum": ["commissioner", "supplier", "responsible_body"]})
    ]
    signed_by: Text
    role: Text
    signed_on: Day


class Reason(Body):
    """Why something is done, for the record."""

    reason: Text


class MilestoneOut(Answer):
    """A milestone and how it stands."""

    code: str
    title: str
    kind: MilestoneKind
    due_on: date
    required: bool
    payment_pence: int
    status: MilestoneStatus
    decided_on: date | None
    record_id: UUID | None


class OutcomeOut(Answer):
    """An agreed outcome with its baseline and the releases that the baseline came from."""

    code: str
    measure: str
    domain: str
    weight: float
    critical: bool
    target: dict[str, Any]
    baseline: dict[str, Any]
    payment_pence: int
    floor: float | None
    full: float | None

    @classmethod
    def of(cls, row: Outcome) -> Self:
        """The outcome of this row."""
        return cls(
            **{name: getattr(row, name) for name in ("code", "measure", "domain", "critical", "payment_pence")},
            weight=float(row.weight),
            target={"mode": row.target_mode, "value": float(row.target_value)},
            baseline=row.baseline,
            floor=None if row.floor is None else float(row.floor),
            full=None if row.full is None else float(row.full),
        )


class SignatureOut(Answer):
    """Who signed for a party, and under which terms."""

    party: str
    signed_by: str
    role: str
    signed_on: date
    agreed_hash: str


class TermOut(Answer):
    """First and last day of the contract, and the day on which it in fact ended, when that was another."""

    starts_on: date
    ends_on: date
    ended_on: date | None


class ContractOut(Answer):
    """A contract as it stands; `value_pence` is the sum of all that it can pay."""

    id: UUID
    reference: str
    title: str
    status: Status
    reason_code: str | None
    version: int
    commissioner: dict[str, Any]
    school: dict[str, Any]
    supplier: dict[str, Any]
    responsible_body: dict[str, Any]
    legal_route: LegalRoute
    term: TermOut
    fee_pence: int
    value_pence: int
    transfer_intended: bool
    interventions: list[dict[str, Any]]
    outcomes: list[OutcomeOut]
    outcomes_rationale: str | None
    milestones: list[MilestoneOut]
    signatures: list[SignatureOut]
    agreed_hash: str | None
    evaluation: dict[str, Any] | None
    transfer_id: UUID | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(
        cls, row: Contract, outcomes: list[Outcome], milestones: list[Milestone], signatures: list[Signature]
    ) -> Self:
        """The contract of these rows."""
        alike = cls.model_fields.keys() - {"term", "outcomes", "milestones", "signatures"}
        return cls(
            **{name: getattr(row, name) for name in alike},
            term=TermOut.model_validate(row),
            outcomes=[OutcomeOut.of(outcome) for outcome in outcomes],
            milestones=[MilestoneOut.model_validate(milestone) for milestone in milestones],
            signatures=[SignatureOut.model_validate(signature) for signature in signatures],
        )


class ContractPage(BaseModel):
    """A page of contracts."""

    data: list[ContractOut]
    paging: Paging


class EventOut(Answer):
    """One change to a contract."""

    id: UUID
    type: str
    subject_id: UUID
    data: dict[str, Any]
    actor: dict[str, Any]
    occurred_at: datetime


class EventPage(BaseModel):
    """A page of events, oldest first."""

    data: list[EventOut]
    paging: Paging


class TransferredIn(Body):
    """A completed transfer, to close the contract with."""

    contract_id: Annotated[UUID, Field(strict=False)]
    effective_on: Day
