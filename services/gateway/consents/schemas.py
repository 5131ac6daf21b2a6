"""Bodies of consents."""

from typing import Annotated

from pydantic import Field

from services.gateway.rules.transfer import Body as ConsentBody
from services.gateway.rules.transfer import Decision
from services.gateway.transfers.schemas import Day
from services.kernel.bodies import Body, Text


class ConsentIn(Body):
    """A decision of one of the bodies whose consent is needed."""

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
