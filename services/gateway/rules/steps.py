"""Steps of a transfer: who does each, what comes first, and what a list makes of a school's circumstances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.gateway.rules.circumstances import Circumstance, Known
from services.gateway.rules.transfer import Role
from services.kernel.errors import DomainError, Forbidden, Unprocessable


class Section(StrEnum):
    """Parts of a task list, in their order."""

    KICK_OFF = "kick_off"
    LEGAL = "legal"
    READY = "ready"
    THE_DAY = "the_day"
    AFTER = "after"


class Actor(StrEnum):
    """Who does a step, in the field's words (DOMAIN.md 6.4)."""

    DELIVERY_OFFICER = "delivery_officer"
    REGIONAL_DIRECTOR = "regional_director"
    SOPU = "schools_operational_practice_unit"
    SIGNATORY = "secretary_of_state"
    INCOMING_TRUST = "incoming_trust"
    OUTGOING_TRUST = "outgoing_trust"
    GOVERNING_BODY = "governing_body"
    LOCAL_AUTHORITY = "local_authority"
    SYSTEM = "system"


OWNERS: dict[Actor, Role] = {
    Actor.DELIVERY_OFFICER: Role.COMMISSIONER,
    Actor.REGIONAL_DIRECTOR: Role.COMMISSIONER,
    Actor.SOPU: Role.COMMISSIONER,
    Actor.SIGNATORY: Role.COMMISSIONER,
    Actor.INCOMING_TRUST: Role.SUPPLIER,
    Actor.OUTGOING_TRUST: Role.RESPONSIBLE_BODY,
    Actor.GOVERNING_BODY: Role.RESPONSIBLE_BODY,
    Actor.LOCAL_AUTHORITY: Role.RESPONSIBLE_BODY,
    Actor.SYSTEM: Role.WORKER,
}
"""In which capacity each actor comes to the API; an authority answers as the school's responsible body."""
ACTS_FOR: dict[Role, frozenset[Role]] = {
    **{role: frozenset({role}) for role in Role},
    Role.COMMISSIONER: frozenset({Role.COMMISSIONER, Role.DFE}),
}
"""Who finishes the steps of an owner: DfE's own systems act for its officers, units and signatories too."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step; `gate` holds the day back until conditions of consents are met too, `asks` names what must be answered.

    A step that `applies` under a circumstance is mandatory where it holds, not applicable where it does not, and its
    owner's to decide where nobody has told. `formerly` names it in earlier versions of the list.
    """

    key: str
    title: str
    section: Section
    actor: Actor
    document: str | None = None
    depends_on: tuple[str, ...] = ()
    optional: bool = False
    gate: bool = False
    applies: Circumstance | None = None
    asks: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()

    @property
    def owner(self) -> Role:
        """Whose step it is."""
        return OWNERS[self.actor]


CHECK, MEMBERSHIP, FREEZE = "check_ground", "open_membership", "freeze_contract"
"""Acts of the day; the second is the point of no return, the third completes the transfer."""
THE_DAY = (
    Step(CHECK, "Check that every condition still holds", Section.THE_DAY, Actor.SYSTEM),
    Step(
        MEMBERSHIP,
        "Close the ring-fence, open the membership, add identifiers",
        Section.THE_DAY,
        Actor.SYSTEM,
        depends_on=(CHECK,),
    ),
    Step(
        FREEZE,
        "Freeze the contract as transferred",
        Section.THE_DAY,
        Actor.SYSTEM,
        depends_on=(MEMBERSHIP,),
    ),
)
"""What the system does on the effective date, in this order."""
HAND_OVER = Step(
    "hand_over",
    "Hand-over package received",
    Section.AFTER,
    Actor.SYSTEM,
    document="Hand-over package",
    depends_on=(FREEZE,),
)


@dataclass(frozen=True, slots=True)
class Prefilled:
    """How a step begins: open, or not applicable by what is known; and whether its owner may say so."""

    status: str
    optional: bool
    known: Known | None


