"""What a client may assert of itself, and how the issuer may be called."""

from typing import Any

import pytest

from services.gateway.rules.tokens import TokenRefused, bad_request, check_assertion, issuer_of

ISSUER = "https://ringfence.example"
AUDIENCES = (ISSUER, f"{ISSUER}/oauth2/token")
NOW = 1_800_000_000.5
GOOD = {"iss": "rsc", "sub": "rsc", "aud": ISSUER, "iat": int(NOW), "exp": int(NOW) + 300, "jti": "one"}


def check(**changes: Any) -> None:
    check_assertion(GOOD | changes, client_id="rsc", audiences=AUDIENCES, now=NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": f"{ISSUER}/oauth2/token"},
        {"aud": [ISSUER]},
        {"nbf": int(NOW)},
        {"iat": int(NOW) + 25, "exp": int(NOW) + 325},
        {"jti": "x" * 200},
    ],
)
def test_a_client_that_speaks_of_itself_to_us_now_is_believed(changes: dict[str, Any]) -> None:
    check(**changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "mat"}, "iss and sub"),
        ({"sub": "mat"}, "iss and sub"),
        ({"aud": f"{ISSUER}/"}, "aud"),
        ({"aud": "https://RINGFENCE.example"}, "aud"),
        ({"aud": f"{ISSUER}/oauth2/token?x=1"}, "aud"),
        ({"aud": [ISSUER, "https://other.example"]}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": {"a": 1}}, "aud"),
        ({"iat": int(NOW) - 300, "exp": int(NOW)}, "expired"),
        ({"iat": int(NOW) + 40, "exp": int(NOW) + 200}, "clock"),
        ({"nbf": int(NOW) + 40}, "clock"),
        ({"exp": int(NOW) + 3600}, "300 seconds after iat: some libraries set an hour"),
        ({"iat": int(NOW) + 25, "exp": int(NOW) + 340}, "300 seconds"),
        ({"jti": "x" * 201}, "jti"),
    ],
)
def test_anything_else_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(TokenRefused, match=reason) as found:
        check(**changes)
    assert found.value.status == 401
    assert found.value.body["error"] == "invalid_client"


@pytest.mark.parametrize("name", [ISSUER, f"{ISSUER}:8443", f"{ISSUER}/api"])
def test_an_issuer_is_an_https_address(name: str) -> None:
    assert issuer_of(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ringfence",
        "http://ringfence.example",
        f"{ISSUER}/",
        f"{ISSUER}?x",
        f"{ISSUER}?",
        f"{ISSUER}#",
        "https://",
        "https://user@ringfence.example",
        f"{ISSUER}/a b",
        f"{ISSUER}/é",
        f"{ISSUER}/\n",
    ],
)
def test_nothing_else_is(name: str) -> None:
    with pytest.raises(ValueError, match="RINGFENCE_ISSUER"):
        issuer_of(name)


def test_a_request_that_cannot_be_read_is_the_callers_mistake() -> None:
    found = bad_request("Send the token.")
    assert (found.status, found.body) == (400, {"error": "invalid_request", "error_description": "Send the token."})
