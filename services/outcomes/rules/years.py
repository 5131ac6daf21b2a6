"""Academic years: '2023/24' on the wire, 2023 inside."""

import re

from services.kernel.errors import Unprocessable

WRITTEN = re.compile(r"(19[89][0-9]|20[0-9]{2})/([0-9]{2})", re.ASCII)


class BadAcademicYear(Unprocessable):
    """The text names no academic year."""

    code = "bad_academic_year"
    title = "That is not an academic year"


def academic_year_from(text: str) -> int:
    """The year in which the academic year written as '2023/24' starts; raises BadAcademicYear for any other text."""
    found = WRITTEN.fullmatch(text)
    if found is None or (int(found[1]) + 1) % 100 != int(found[2]):
        raise BadAcademicYear(
            f"{text[:20]!r} is not an academic year; write it as 2023/24, the second year following the first.",
            errors=[{"pointer": "/academic_year", "detail": "An academic year such as 2023/24."}],
        )
    return int(found[1])


def academic_year_text(year: int) -> str:
    """The academic year that starts in `year`, as it is written: 2023 is '2023/24'."""
    return f"{year}/{(year + 1) % 100:02d}"
