"""VAT to the penny, and electronic addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.vat import BadEndpoint, BadVat, VatCategory, check_endpoint, check_vat, totals


@pytest.mark.parametrize(("net", "vat"), [(100, 20), (2, 0), (3, 1), (12, 2), (13, 3), (1_000_001, 200_000)])
def test_twenty_percent_is_rounded_half_up(net: int, vat: int) -> None:
    found = totals(net, VatCategory.STANDARD)
    assert (found.vat_pence, found.gross_pence) == (vat, net + vat)


@given(st.integers(0, 10**12), st.sampled_from(VatCategory))
def test_net_and_vat_are_gross(net: int, category: VatCategory) -> None:
    found = totals(net, category)
    assert found.net_pence + found.vat_pence == found.gross_pence
    assert found.vat_pence == (2 * net + 5) // 10 if category is VatCategory.STANDARD else found.vat_pence == 0


@pytest.mark.parametrize(
    ("category", "reason", "number", "right"),
    [
        ("S", None, "GB123456789", True),
        ("S", "a reason", "GB123456789", False),
        ("S", None, None, False),
        ("E", "Exempt education", "GB123456789", True),
        ("E", "Exempt education", None, False),
        ("E", None, "GB123456789", False),
        ("O", "Grant", None, True),
        ("O", None, None, False),
    ],
)
def test_reasons_and_numbers_by_category(category: str, reason: str | None, number: str | None, right: bool) -> None:
    if right:
        check_vat(VatCategory(category), reason, number)
        return
    with pytest.raises(BadVat):
        check_vat(VatCategory(category), reason, number)


@pytest.mark.parametrize(
    ("scheme", "number", "right"),
    [
        ("9932", "GB888801003", True),
        ("9932", "GB888801003001", True),
        ("9932", "888801003", False),
        ("9932", "GB88880100", False),
        ("9932", "GB88880100X", False),
        ("0088", "5060000000009", True),
        ("0088", "5060000000008", False),
        ("0088", "4012345000009", True),
        ("0088", "506000000000", False),
        ("0088", "506000000000X", False),
    ],
)
def test_electronic_addresses(scheme: str, number: str, right: bool) -> None:
    if right:
        check_endpoint("/x", scheme, number)
        return
    with pytest.raises(BadEndpoint):
        check_endpoint("/x", scheme, number)
