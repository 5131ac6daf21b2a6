"""Bodies of consents."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from services.gateway.rules.transfer import Body as ConsentBody
from services.gateway.rules.transfer import Decision
from services.gateway.transfers.schemas import Day, ToldFacts
from services.kernel.bodies import Body, Text

EXAMPLE: dict[str, Any] = {
    "by": "rsc",
    "decision": "approved_with_conditions",
    "conditions": ["The deficit of the outgoing trust is settled"],
    "decided_on": "2025-03-21",
    "directive_academy_order": False,
    "financial_reasons": True,
    "safeguarding_reasons": False,
    "governance_reasons": False,
    "prepare_id": 2187,
    "project_group": "GRP_00000042",
}


class ConsentIn(ToldFacts, Body):
    """A decision of one of the bodies whose consent is needed; facts for the hand-over with the RSC's only."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    by: Annotated[ConsentBody, Field(strict=False)]
    decision: Annotated[Decision, Field(strict=False)]
    conditions: Annotated[
        list[Text], Field(max_length=20, description="With approved_with_conditions: what must be met before the day")
    ] = []
    until: Annotated[Day | None, Field(description="With deferred: the day until which the decision is put off")] = None
    decided_on: Day


class FulfilmentIn(Body):
    """That a condition of a consent has been met."""

    fulfilled_on: Day
    note: Text | None = None