def prefilled(step: Step, found: Mapping[Circumstance, Known]) -> Prefilled:
    """How a step begins under these circumstances."""
    if step.applies is None:
        return Prefilled("open", step.optional, None)
    known = found[step.applies]
    return Prefilled("not_applicable" if known.held is False else "open", known.held is not True, known)


class StepLocked(DomainError):
    """Another step has to be finished first."""

    code = "step_locked"
    title = "Something else comes first"


class StepFinished(DomainError):
    """The step was finished before, in another way."""

    code = "step_finished"
    title = "The step is finished"


class StepOpen(DomainError):
    """A step that is not finished cannot be opened again."""

    code = "step_open"
    title = "The step is open"


class NotTheirStep(Forbidden):
    """Another party owns the step."""

    code = "not_your_step"
    title = "Another party does this step"


class StepNotOptional(DomainError):
    """A mandatory step cannot be declared not applicable."""

    code = "step_mandatory"
    title = "The step is mandatory"


class BadAnswer(Unprocessable):
    """The answer lacks what the step asks for, or holds what it does not."""

    code = "bad_answer"
    title = "The answer does not fit the step"


def waiting_for(depends_on: Sequence[str], statuses: Mapping[str, str]) -> list[str]:
    """The steps that have to be finished first."""
    return [key for key in depends_on if statuses[key] == "open"]


def shown_status(status: str, depends_on: Sequence[str], statuses: Mapping[str, str]) -> str:
    """The status as it is shown: an open step that waits for another one is locked."""
    return "locked" if status == "open" and waiting_for(depends_on, statuses) else status


def check_owner(owner: Role, role: Role) -> None:
    """Raise NotTheirStep unless `role` acts for the owner."""
    if role not in ACTS_FOR[owner]:
        raise NotTheirStep(f"This step is for the {owner}.")


def check_completion(
    *, owner: Role, role: Role, status: str, optional: bool, applicable: bool, waiting: Sequence[str]
) -> None:
    """Raise unless `role` may finish this step now, as done or as not applicable."""
    check_owner(owner, role)
    if status != "open":
        raise StepFinished(f"The step is {status} already.")
    if waiting:
        raise StepLocked(f"Finish first: {', '.join(waiting)}.", waiting_for=list(waiting))
    if not applicable and not optional:
        raise StepNotOptional("A mandatory step cannot be declared not applicable.")


def check_reopening(*, owner: Role, role: Role, status: str, followers: Mapping[str, str]) -> None:
    """Raise unless `role` may open a finished step again: nothing that was done after it rests on it.

    `followers` are the steps that depend on it, with their statuses.
    """
    check_owner(owner, role)
    if status == "open":
        raise StepOpen("The step has not been finished.")
    done = [key for key, each in followers.items() if each == "done"]
    if done:
        raise StepLocked(f"Open first what rests on it: {', '.join(done)}.", waiting_for=done)


MAY_BE_LEFT_OUT = frozenset({"new_laestab"})
"""A school can keep its number at the local authority while it gets a new URN."""


def check_answer(asks: Sequence[str], given: Mapping[str, str], old_urn: int, *, done: bool) -> None:
    """Raise BadAnswer unless exactly what the step asks for is answered, and a new URN is another than the old one."""
    missing = [name for name in asks if done and name not in given and name not in MAY_BE_LEFT_OUT]
    if missing:
        raise BadAnswer(f"The step asks for {', '.join(missing)}.", errors=[{"pointer": f"/{missing[0]}"}])
    extra = sorted(given.keys() - set(asks if done else ()))
    if extra:
        raise BadAnswer(f"The step does not ask for {', '.join(extra)}.", errors=[{"pointer": f"/{extra[0]}"}])
    if given.get("new_urn") == str(old_urn):
        raise BadAnswer("The new URN is the old one.", errors=[{"pointer": "/new_urn"}])
