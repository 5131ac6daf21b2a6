"""The task lists of a transfer, as values: one for a school that converts, one for an academy that changes trust."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.gateway.rules.transfer import Role, Route
from services.kernel.errors import DomainError, Forbidden

TEMPLATE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Step:
    """A step; `gate` must be finished before the day itself, `optional` may be declared not applicable."""

    key: str
    title: str
    section: str
    owner: Role
    depends_on: tuple[str, ...] = ()
    gate: bool = False
    optional: bool = False


THE_DAY = (
    Step("open_membership", "Close the ring-fence and open the membership", "the_day", Role.WORKER),
    Step("freeze_contract", "Freeze the contract as transferred", "the_day", Role.WORKER, ("open_membership",)),
)
"""What the system does on the effective date; the first of them is the point of no return."""

CONVERSION = (
    Step("stakeholder_kick_off", "External stakeholder kick-off", "kick_off", Role.COMMISSIONER),
    Step("land_questionnaire", "Land questionnaire and title plans", "legal", Role.SUPPLIER),
    Step(
        "supplemental_funding_agreement",
        "Supplemental funding agreement",
        "legal",
        Role.SUPPLIER,
        ("land_questionnaire",),
    ),
    Step("church_supplemental_agreement", "Church supplemental agreement", "legal", Role.SUPPLIER, optional=True),
    Step("commercial_transfer_agreement", "Commercial transfer agreement", "legal", Role.RESPONSIBLE_BODY),
    Step("tupe_consultation", "TUPE consultation of staff", "ready", Role.RESPONSIBLE_BODY),
    Step(
        "all_conditions_met",
        "All conditions met",
        "ready",
        Role.COMMISSIONER,
        ("supplemental_funding_agreement", "commercial_transfer_agreement", "tupe_consultation"),
        gate=True,
    ),
)
TRUST_TO_TRUST = (
    Step("stakeholder_kick_off", "External stakeholder kick-off", "kick_off", Role.COMMISSIONER),
    Step("form_m", "Form M and title plans", "legal", Role.RESPONSIBLE_BODY, optional=True),
    Step("land_consent_letter", "Land consent letter", "legal", Role.COMMISSIONER, ("form_m",), optional=True),
    Step("deed_of_novation", "Deed of novation and variation", "legal", Role.SUPPLIER),
    Step("commercial_transfer_agreement", "Commercial transfer agreement", "legal", Role.RESPONSIBLE_BODY),
    Step("incoming_trust_ready", "Incoming trust has completed all actions", "ready", Role.SUPPLIER),
    Step(
        "authority_to_proceed",
        "Authority to proceed",
        "ready",
        Role.COMMISSIONER,
        ("deed_of_novation", "commercial_transfer_agreement", "incoming_trust_ready"),
        gate=True,
    ),
)
TEMPLATES: dict[Route, tuple[Step, ...]] = {
    Route.CONVERSION: CONVERSION + THE_DAY,
    Route.TRUST_TO_TRUST: TRUST_TO_TRUST + THE_DAY,
}
"""After DfE's task lists for conversions and transfers: their mandatory spine (DOMAIN.md 6.2 and 6.3)."""


class StepLocked(DomainError):
    """Another step has to be finished first."""

    code = "step_locked"
    title = "Another step comes first"


class StepFinished(DomainError):
    """The step was finished before, in another way."""

    code = "step_finished"
    title = "The step is finished"


class NotTheirStep(Forbidden):
    """Another party owns the step."""

    code = "not_your_step"
    title = "Another party does this step"


class StepNotOptional(DomainError):
    """A mandatory step cannot be declared not applicable."""

    code = "step_mandatory"
    title = "The step is mandatory"


def waiting_for(depends_on: Sequence[str], statuses: Mapping[str, str]) -> list[str]:
    """The steps that have to be finished first."""
    return [key for key in depends_on if statuses[key] == "open"]


def shown_status(status: str, depends_on: Sequence[str], statuses: Mapping[str, str]) -> str:
    """The status as it is shown: an open step that waits for another one is locked."""
    return "locked" if status == "open" and waiting_for(depends_on, statuses) else status


def check_completion(
    *, owner: Role, role: Role, status: str, optional: bool, applicable: bool, waiting: Sequence[str]
) -> None:
    """Raise unless `role` may finish this step now, as done or as not applicable."""
    if role is not owner:
        raise NotTheirStep(f"This step is for the {owner}.")
    if status != "open":
        raise StepFinished(f"The step is {status} already.")
    if waiting:
        raise StepLocked(f"Finish first: {', '.join(waiting)}.", waiting_for=list(waiting))
    if not applicable and not optional:
        raise StepNotOptional("A mandatory step cannot be declared not applicable.")
