"""Bodies of disputes."""

from typing import Annotated

from pydantic import Field

from services.contracts.claims.schemas import ItemIn, SignedIn
from services.contracts.rules.claims import Finding
from services.kernel.bodies import Text


class DisputeIn(SignedIn):
    """What is disputed and why; the rest of the claim goes on as a claim of its own. Without items, all of it."""

    reason: Text
    items: Annotated[list[ItemIn], Field(min_length=1, max_length=200)] | None = None


class ResolutionIn(SignedIn):
    """How a dispute ended: the claim goes on where it stood, or it is rejected and may be made anew."""

    finding: Annotated[Finding, Field(strict=False)]
    reason: Text
