"""Bodies of offers and of signatures under them."""

from typing import Annotated

from pydantic import Field

from services.contracts.rules.life import Role
from services.contracts.schemas import Day
from services.kernel.bodies import Body, Text


class SignatureIn(Body):
    """A party's signature under the offer as it stands."""

    party: Annotated[
        Role, Field(strict=False, json_schema_extra={"enum": ["commissioner", "supplier", "responsible_body"]})
    ]
    signed_by: Text
    role: Text
    signed_on: Day


class OfferIn(Body):
    """How long the offer stands; without it, until the first day of the term."""

    lapses_on: Annotated[Day | None, Field(description="The last day on which the offer can be signed")] = None
