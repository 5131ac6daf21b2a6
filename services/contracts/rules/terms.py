"""What may be agreed: parties, term, outcomes and milestones that make sense together."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from services.contracts.rules.milestones import circle
from services.kernel.errors import DomainError, Unprocessable
from services.kernel.types import canonical_json

MAX_WEIGHT = Decimal("0.4")
MIN_MEASURES = 3
MIN_DOMAINS = 2
MAX_TERM_YEARS = 7
LAST_YEAR = 2199


@dataclass(frozen=True, slots=True)
class AgreedOutcome:
    """The part of an agreed outcome that the rules look at; `weight` is a share of 1."""

    code: str
    measure: str
    domain: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Promise:
    """The part of a milestone that the rules look at."""

    code: str
    due_on: date
    depends_on: Sequence[str]


class OverlappingContract(DomainError):
    """Another contract for the same school covers part of the term."""

    code = "overlapping_contract"
    title = "Another contract for this school overlaps"


class BadTerms(Unprocessable):
    """The terms contradict themselves or the rules on agreed outcomes."""

    code = "bad_terms"
    title = "The terms break a rule"


def check_term(starts_on: date, ends_on: date) -> None:
    """Raise unless the term is a period of one day to seven years of this age; both days belong to it."""
    if starts_on.year > LAST_YEAR:
        raise BadTerms(f"A term starts by {LAST_YEAR}.", errors=[{"pointer": "/term/starts_on"}])
    if ends_on < starts_on:
        raise BadTerms("The term ends before it starts.", errors=[{"pointer": "/term/ends_on"}])
    if ends_on >= anniversary(starts_on, MAX_TERM_YEARS):
        raise BadTerms("A fixed term is at most seven years.", errors=[{"pointer": "/term/ends_on"}])


def anniversary(day: date, years: int) -> date:
    """The same day so many years later; 28 February where there is no 29th."""
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + years, day=28 if leap else day.day)


def check_offer(today: date, lapses_on: date, starts_on: date) -> None:
    """Raise unless the offer can still be signed, and lapses on the first day of the term at the latest."""
    if not today <= lapses_on <= starts_on:
        words = f"An offer stands until a day from today to {starts_on}, the first day of the term."
        raise BadTerms(words, errors=[{"pointer": "/lapses_on"}])


def check_signed_on(signed_on: date, put_on: date, today: date) -> None:
    """Raise unless a signature was given on a day on which what it stands under had been put to the parties."""
    if not put_on <= signed_on <= today:
        words = f"A signature is dated from {put_on}, when the terms were put to the parties, to today."
        raise BadTerms(words, errors=[{"pointer": "/signed_on"}])


def check_codes(pointer: str, codes: Sequence[str]) -> None:
    """Raise when a code names two things."""
    for place, code in enumerate(codes):
        if code in codes[:place]:
            raise BadTerms(f"The code {code} is used twice.", errors=[{"pointer": f"/{pointer}/{place}/code"}])


def check_leaving(starts_on: date, ends_on: date, latest_ends_on: date, break_points: Sequence[date]) -> None:
    """Raise unless the break points lie inside the term, in order, and the latest possible end is no earlier than it.

    The latest possible end, too, lies within seven years of the first day.
    """
    if latest_ends_on < ends_on:
        pointer = [{"pointer": "/term/latest_ends_on"}]
        raise BadTerms("The latest possible end lies before the end.", errors=pointer)
    if latest_ends_on >= anniversary(starts_on, MAX_TERM_YEARS):
        pointer = [{"pointer": "/term/latest_ends_on"}]
        raise BadTerms("With every extension a term is at most seven years.", errors=pointer)
    for place, day in enumerate(break_points):
        inside = starts_on <= day < ends_on
        if not inside or (place and day <= break_points[place - 1]):
            pointer = [{"pointer": f"/term/break_points/{place}"}]
            raise BadTerms("Break points are days inside the term, in order, each once.", errors=pointer)


def check_milestones(milestones: Sequence[Promise], starts_on: date, ends_on: date) -> None:
    """Raise when a milestone falls outside the term, or depends on one that there is not, on itself, or in a circle."""
    codes = {each.code for each in milestones}
    for place, each in enumerate(milestones):
        if not starts_on <= each.due_on <= ends_on:
            pointer = f"/milestones/{place}/due_on"
            raise BadTerms(f"A milestone due on {each.due_on} lies outside the term.", errors=[{"pointer": pointer}])
        for code in each.depends_on:
            if code not in codes:
                pointer = f"/milestones/{place}/depends_on"
                raise BadTerms(f"{each.code} depends on {code}, which there is not.", errors=[{"pointer": pointer}])
    round_and_round = circle({each.code: each.depends_on for each in milestones})
    if round_and_round:
        words = f"{', '.join(round_and_round)} depend on each other in a circle."
        raise BadTerms(words, errors=[{"pointer": "/milestones"}])


def check_payment(place: int, payment_pence: int, floor: Decimal | None, full: Decimal | None) -> None:
    """Raise unless an outcome that pays says from which added value on, and at which it pays in full."""
    pointer = [{"pointer": f"/outcomes/{place}/floor"}]
    if payment_pence and (floor is None or full is None):
        raise BadTerms("An outcome that pays needs floor and full.", errors=pointer)
    if floor is not None and full is not None and floor >= full:
        raise BadTerms("The floor of a payment lies below its full amount.", errors=pointer)


def check_route(legal_route: str, detail: str | None) -> None:
    """Raise unless a legal route other than the named ones is described."""
    if legal_route == "other" and not detail:
        pointer = [{"pointer": "/legal_route_detail"}]
        raise BadTerms("Say in legal_route_detail under which law the contract is made.", errors=pointer)


def check_outcomes(outcomes: Sequence[AgreedOutcome], rationale: str | None) -> None:
    """Raise unless the weights sum to 1 and the outcomes are broad enough, or a reason says why they are not.

    At least three measures of two domains, none above 0.4 (METHOD.md 3.11).
    """
    total = sum((outcome.weight for outcome in outcomes), Decimal(0))
    if total != 1:
        raise BadTerms(f"The weights of the outcomes sum to {total}, not to 1.", errors=[{"pointer": "/outcomes"}])
    measures = {outcome.measure: Decimal(0) for outcome in outcomes}
    for outcome in outcomes:
        measures[outcome.measure] += outcome.weight
    too_heavy = any(weight > MAX_WEIGHT for weight in measures.values())
    too_few = len(measures) < MIN_MEASURES or len({outcome.domain for outcome in outcomes}) < MIN_DOMAINS
    if (too_heavy or too_few) and not rationale:
        raise BadTerms(
            "Agree three measures of two domains at least, none weighing over 0.4, or say why not in "
            "outcomes_rationale.",
            errors=[{"pointer": "/outcomes"}],
        )


def agreement_hash(terms: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON of what was agreed: any later change shows."""
    return hashlib.sha256(canonical_json(terms)).hexdigest()
