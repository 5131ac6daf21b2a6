"""Bodies of the contracts service, as clients see them at the gateway."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.contracts.models import Contract, Milestone, Outcome, Payment, Signature
from services.contracts.rules.life import Role, Status
from services.contracts.rules.milestones import MilestoneStatus
from services.kernel.http import Body
from services.kernel.types import Code, LongText, Pence, Text, plain

Day = Annotated[date, Field(strict=False, examples=["2023-09-01"])]
Urn = Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$", description="Unique reference number", examples=["135816"])]
Uid = Annotated[str, Field(pattern=r"^[0-9]{1,10}$", description="GIAS group UID of a trust", examples=["2059"])]
Share = Annotated[Decimal, Field(gt=0, le=1, max_digits=5, decimal_places=4, strict=False, examples=[0.4])]
Points = Annotated[Decimal, Field(max_digits=12, decimal_places=5, strict=False)]


class LegalRoute(StrEnum):
    """Under which law the contract is made; never assumed."""

    LIGHT_TOUCH = "light_touch"
    GRANT = "grant"
    OTHER = "other"


class TargetMode(StrEnum):
    """How a target is put: as a number to reach, or as a change from the baseline in the measure's unit."""

    ABSOLUTE = "absolute"
    CHANGE = "change"


class MilestoneKind(StrEnum):
    """What a milestone is about."""

    MOBILISATION = "mobilisation"
    DELIVERY = "delivery"
    REVIEW = "review"
    OUTCOME = "outcome"
    FINANCE = "finance"
    TRANSITION = "transition"


class Term(Body):
    """First and last day of the contract; both belong to it."""

    starts_on: Day
    ends_on: Day


class Target(Body):
    """What is to be reached, in the measure's unit (percent, points)."""

    mode: Annotated[TargetMode, Field(strict=False)]
    value: Points


class Intervention(Body):
    """What the supplier will do."""

    code: Code
    title: Text


class OutcomeIn(Body):
    """An outcome to agree: a DfE measure, its target, its weight, and what it pays between floor and full."""

    code: Code
    measure: Annotated[str, Field(pattern=r"^[A-Z0-9_]{3,40}$", examples=["ABS_PA"])]
    weight: Share
    critical: bool = False
    target: Target
    payment_pence: Pence = 0
    floor: Points | None = None
    full: Points | None = None


class MilestoneIn(Body):
    """A milestone to agree."""

    code: Code
    title: Text
    kind: Annotated[MilestoneKind, Field(strict=False)]
    due_on: Day
    required: bool = True
    payment_pence: Pence = 0


class ContractIn(Body):
    """A contract to draft. The school and the trust are checked against GIAS as ingested."""

    title: Text
    school_urn: Urn
    supplier_uid: Uid
    legal_route: Annotated[LegalRoute, Field(strict=False)]
    term: Term
    fee_pence: Pence
    transfer_intended: bool
    interventions: Annotated[list[Intervention], Field(max_length=50)] = []
    outcomes: Annotated[list[OutcomeIn], Field(min_length=1, max_length=20)]
    outcomes_rationale: LongText | None = None
    milestones: Annotated[list[MilestoneIn], Field(max_length=100)] = []


class ContractPatch(Body):
    """Changes to a draft; a list that is given replaces the old one."""

    title: Text | None = None
    legal_route: Annotated[LegalRoute | None, Field(strict=False)] = None
    term: Term | None = None
    fee_pence: Pence | None = None
    transfer_intended: bool | None = None
    interventions: Annotated[list[Intervention], Field(max_length=50)] | None = None
    outcomes: Annotated[list[OutcomeIn], Field(min_length=1, max_length=20)] | None = None
    outcomes_rationale: LongText | None = None
    milestones: Annotated[list[MilestoneIn], Field(max_length=100)] | None = None

    def on(self, draft: ContractIn) -> ContractIn:
        """The draft with these changes."""
        return draft.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})


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


class Answer(BaseModel):
    """Base of answers built from rows."""

    model_config = ConfigDict(from_attributes=True)


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


class PaymentOut(Answer):
    """One part of the contract's value; `due_on` is set once it is earned."""

    id: UUID
    contract_id: UUID
    kind: str
    code: str
    amount_pence: int
    status: str
    reason_code: str | None
    earned_on: date | None
    due_on: date | None


class TermOut(Answer):
    """First and last day of the contract, and the day on which it in fact ended, when that was another."""

    starts_on: date
    ends_on: date
    ended_on: date | None


DECIDED = {"status", "decided_on", "record_id"}
JUDGED = {"code", "measure", "weight", "critical", "target", "baseline"}


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

    def as_draft(self) -> ContractIn:
        """The terms of this contract as they were sent in."""
        return ContractIn.model_validate(
            {
                **{name: getattr(self, name) for name in ("title", "legal_route", "fee_pence", "transfer_intended")},
                "school_urn": self.school["urn"],
                "supplier_uid": self.supplier["uid"],
                "term": {"starts_on": self.term.starts_on, "ends_on": self.term.ends_on},
                "interventions": self.interventions,
                "outcomes": [each.model_dump(exclude={"domain", "baseline"}) for each in self.outcomes],
                "outcomes_rationale": self.outcomes_rationale,
                "milestones": [each.model_dump(exclude=DECIDED) for each in self.milestones],
            },
            strict=False,
        )

    def to_evaluate(self, asked: "EvaluationIn", actor: dict[str, Any]) -> dict[str, Any]:
        """What the outcomes service needs in order to judge this contract."""
        wanted: dict[str, Any] = plain(
            {
                "contract_id": self.id,
                "school_urn": self.school["urn"],
                "supplier_uid": self.supplier["uid"],
                "organisation": self.commissioner["organisation"],
                "starts_on": self.term.starts_on,
                "ends_on": self.term.ended_on or self.term.ends_on,
                "outcomes": [each.model_dump(include=JUDGED) for each in self.outcomes],
                "academic_year": asked.academic_year,
                "run": asked.run,
                "requested_by": actor,
            }
        )
        return wanted


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


class Paging(BaseModel):
    """Where the next page begins; null at the end."""

    next: str | None


class ContractPage(BaseModel):
    """A page of contracts."""

    data: list[ContractOut]
    paging: Paging


class MilestonePage(BaseModel):
    """The milestones of a contract."""

    data: list[MilestoneOut]
    paging: Paging


class PaymentPage(BaseModel):
    """A page of payments."""

    data: list[PaymentOut]
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


class TransferredIn(Body):
    """A completed transfer, to close the contract with."""

    contract_id: Annotated[UUID, Field(strict=False)]
    effective_on: Day


class EvaluationIn(Body):
    """Which year's results to judge, and whether the verdict is interim or final."""

    academic_year: Annotated[str, Field(pattern=r"^20[0-9]{2}/[0-9]{2}$", examples=["2023/24"])]
    run: Annotated[str, Field(pattern=r"^(interim|final)$", examples=["final"])]


def payment_out(row: Payment) -> PaymentOut:
    """The payment of this row."""
    return PaymentOut.model_validate(row)
