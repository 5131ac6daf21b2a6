"""Who may be party to a contract: schools and trusts as GIAS shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.kernel.errors import DomainError, Unprocessable


@dataclass(frozen=True, slots=True)
class School:
    """The school as GIAS shows it when the contract is drafted."""

    urn: int
    name: str
    status: str
    region: str
    la_code: str
    la_name: str
    kind_group: str
    trust_uid: str | None
    trust_name: str | None
    school_id: str | None = None
    present_urn: int | None = None
    pupils: int | None = None
    phase: str | None = None
    ukprn: str | None = None
    religious_character: str | None = None
    closed_on: str | None = None
    identifiers: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust as GIAS shows it when the contract is drafted."""

    uid: str
    name: str
    kind: str
    status: str
    companies_house_number: str | None
    ukprn: str | None
    group_id: str | None = None


class UnknownSchool(Unprocessable):
    """GIAS, as ingested, has no establishment with this URN."""

    code = "unknown_school"
    title = "No such school"


class UnknownTrust(Unprocessable):
    """GIAS, as ingested, has no trust with this UID."""

    code = "unknown_trust"
    title = "No such trust"


class UnsuitableParty(DomainError):
    """The school or the trust exists but cannot be party to this contract."""

    code = "unsuitable_party"
    title = "The school or trust cannot be a party"


class SchoolInTrust(DomainError):
    """A trust is not contracted for its own school."""

    code = "school_in_trust"
    title = "The school is already in that trust"


class OutOfArea(DomainError):
    """The school lies outside the area for which the commissioner acts."""

    status = 403
    code = "out_of_area"
    title = "Outside your area"


def check_trust(uid: str, trust: Trust | None) -> Trust:
    """The trust, once it is sure that it exists and is one that can be a supplier: open, of several academies."""
    if trust is None:
        raise UnknownTrust(f"No trust with UID {uid} in the GIAS releases ingested.", supplier_uid=uid)
    if trust.status != "open" or trust.kind != "multi_academy_trust":
        raise UnsuitableParty(f"{trust.name} ({uid}) is not an open multi-academy trust in GIAS.", supplier_uid=uid)
    return trust


def check_school(urn: str, school: School | None) -> School:
    """The school, once it is sure that it exists and is open."""
    if school is None:
        raise UnknownSchool(f"No establishment with URN {urn} in the GIAS releases ingested.", school_urn=urn)
    if school.status not in {"open", "open_proposed_to_close"}:
        raise UnsuitableParty(f"{school.name} ({urn}) is {school.status} in GIAS.", school_urn=urn)
    return school


def check_parties(urn: str, school: School | None, uid: str, trust: Trust | None) -> tuple[School, Trust]:
    """The parties, once it is sure that they exist, are open and do not already belong together."""
    found, supplier = check_school(urn, school), check_trust(uid, trust)
    if found.trust_uid == supplier.uid:
        words = f"{found.name} ({urn}) is already in {supplier.name}."
        raise SchoolInTrust(words, school_urn=urn, supplier_uid=uid)
    return found, supplier


def check_area(school: School, regions: Sequence[str], la_codes: Sequence[str]) -> None:
    """Raise OutOfArea unless the school lies in one of the regions or local authorities; none given: national."""
    if (regions or la_codes) and school.region not in regions and school.la_code not in la_codes:
        raise OutOfArea(f"{school.name} lies in {school.la_name}, {school.region}, outside the area you act for.")
