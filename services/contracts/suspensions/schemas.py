"""Bodies of suspensions."""

from typing import Annotated

from pydantic import Field

from services.contracts.rules.claims import Finding
from services.kernel.bodies import Body, Text


class StopsIn(Body):
    """What stops while the contract rests; what is not named goes on."""

    clock: Annotated[bool, Field(description="Dates move on by the days of rest, within the latest possible end")]
    payments: Annotated[
        bool, Field(description="Nothing is earned until the contract goes on, or after its end is decided")
    ]
    reviews: Annotated[bool, Field(description="No reviews are held")]
    ring_fence: Annotated[bool, Field(description="Results are not kept apart, and the supplier does not answer")]


class SuspensionIn(Body):
    """Why the contract rests, and what stops."""

    reason: Text
    stops: StopsIn


class SuspensionResolutionIn(Body):
    """What becomes of payments that a suspension still kept back when the contract ended."""

    finding: Annotated[Finding, Field(strict=False)]
    reason: Text
