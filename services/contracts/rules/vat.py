"""VAT on an invoice: its category, chosen by the trust for a contract, and the tax to the penny.

Whether what a trust supplies to a commissioner is taxable, exempt education or outside the scope is the trust's to
judge; nothing here is tax advice.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from services.kernel.errors import Unprocessable

STANDARD_RATE = Decimal(20)
"""Percent (VATA 1994, section 2)."""


class VatCategory(StrEnum):
    """In the codes of UNCL 5305."""

    STANDARD = "S"
    EXEMPT = "E"
    OUTSIDE = "O"


class BadVat(Unprocessable):
    """Category, reason and registration contradict each other."""

    code = "bad_vat"
    title = "The VAT settings contradict each other"


class BadEndpoint(Unprocessable):
    """An electronic address is not one of its scheme."""

    code = "bad_endpoint"
    title = "Not an electronic address of that scheme"


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of an invoice, in pence."""

    net_pence: int
    vat_pence: int
    gross_pence: int


def rate_of(category: VatCategory) -> Decimal:
    """Percent of tax."""
    return STANDARD_RATE if category is VatCategory.STANDARD else Decimal(0)


def totals(net_pence: int, category: VatCategory) -> Totals:
    """The sums of an invoice of one category: tax on the whole, half up."""
    vat = int((net_pence * rate_of(category) / 100).quantize(Decimal(1), ROUND_HALF_UP))
    return Totals(net_pence, vat, net_pence + vat)


def check_vat(category: VatCategory, reason: str | None, vat_number: str | None) -> None:
    """Raise BadVat unless a reason is given where no tax is charged, and a registration where it is."""
    if category is VatCategory.STANDARD and (reason or not vat_number):
        raise BadVat("Category S takes the trust's VAT number and no reason.", errors=[{"pointer": "/vat_number"}])
    if category is not VatCategory.STANDARD and not reason:
        raise BadVat("Say in vat_reason why no VAT is charged.", errors=[{"pointer": "/vat_reason"}])
    if category is VatCategory.EXEMPT and not vat_number:
        raise BadVat("An exempt supply is made under a VAT number; else use O.", errors=[{"pointer": "/vat_number"}])


def check_gln(number: str) -> bool:
    """Whether a Global Location Number of 13 digits ends in its check digit (GS1)."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(number[:12]))
    return len(number) == 13 and int(number[12]) == -total % 10


def check_endpoint(pointer: str, scheme: str, number: str) -> None:
    """Raise BadEndpoint unless it is a British VAT number (9932) or a GLN (0088)."""
    digits = number.removeprefix("GB") if scheme == "9932" else number
    right = digits.isascii() and digits.isdigit()
    if scheme == "9932":
        right = right and number.startswith("GB") and len(digits) in {9, 12}
    else:
        right = right and check_gln(number)
    if not right:
        words = "9932 takes a VAT number such as GB123456789, 0088 a GLN of 13 digits with its check digit."
        raise BadEndpoint(words, errors=[{"pointer": pointer}])
