"""Which media type an Accept field asks for (RFC 9110, 12.5.1)."""

import time
from contextlib import suppress

import pytest

from services.kernel.bodies import NotAcceptable, preferred

OFFERS = ("application/json", "text/csv", "application/pdf")


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("*; q=.2, */*; q=.2", "application/json"),
        ("application/*", "application/json"),
        ("text/*", "text/csv"),
        ("TEXT/CSV;Q=1", "text/csv"),
        ("text/html, text/csv;q=0.2", "text/csv"),
        ("application/json;q=0.3, application/pdf;q=0.8", "application/pdf"),
        ("*/*, application/json;q=0", "text/csv"),
        ("application/*;q=0, */*;q=0.1", "text/csv"),
        ("application/*;q=0, application/pdf, */*;q=0.1", "application/pdf"),
        ("*/*;q=0.5, application/*;q=0.9", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ('text/csv;header=present, application/json;note="a,b;q=0"', None),
        ("application/json;version=2;q=0, */*", "application/json"),
        ("application/pdf;q=nonsense, text/csv;q=0.1", "text/csv"),
        ("nonsense", "application/json"),
        (';, ;;q=0, "', "application/json"),
        ("image/png, " * 91, "application/json"),
        ("image/png", None),
        ("*/*;q=0", None),
        ("application/json;q=0.000, text/csv;q=0, application/*;q=0", None),
        ("application/xml, text/html;q=0.9", None),
    ],
)
def test_the_best_form_that_is_accepted(accept: str, given: str | None) -> None:
    if given is not None:
        assert preferred(accept, OFFERS) == given
        return
    with pytest.raises(NotAcceptable) as refused:
        preferred(accept, OFFERS)
    assert refused.value.extensions == {"offered": list(OFFERS)}


@pytest.mark.parametrize("accept", ['"\\"' * 10_000, '"' * 30_000, "," * 30_000, "a/b;" * 8_000, " " * 30_000])
def test_no_field_takes_long_to_read(accept: str) -> None:
    started = time.perf_counter()
    with suppress(NotAcceptable):
        preferred(accept, OFFERS)
    assert time.perf_counter() - started < 0.05
