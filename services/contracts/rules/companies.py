"""Numbers of companies as Companies House writes them."""

from string import ascii_uppercase

LENGTH = 8


def company_number(text: str | None) -> str | None:
    """A company number in its one form: eight characters, prefix in capitals, zeros before the digits.

    Files lose leading zeros, also those between prefix and digits (STANDARDS.md 2): `2718` is 00002718, `sc12` is
    SC000012. None where there is none.
    """
    bare = "".join((text or "").split()).upper().lstrip("0")
    if not bare:
        return None
    digits = bare.lstrip(ascii_uppercase)
    prefix = bare[: len(bare) - len(digits)]
    return prefix + digits.lstrip("0").rjust(LENGTH - len(prefix), "0")
