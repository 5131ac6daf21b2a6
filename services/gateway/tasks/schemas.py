"""Bodies about steps."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from services.kernel.bodies import Body, Text


class Outcome(StrEnum):
    """How a step ends."""

    DONE = "done"
    NOT_APPLICABLE = "not_applicable"


class Document(Body):
    """The document of a step; it stays where it is, under its hash."""

    title: Text
    url: Annotated[str, Field(max_length=1000, pattern=r"^https://\S+$", examples=["https://example.org/deed.pdf"])]
    sha256: (
        Annotated[
            str,
            Field(
                pattern=r"^[0-9a-f]{64}$", examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
            ),
        ]
        | None
    ) = None


class CompletionIn(Body):
    """How a step ended; one that is not applicable needs a reason. New identifiers where the step asks for them."""

    status: Annotated[Outcome, Field(strict=False)] = Outcome.DONE
    reason: Text | None = None
    document: Document | None = None
    done_on: Annotated[date, Field(strict=False, examples=["2025-05-12"])] | None = None
    new_urn: Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$", examples=["150123"])] | None = None
    new_laestab: Annotated[str, Field(pattern=r"^[0-9]{7}$", examples=["8884405"])] | None = None

    def identifiers(self) -> dict[str, str]:
        """The new identifiers that were given."""
        given = {"new_urn": self.new_urn, "new_laestab": self.new_laestab}
        return {name: value for name, value in given.items() if value is not None}
