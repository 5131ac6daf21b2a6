"""The fee in instalments: equal for each quarter of the term, in arrears, to the penny."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = 3
"""An instalment is for so many months, and earned at their end."""


@dataclass(frozen=True, slots=True)
class Period:
    """First and last day that an instalment is for, and how many months of the term were begun in it."""

    starts_on: date
    ends_on: date
    months: int


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """A sum in pence by weights, by the method of the largest remainder: the parts always add up to it."""
    whole = sum(weights)
    found = [total * weight // whole for weight in weights]
    left = total - sum(found)
    behind = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in behind[:left]:
        found[place] += 1
    return found


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month where there is none such."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def periods(starts_on: date, ends_on: date) -> list[Period]:
    """The quarters from a first to a last day; the last of them may be shorter."""
    found: list[Period] = []
    begun = 0
    while (first := months_later(starts_on, begun)) <= ends_on:
        months = sum(months_later(starts_on, begun + each) <= ends_on for each in range(MONTHS))
        last = min(months_later(starts_on, begun + MONTHS) - timedelta(days=1), ends_on)
        found.append(Period(first, last, months))
        begun += MONTHS
    return found


def earned_of(amount_pence: int, period: tuple[date, date], last_day: date) -> int:
    """What an instalment has earned by a last day: all of it, nothing, or its days' share, rounded down to pence."""
    starts_on, ends_on = period
    days = min(max((last_day - starts_on).days + 1, 0), (ends_on - starts_on).days + 1)
    return amount_pence * days // ((ends_on - starts_on).days + 1)
