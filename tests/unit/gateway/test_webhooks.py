"""Standard Webhooks: signatures that its own library accepts, the schedule of retries, and what answers mean."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from services.gateway.rules.webhooks import (
    JITTER,
    LONGEST_PAUSE,
    SCHEDULE,
    Outcome,
    new_secret,
    outcome,
    pause,
    seconds_asked,
    shown,
    signed,
)

NOW = datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC)


def test_the_published_example_of_a_signature() -> None:
    # The vector in the tests of the standard's reference libraries.
    secret = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")._whsecret
    body = b'{"test": 2432232314}'
    made = signed([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(min_size=24, max_size=64), st.text(max_size=200), st.booleans())
def test_the_standards_library_accepts_each_of_two_secrets(key: bytes, text: str, first: bool) -> None:
    other, stamp, body = new_secret(), int(datetime.now(UTC).timestamp()), f'{{"a":{len(text)}}}'.encode()
    keys = [key, other] if first else [other, key]
    headers = {"webhook-id": "x", "webhook-timestamp": str(stamp), "webhook-signature": signed(keys, "x", stamp, body)}
    for each in keys:
        assert Webhook(shown(each)).verify(body, headers) == {"a": len(text)}
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(new_secret())).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(key)).verify(body + b" ", headers)


def test_secrets_are_long_and_never_the_same() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert all(len(new_secret()) >= 24 for _ in range(5))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, Outcome.ACKNOWLEDGED) for status in (200, 201, 202, 204, 299)),
        *((status, Outcome.FAILED) for status in (None, 100, 199, 300, 301, 302, 307, 308, 400, 401, 404, 429, 500)),
        (410, Outcome.GONE),
    ],
)
def test_only_2xx_is_success_and_only_410_is_gone(status: int | None, expected: Outcome) -> None:
    assert outcome(status) is expected


def test_the_schedule_is_the_standards() -> None:
    hours = timedelta(hours=1).total_seconds()
    assert (5, 300, 1800, *(each * hours for each in (2, 5, 10, 14, 20, 24))) == SCHEDULE
    assert [pause(attempts, 0, 0.5) for attempts in range(1, 10)] == list(SCHEDULE)
    assert pause(10, 0, 0.5) is None


@given(st.integers(1, len(SCHEDULE)), st.floats(0, 1e9), st.floats(0, 1, exclude_max=True))
def test_a_pause_keeps_within_its_limits(attempts: int, asked: float, chance: float) -> None:
    found = pause(attempts, asked, chance)
    assert found is not None
    planned = SCHEDULE[attempts - 1]
    assert found >= min(asked, LONGEST_PAUSE)
    assert planned * (1 - JITTER) <= found <= max(planned * (1 + JITTER), LONGEST_PAUSE)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, 0),
        ("120", 120),
        ("0", 0),
        ("9" * 400, 999_999_999),
        ("Mon, 05 Jan 2026 12:01:00 GMT", 60),
        ("Mon, 05 Jan 2026 12:01:00 -0000", 60),
        ("Mon, 05 Jan 2026 11:00:00 GMT", 0),
        ("soon", 0),
        ("-5", 0),
        ("١٢", 0),
        ("", 0),
    ],
)
def test_what_retry_after_asks_for(header: str | None, expected: float) -> None:
    assert seconds_asked(header, NOW) == expected
