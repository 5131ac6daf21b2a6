"""Bodies of drafts: what is to be agreed, and changes to it."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from services.contracts.schemas import ContractOut, Day, LegalRoute, MilestoneKind, Uid, Urn
from services.kernel.bodies import Body, Code, LongText, Pence, Text

Share = Annotated[Decimal, Field(gt=0, le=1, max_digits=5, decimal_places=4, strict=False, examples=[0.4])]
Points = Annotated[Decimal, Field(max_digits=12, decimal_places=5, strict=False)]


class TargetMode(StrEnum):
    """How a target is put, in the measure's unit unless said otherwise.

    A number to reach; a change from the baseline; a change from the baseline on top of that of matched schools; or the
    percentile of matched schools to reach, where 75 means as good as the best quarter.
    """

    ABSOLUTE = "absolute"
    CHANGE = "change"
    RELATIVE = "relative"
    PERCENTILE = "percentile"


NOTICE_DAYS = 90
"""Notice for leaving without a reason, where the contract says nothing else."""


class Term(Body):
    """First and last day of the contract, both part of it, how far it can be extended, and how it can be left early."""

    starts_on: Day
    ends_on: Day
    latest_ends_on: Annotated[
        Day | None, Field(description="The last day that any extension can reach; without it, the end")
    ] = None
    break_points: Annotated[
        list[Day], Field(max_length=20, description="Days on which the supplier too may leave, with notice")
    ] = []
    notice_days: Annotated[int, Field(ge=0, le=365, description="Days of notice for convenience")] = NOTICE_DAYS


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
    floor: Annotated[Points | None, Field(description="Added value at which payment begins")] = None
    full: Annotated[Points | None, Field(description="Added value at which payment is full")] = None
    trajectory: Annotated[
        list[Annotated[float, Field(ge=0, le=1)]] | None,
        Field(min_length=1, max_length=7, description="Share of the way to be gone by each year", examples=[[0.25, 1]]),
    ] = None


class MilestoneIn(Body):
    """A milestone to agree."""

    code: Code
    title: Text
    kind: Annotated[MilestoneKind, Field(strict=False)]
    due_on: Day
    required: bool = True
    payment_pence: Pence = 0
    depends_on: Annotated[
        list[Code], Field(max_length=20, description="Milestones to be met before this one pays")
    ] = []
    evidence_asked: Annotated[LongText | None, Field(description="What shows that it was met")] = None


class ContractIn(Body):
    """A contract to draft. The school and the trust are checked against GIAS as ingested."""

    title: Text
    school_urn: Urn
    supplier_uid: Uid
    legal_route: Annotated[LegalRoute, Field(strict=False)]
    legal_route_detail: Annotated[
        Text | None, Field(description="Under which law, where the route is none of the named ones")
    ] = None
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
    legal_route_detail: Text | None = None
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


DECIDED = {"status", "timing", "decided_on", "record_id"}
"""What a milestone has that its promise does not."""


ALIKE = ("title", "legal_route", "legal_route_detail", "fee_pence", "transfer_intended")


def as_draft(contract: ContractOut) -> ContractIn:
    """The terms of a contract as they were sent in."""
    return ContractIn.model_validate(
        {
            **{name: getattr(contract, name) for name in ALIKE},
            "school_urn": contract.school["urn"],
            "supplier_uid": contract.supplier["uid"],
            "term": contract.term.model_dump(exclude={"ended_on"}),
            "interventions": contract.interventions,
            "outcomes": [each.model_dump(exclude={"domain", "baseline", "comparators"}) for each in contract.outcomes],
            "outcomes_rationale": contract.outcomes_rationale,
            "milestones": [each.model_dump(exclude=DECIDED) for each in contract.milestones],
        },
        strict=False,
    )
