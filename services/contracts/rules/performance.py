"""Performance as a supplier: KPI ratings, and findings that come only after a chance to improve.

Procurement Act 2023, sections 52 and 71; ratings of regulation 39, Procurement Regulations 2024 (SI 2024/692).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

from services.kernel.errors import DomainError, Unprocessable

IN_FORCE_ON = date(2025, 2, 24)
"""The Procurement Act 2023 binds contracts from this day on; earlier ones are held to it by policy."""
VAT_PERCENT = 20
"""Thresholds of the Act include VAT; the standard rate is assumed until a contract says otherwise."""
KPI_THRESHOLD_PENCE = 500_000_000
"""Above £5 million, with VAT, key performance indicators are set and published (section 52)."""


class Rating(StrEnum):
    """How a supplier did, in the words of the regulations."""

    GOOD = "good"
    APPROACHING_TARGET = "approaching_target"
    REQUIRES_IMPROVEMENT = "requires_improvement"
    INADEQUATE = "inadequate"
    OTHER = "other"


class Basis(StrEnum):
    """Why a duty binds: by statute, or because this system keeps to it as policy."""

    STATUTORY = "statutory"
    POLICY = "policy"


class FindingKind(StrEnum):
    """A chance to improve, and the finding that it was not taken."""

    IMPROVEMENT_OPPORTUNITY = "improvement_opportunity"
    POOR_PERFORMANCE = "poor_performance"


RATING_OF: Mapping[str, Rating] = {
    "met": Rating.GOOD,
    "partly_met": Rating.APPROACHING_TARGET,
    "not_met": Rating.REQUIRES_IMPROVEMENT,
    "not_measurable": Rating.OTHER,
}
"""The rating that a measure's status comes to (METHOD.md 4.1)."""


class NoOpportunity(DomainError):
    """Poor performance is found only after a proper opportunity to improve (section 71(4))."""

    code = "no_improvement_opportunity"
    title = "No opportunity to improve was given"


class BadPeriod(Unprocessable):
    """The days contradict each other."""

    code = "bad_period"
    title = "The days contradict each other"


def in_words(rating: str) -> Rating:
    """The rating that the words of the regulations, such as `Approaching target`, name."""
    return Rating(rating.lower().replace(" ", "_"))


def over_threshold(value_pence: int) -> bool:
    """Whether a value without VAT, in pence, is above £5 million with it."""
    return value_pence * (100 + VAT_PERCENT) > KPI_THRESHOLD_PENCE * 100


def under_the_act(legal_route: str, entered_on: date | None) -> bool:
    """Whether the Procurement Act binds: not a grant, and not a contract entered into before it was in force."""
    return legal_route != "grant" and entered_on is not None and entered_on >= IN_FORCE_ON


def kpi_basis(legal_route: str, value_pence: int, entered_on: date | None) -> Basis:
    """Why KPIs are assessed: light-touch contracts and grants are exempt by law, and held to it by policy."""
    bound = under_the_act(legal_route, entered_on) and legal_route != "light_touch" and over_threshold(value_pence)
    return Basis.STATUTORY if bound else Basis.POLICY


def check_opportunity(opens_on: date, closes_on: date) -> None:
    """Raise unless an opportunity to improve lasts at least a day."""
    if closes_on <= opens_on:
        raise BadPeriod("An opportunity to improve ends after it begins.", errors=[{"pointer": "/closes_on"}])


def check_finding(opportunities: Sequence[tuple[int, date]], number: int, found_on: date) -> None:
    """Raise NoOpportunity unless the opportunity with this number was given and has run out by that day."""
    closes_on = dict(opportunities).get(number)
    if closes_on is None:
        raise NoOpportunity(f"There is no opportunity to improve with the number {number}.")
    if found_on <= closes_on:
        raise NoOpportunity(f"Opportunity {number} runs until {closes_on}; a finding comes after it.")


def still_open(
    kind: FindingKind, opened_on: date, closes_on: date | None, assessed_on: date | None, today: date
) -> bool:
    """Whether a finding stands against a contract: an opportunity until it has run out, poor performance until the
    supplier's performance was assessed after it. `assessed_on` is the day of the last assessment.
    """
    if kind is FindingKind.IMPROVEMENT_OPPORTUNITY:
        return closes_on is None or today <= closes_on
    return assessed_on is None or assessed_on <= opened_on
