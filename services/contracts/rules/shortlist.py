"""Which suppliers might help a school best: four parts between 0 and 1, weighed, each with its figures and reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.contracts.rules.capacity import Capacity, Load
from services.contracts.rules.suppliers import Phase, offers_phase
from services.contracts.rules.terms import BadTerms, anniversary, check_term
from services.contracts.rules.track_record import TrackRecord
from services.kernel.errors import DomainError

WEIGHTS: Mapping[str, float] = {"phase": 0.3, "distance": 0.2, "capacity": 0.2, "track_record": 0.3}
"""How much each part counts; together 1."""
HALF_KM = 50.0
"""At this distance a supplier gets half of what distance can give."""
HALF_SCHOOLS = 3
"""With so many schools of the phase a supplier gets half of what experience can give."""
UNKNOWN = 0.5
"""The value of a part that is not known: neither for nor against."""
TERM_YEARS = 3
"""How long a contract is thought of where nobody says otherwise."""

Figures = dict[str, float | int | str | None]


@dataclass(frozen=True, slots=True)
class NearTrust:
    """A trust as the register has it beside a school: its open schools, those of the phase, and the nearest one."""

    uid: str
    name: str
    kind: str
    status: str
    schools: int
    same_phase_schools: int
    nearest_km: float | None
    nearest_urn: int | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A supplier that might help a school of a phase (None: not known), and what it could still carry."""

    trust: NearTrust
    phase: Phase | None
    capacity: Capacity
    load: Load
    record: TrackRecord


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a supplier is left out, for programs and for people."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a score: its value between 0 and 1, its figures, and the sentence that says it to a person."""

    value: float
    weight: float
    figures: Figures
    reason: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A supplier with its place (1 is first), its score between 0 and 1, and the parts of it."""

    rank: int
    candidate: Candidate
    score: float
    parts: Mapping[str, Part]


def term(starts_on: date | None, ends_on: date | None, today: date) -> tuple[date, date]:
    """The term that is thought of: from the next 1 September for three years, or as asked; raises BadTerms."""
    september = date(today.year, 9, 1)
    first = starts_on or (september if today <= september else september.replace(year=today.year + 1))
    last = ends_on or anniversary(first, TERM_YEARS) - timedelta(days=1)
    try:
        check_term(first, last)
    except BadTerms as error:
        raise BadTerms(error.detail, errors=[{"pointer": "/ends_on"}]) from error
    return first, last


def exclusions(
    trust: NearTrust | None, phases: Sequence[Phase], phase: Phase | None, obstacles: Sequence[DomainError]
) -> list[Reason]:
    """Why a supplier cannot be offered a contract about a school of this phase; empty: it can.

    `obstacles` are what would be raised if it were offered one. A phase that is not known keeps nobody out.
    """
    found = []
    if trust is None or trust.status != "open" or trust.kind != "multi_academy_trust":
        found.append(Reason("trust_closed", "It is not an open multi-academy trust in GIAS any more."))
    found += [Reason(each.code, each.detail) for each in obstacles]
    if phase is not None and not offers_phase(phases, phase):
        words = phase.value.replace("_", " ")
        found.append(Reason("phase_not_offered", f"It does not offer to help schools of this phase ({words})."))
    return found


def phase_part(one: Candidate) -> Part:
    """Experience: how many schools of the phase the trust has now."""
    schools = one.trust.same_phase_schools
    figures: Figures = {"same_phase_schools": schools, "schools": one.trust.schools}
    if one.phase is None:
        return Part(UNKNOWN, WEIGHTS["phase"], figures, "The register does not say of which phase the school is.")
    words = one.phase.value.replace("_", " ")
    reason = f"Of the {counted(one.trust.schools, 'school')} that it runs, {schools} are of this phase ({words})."
    return Part(schools / (schools + HALF_SCHOOLS), WEIGHTS["phase"], figures, reason)


def distance_part(one: Candidate) -> Part:
    """Nearness: how far the nearest of the trust's schools is, as the crow flies."""
    km, urn = one.trust.nearest_km, one.trust.nearest_urn
    figures: Figures = {"nearest_km": km, "nearest_urn": None if urn is None else str(urn)}
    if km is None:
        return Part(UNKNOWN, WEIGHTS["distance"], figures, "Distance unknown: the register lacks a place.")
    return Part(1 / (1 + km / HALF_KM), WEIGHTS["distance"], figures, f"Its nearest school is {km:.1f} km away.")


def capacity_part(one: Candidate) -> Part:
    """Headroom: the smaller of the shares of contracts and of pupils that are free on the fullest day of the term."""
    contracts = max(one.capacity.contracts - one.load.contracts, 0)
    pupils = max(one.capacity.pupils - (one.load.pupils or 0), 0)
    value = min(contracts / max(one.capacity.contracts, 1), pupils / max(one.capacity.pupils, 1))
    reason = (
        f"Over the term it can carry {counted(contracts, 'more contract')} of {one.capacity.contracts} "
        f"and {counted(pupils, 'more pupil')} of {one.capacity.pupils:,}."
    )
    return Part(value, WEIGHTS["capacity"], {"contracts_left": contracts, "pupils_left": pupils}, reason)


def record_part(one: Candidate) -> Part:
    """Success: the share of contracts met that its verdicts let expect."""
    record, tally = one.record, one.record.tally
    expected = f"expected share of success {record.estimate:.0%} ({record.low:.0%} to {record.high:.0%})"
    if tally.judged:
        reason = f"Of {counted(tally.judged, 'contract')} with a verdict {tally.met} met and {tally.partly_met} partly"
        reason = f"{reason} met: {expected}."
    else:
        reason = f"No contract of its own has a verdict yet: {expected}, as for any supplier."
    figures: Figures = {
        "judged": tally.judged,
        "met": tally.met,
        "partly_met": tally.partly_met,
        "not_met": tally.not_met,
        "estimate": record.estimate,
        "low": record.low,
        "high": record.high,
    }
    return Part(record.estimate, WEIGHTS["track_record"], figures, reason)


def counted(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def ranked(candidates: Sequence[Candidate]) -> list[Ranked]:
    """The suppliers, best first; ties by UID, so that the same facts give the same list."""
    scored = []
    for one in candidates:
        parts = {
            "phase": phase_part(one),
            "distance": distance_part(one),
            "capacity": capacity_part(one),
            "track_record": record_part(one),
        }
        score = sum(part.weight * part.value for part in parts.values())
        scored.append((one, round(score, 6), parts))
    scored.sort(key=lambda entry: (-entry[1], entry[0].trust.uid))
    return [Ranked(place, one, score, parts) for place, (one, score, parts) in enumerate(scored, 1)]
