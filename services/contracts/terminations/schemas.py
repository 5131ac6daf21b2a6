"""Bodies of terminations."""

from typing import Annotated

from pydantic import Field

from services.contracts.rules.termination import Ground
from services.contracts.schemas import Day
from services.kernel.bodies import Body, LongText, Text


class HandBackIn(Body):
    """What the supplier hands back to the responsible body, and by when."""

    due_on: Day
    items: Annotated[list[Text], Field(min_length=1, max_length=50, examples=[["Keys and records", "Staff access"]])]


class TerminationIn(Body):
    """On which ground the contract ends early, and its last day; without one, it ends today.

    By agreement it ends once every party has signed; until then it is a variation that waits for signatures.
    """

    ground: Annotated[Ground, Field(strict=False)]
    reason: Text
    ends_on: Day | None = None
    hand_back: HandBackIn | None = None


class HandedBackIn(Body):
    """The hand-back is done."""

    done_on: Day
    note: LongText | None = None
