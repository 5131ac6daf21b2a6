"""Bodies of variations and corrections."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from services.contracts.drafts.schemas import ContractIn, Intervention, MilestoneIn, OutcomeIn
from services.contracts.schemas import Day
from services.kernel.bodies import Body, Code, LongText, Pence, Text


class Changes(Body):
    """The terms that change; a list that is given replaces the old one."""

    title: Text | None = None
    ends_on: Day | None = None
    break_points: Annotated[list[Day], Field(max_length=20)] | None = None
    fee_pence: Pence | None = None
    transfer_intended: bool | None = None
    interventions: Annotated[list[Intervention], Field(max_length=50)] | None = None
    outcomes: Annotated[list[OutcomeIn], Field(min_length=1, max_length=20)] | None = None
    outcomes_rationale: LongText | None = None
    milestones: Annotated[list[MilestoneIn], Field(max_length=100)] | None = None

    def on(self, present: ContractIn) -> ContractIn:
        """The terms with these changes."""
        dates = {"ends_on", "break_points"} & self.model_fields_set
        given = {name: getattr(self, name) for name in self.model_fields_set - dates}
        term = present.term.model_copy(update={name: getattr(self, name) for name in dates})
        return present.model_copy(update={**given, "term": term})


class VariationIn(Body):
    """A variation to put to the parties: what changes, from which day on, and why."""

    effective_on: Day
    rationale: LongText
    changes: Changes


class CorrectionIn(Body):
    """A clerical error put right; it changes no term, needs no signature, and is no variation."""

    reason: Text
    title: Text | None = None
    milestone_titles: dict[Code, Text] = {}

    @model_validator(mode="after")
    def corrects(self) -> Self:
        """Something is corrected."""
        if self.title is None and not self.milestone_titles:
            raise ValueError("say what is corrected: title, milestone_titles, or both")
        return self
