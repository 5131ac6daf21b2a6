"""Words for parts of a contract's value, and for money."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

WORDS: Mapping[str, str] = {"fee": "Fee", "milestone": "Milestone", "outcome": "Outcome"}


def described(kind: str, code: str, title: str) -> str:
    """What a line is for."""
    return f"{WORDS[kind]} {code}: {title}"


def pounds(pence: int) -> Decimal:
    """Pence as pounds, with two places."""
    return Decimal(pence).scaleb(-2)


def shown(pence: int) -> str:
    """Money as a person reads it."""
    return f"{'-' if pence < 0 else ''}£{pounds(abs(pence)):,.2f}"


def day(value: str | date) -> str:
    """A date as a person reads it, such as 1 September 2023; ISO text is taken too."""
    found = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{found.day} {found:%B %Y}"
