"""Bodies about the hand-over."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from services.gateway.rules.hand_over import TITLES
from services.kernel.bodies import Answer, Body


class AcknowledgementIn(Body):
    """That the package has arrived: under which identifier it is kept there, and the hash of what was received."""

    remote_id: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S", examples=["CMP-2025-0612"])]
    sha256: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{64}$",
            description="The hash in the package that was received",
            examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        ),
    ]


class HandOverOut(Answer):
    """The package, and whether it has arrived: delivered means acknowledged."""

    transfer_id: UUID
    package: dict[str, Any] = Field(
        description="Facts, null where nobody has told: "
        + ", ".join(f"{name} ({title.lower()})" for name, title in TITLES.items())
    )
    sha256: str
    made_at: datetime
    due_at: datetime = Field(description="Not acknowledged by then, it asks for attention")
    acknowledged_at: datetime | None
    remote_id: str | None
