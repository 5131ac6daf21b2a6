"""Bodies of the contracts service, as clients see them at the gateway."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.contracts.conduct import Variation
from services.contracts.history import Moment, rebuilt
from services.contracts.models import Contract, Milestone, Outcome, Signature
from services.contracts.rules.life import Status
from services.contracts.rules.milestones import MilestoneStatus, Timing
from services.contracts.rules.variations import VariationKind, VariationStatus
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
    depends_on: list[str]
    evidence_asked: str | None
    status: MilestoneStatus
    timing: Timing = Field(description="How near the date is, by the clock")
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
    trajectory: list[float] | None
    comparators: list[int] | None = Field(description="URNs fixed when the outcome was agreed, nearest first")

    @classmethod
    def of(cls, row: Outcome) -> Self:
        """The outcome of this row."""
        alike = ("code", "measure", "domain", "critical", "payment_pence", "trajectory", "comparators")
        return cls(
            **{name: getattr(row, name) for name in alike},
            weight=float(row.weight),
            target={"mode": row.target_mode, "value": float(row.target_value)},
            baseline=row.baseline,
            floor=None if row.floor is None else float(row.floor),
            full=None if row.full is None else float(row.full),
        )


class SignatureOut(Answer):
    """Who signed for a party, and under which terms: those of an offer or of a variation, by number."""

    document: str
    party: str
    signed_by: str
    role: str
    signed_on: date
    agreed_hash: str


class TermOut(Answer):
    """First and last day of the contract, the day on which it in fact ended, and when it may end otherwise.

    `latest_ends_on` is the last day that any extension can reach. With `notice_days` of notice the commissioner may
    leave on any day, the supplier at a break point.
    """

    starts_on: date
    ends_on: date
    ended_on: date | None
    latest_ends_on: date
    break_points: list[date]
    notice_days: int


class VariationOut(Answer):
    """A change of the terms, or an earlier end by agreement, and how far it has come."""

    number: int
    kind: VariationKind
    status: VariationStatus
    reason_code: str | None
    effective_on: date
    rationale: str
    changes: dict[str, Any]
    agreed_hash: str
    proposed_by: str
    proposed_on: date
    closed_on: date | None


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
    identifiers: list[dict[str, Any]] = Field(description="What the school was called, and from when to when")
    supplier: dict[str, Any]
    responsible_body: dict[str, Any]
    legal_route: LegalRoute
    legal_route_detail: str | None
    term: TermOut
    fee_pence: int
    value_pence: int
    transfer_intended: bool
    interventions: list[dict[str, Any]]
    outcomes: list[OutcomeOut]
    outcomes_rationale: str | None
    milestones: list[MilestoneOut]
    signatures: list[SignatureOut]
    offer: dict[str, Any] | None
    entered_on: date | None = Field(description="The day of the last signature")
    agreed_hash: str | None = Field(description="SHA-256 of the terms that were signed")
    method: dict[str, Any] | None = Field(description="How outcomes are judged, fixed when they were agreed")
    suspension: dict[str, Any] | None
    termination: dict[str, Any] | None
    variations: list[VariationOut]
    evaluation: dict[str, Any] | None
    transfer_id: UUID | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(
        cls,
        row: Contract,
        outcomes: list[Outcome],
        milestones: list[Milestone],
        signatures: list[Signature],
        variations: list[Variation],
    ) -> Self:
        """The contract of these rows."""
        alike = cls.model_fields.keys() - {"term", "outcomes", "milestones", "signatures", "variations"}
        return cls(
            **{name: getattr(row, name) for name in alike},
            variations=[VariationOut.model_validate(variation) for variation in variations],
            term=TermOut.model_validate(row),
            outcomes=[OutcomeOut.of(outcome) for outcome in outcomes],
            milestones=[MilestoneOut.model_validate(milestone) for milestone in milestones],
            signatures=[SignatureOut.model_validate(signature) for signature in signatures],
        )

    @classmethod
    def at(cls, moment: Moment, given: Sequence[Signature] = ()) -> Self:
        """The contract as it stood at a moment; `given` are signatures with the names that history leaves out."""
        names = {(each.document, each.party): each for each in given}
        signed = [
            names.get((each.document, each.party), each)
            for each in rebuilt(moment, Signature, signed_by="", role="", client_id="")
        ]
        return cls.of(
            rebuilt(moment, Contract, version=moment.version, updated_at=moment.at)[0],
            sorted(rebuilt(moment, Outcome), key=lambda each: each.place),
            sorted(rebuilt(moment, Milestone), key=lambda each: (each.due_on, each.code)),
            sorted(signed, key=lambda each: (each.recorded_at, each.document, each.party)),
            sorted(rebuilt(moment, Variation), key=lambda each: each.number),
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

    transfer_id: Annotated[UUID, Field(strict=False)]
    contract_id: Annotated[UUID, Field(strict=False)]
    effective_on: Day
