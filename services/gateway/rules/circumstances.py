"""What decides which steps apply to a school: its faith, its land, its pupils; as far as registers tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.gateway.rules.transfer import of_faith


class Circumstance(StrEnum):
    """A circumstance on which steps depend."""

    FAITH = "faith"
    FOUNDATION_LAND = "foundation_land"
    LOCAL_AUTHORITY_LAND = "local_authority_land"
    NURSERY = "nursery"
    HIGH_NEEDS_PLACES = "high_needs_places"
    PFI = "pfi"
    FRESH_START = "fresh_start"
    OUTGOING_TRUST_CLOSES = "outgoing_trust_closes"


@dataclass(frozen=True, slots=True)
class Known:
    """Whether a circumstance holds (None: nobody has told), who says so, and in which words."""

    held: bool | None
    source: str
    detail: str


UNTOLD = Known(None, "nobody", "Neither the contract nor GIAS tells; the owner of the step decides.")
TRUSTEES_LAND = ("voluntary aided", "voluntary controlled", "foundation")
NO_NURSERY = frozenset({"secondary", "middle deemed secondary", "16 plus"})


def circumstances(
    school: Mapping[str, Any], inspections: Mapping[str, Any] | None, members: int | None
) -> dict[Circumstance, Known]:
    """What GIAS, and inspections, tell of a school on its way; `members` counts the schools of the trust it leaves.

    A trust with one school left is taken to close with it; one with more is not.
    """
    character, kind, phase = school["religious_character"], school["kind"], school["phase"]
    faith = Known(of_faith(character), "GIAS", f"Religious character: {character or 'none'}.")
    said = kind.lower()
    land = f"Type of establishment: {kind}."
    found = dict.fromkeys(Circumstance, UNTOLD) | {Circumstance.FAITH: faith}
    if said.startswith(("community", *TRUSTEES_LAND)):
        found[Circumstance.FOUNDATION_LAND] = Known(said.startswith(TRUSTEES_LAND), "GIAS", land)
    if said.startswith("community"):
        found[Circumstance.LOCAL_AUTHORITY_LAND] = Known(True, "GIAS", land)
    if "special" in said:
        found[Circumstance.HIGH_NEEDS_PLACES] = Known(True, "GIAS", land)
    if phase.lower() in {"nursery", *NO_NURSERY}:
        found[Circumstance.NURSERY] = Known(phase.lower() == "nursery", "GIAS", f"Phase: {phase}.")
    if inspections and inspections["stuck"] is not None:
        words = "Inspections: " + ("stuck below Good." if inspections["stuck"] else "not stuck below Good.")
        found[Circumstance.FRESH_START] = Known(inspections["stuck"], "Ofsted", words)
    if members is not None:
        words = f"Schools of the outgoing trust: {members}."
        found[Circumstance.OUTGOING_TRUST_CLOSES] = Known(members <= 1, "GIAS", words)
    return found
