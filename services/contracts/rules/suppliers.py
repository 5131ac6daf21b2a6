"""The register of suppliers: who writes it, who sees what, and what keeps a trust from new contracts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.contracts.rules.life import MoveNotAllowed, NotTheirMove, Role, advanced
from services.kernel.errors import DomainError, Unprocessable


class SupplierStatus(StrEnum):
    """Whether a registered trust may enter into new contracts."""

    REGISTERED = "registered"
    SUSPENDED = "suspended"


class SupplierMove(StrEnum):
    """What can happen to a supplier's place on the register."""

    SUSPEND = "suspend"
    REINSTATE = "reinstate"


class MatterKind(StrEnum):
    """What may stand against a supplier: a concern about how it is run, or a conflict of interest."""

    CONCERN = "concern"
    CONFLICT = "conflict"


class Phase(StrEnum):
    """What sort of school a supplier offers to help."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    ALL_THROUGH = "all_through"
    SPECIAL = "special"
    ALTERNATIVE_PROVISION = "alternative_provision"
    POST_16 = "16_plus"


OVERSEERS = frozenset({Role.COMMISSIONER, Role.DFE})
"""Who keeps the register, beside the suppliers themselves."""
TABLE: dict[SupplierStatus, dict[SupplierMove, SupplierStatus]] = {
    SupplierStatus.REGISTERED: {SupplierMove.SUSPEND: SupplierStatus.SUSPENDED},
    SupplierStatus.SUSPENDED: {SupplierMove.REINSTATE: SupplierStatus.REGISTERED},
}
MAY: dict[SupplierMove, frozenset[Role]] = {SupplierMove.SUSPEND: OVERSEERS, SupplierMove.REINSTATE: OVERSEERS}


@dataclass(frozen=True, slots=True)
class Standing:
    """A trust as the register has it: `status` None where it is not there; the kinds of matters that are live."""

    uid: str
    name: str
    status: SupplierStatus | None
    since: date | None
    matters: Collection[MatterKind]


class NotRegistered(DomainError):
    """The trust has not declared what it can carry."""

    code = "supplier_not_registered"
    title = "Not on the register of suppliers"


class SupplierSuspended(DomainError):
    """The trust is kept from new contracts for the time being; those that it has go on."""

    code = "supplier_suspended"
    title = "Suspended from new contracts"


class LiveConcern(DomainError):
    """Something about the trust worries a commissioner or DfE and has not been resolved."""

    code = "live_concern"
    title = "A concern about the supplier is not resolved"


class ConflictOfInterest(DomainError):
    """The trust has an interest in the school, or in commissioning itself, that has not been resolved."""

    code = "conflict_of_interest"
    title = "A conflict of interest is not resolved"


class NotAvailable(DomainError):
    """Something stands against the trust that this caller is not told of."""

    code = "supplier_not_available"
    title = "Not available for a new contract"


class BadMatter(Unprocessable):
    """The days of a matter contradict each other or the calendar."""

    code = "bad_matter"
    title = "The matter breaks a rule"


def moved(status: SupplierStatus, move: SupplierMove, role: Role) -> SupplierStatus:
    """The status after `move` by `role`; raises NotTheirMove (who may) or MoveNotAllowed (when may it)."""
    return advanced("a supplier", TABLE, MAY, status, move, role)


def check_writer(role: Role, *, own: bool) -> None:
    """Raise NotTheirMove unless `role` may write the entry; `own` says whether it is the caller's own trust's."""
    if role not in OVERSEERS and not (role is Role.SUPPLIER and own):
        raise NotTheirMove("An entry is written by the trust itself, by a commissioner or by DfE.")


def sees_matters(role: Role, *, own: bool) -> bool:
    """Whether matters about a supplier are this caller's to see; the system itself sees them too."""
    return role in OVERSEERS | {Role.CLOCK} or (role is Role.SUPPLIER and own)


def check_raise(role: Role, kind: MatterKind) -> None:
    """Raise NotTheirMove unless `role`, which sees matters, may raise one of this kind."""
    if role not in OVERSEERS and kind is not MatterKind.CONFLICT:
        raise NotTheirMove("A supplier declares its own conflicts of interest; concerns are for others to raise.")


def check_resolve(role: Role, *, resolved: bool) -> None:
    """Raise unless `role` may resolve a matter (who) that has not been resolved (when)."""
    if role not in OVERSEERS:
        raise NotTheirMove("Matters are resolved by a commissioner or by DfE.")
    if resolved:
        raise MoveNotAllowed("This matter has been resolved already.", status_now="resolved", allowed=[])


def check_days(raised_on: date, resolved_on: date | None, today: date) -> None:
    """Raise BadMatter when a matter is resolved before it was raised, or either day is still to come."""
    if raised_on > today:
        raise BadMatter("What is raised was seen by today.", errors=[{"pointer": "/raised_on"}])
    if resolved_on is not None and not raised_on <= resolved_on <= today:
        words = f"A matter raised on {raised_on} is resolved on that day or later, and not in the future."
        raise BadMatter(words, errors=[{"pointer": "/resolved_on"}])


def offers_phase(phases: Collection[Phase], wanted: Phase) -> bool:
    """Whether a supplier offers to help a school of this phase: primary and secondary make all-through."""
    both = Phase.PRIMARY in phases and Phase.SECONDARY in phases
    return wanted in phases or (wanted is Phase.ALL_THROUGH and both)


def obstacles(standing: Standing, *, told: bool) -> list[DomainError]:
    """What keeps the trust from a new contract; `told` says whether the caller may know of matters."""
    if standing.status is None:
        words = f"{standing.name} has to declare first what it can carry: PUT /v1/suppliers/{standing.uid}."
        return [NotRegistered(words, supplier_uid=standing.uid)]
    found: list[DomainError] = []
    if standing.status is SupplierStatus.SUSPENDED:
        words = f"{standing.name} has been suspended from new contracts since {standing.since}."
        found.append(SupplierSuspended(words, since=standing.since.isoformat() if standing.since else None))
    if standing.matters and not told:
        found.append(NotAvailable(f"{standing.name} is not available at present; the commissioner knows why."))
        return found
    if MatterKind.CONCERN in standing.matters:
        found.append(LiveConcern(f"A concern about {standing.name} has to be resolved first."))
    if MatterKind.CONFLICT in standing.matters:
        found.append(ConflictOfInterest(f"{standing.name} has a conflict of interest that has to be resolved first."))
    return found
