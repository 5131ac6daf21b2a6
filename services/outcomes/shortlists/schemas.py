"""Bodies between contracts and outcomes: a school, trusts, and how near they are to each other."""

from typing import Annotated

from pydantic import BaseModel, Field

from services.kernel.bodies import Body
from services.outcomes.evaluations.schemas import SchoolFacts
from services.outcomes.rules.schools import PhaseCode
from services.outcomes.schemas import Uid, Urn


class ShortlistIn(Body):
    """A school that needs help, and the trusts that may be asked."""

    urn: Urn
    trust_uids: Annotated[list[Uid], Field(max_length=5000)]


class NeedingSchool(SchoolFacts):
    """The school as the register shows it, with its phase in the words of suppliers; null where it does not say."""

    phase_code: PhaseCode | None


class NearTrust(BaseModel):
    """A trust beside a school, over its present, open members; null where no distance is known, never 0."""

    uid: str
    name: str
    kind: str
    status: str
    schools: int
    same_phase_schools: int
    nearest_km: float | None = Field(description="Kilometres as the crow flies")
    nearest_urn: int | None


class ShortlistOut(BaseModel):
    """What is known; null for a school that the register does not have, and no entry for a trust that it lacks."""

    school: NeedingSchool | None
    trusts: list[NearTrust]
