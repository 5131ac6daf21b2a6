"""A breaker opens after failures in a row, lets one try after a pause, and closes when that is answered."""

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.rules.breaker import FAILURES, PAUSE_SECONDS, Breaker, State


def after_failures(times: int, now: float = 100.0) -> Breaker:
    """A breaker that has seen so many failures at one moment."""
    breaker = Breaker()
    for _ in range(times):
        breaker = breaker.failed(now)
    return breaker


def test_some_failures_change_nothing() -> None:
    breaker = after_failures(FAILURES - 1)
    assert (breaker.state(100.0), breaker.wait(100.0)) == (State.CLOSED, 0.0)
    assert breaker.passed(100.0) == breaker


def test_after_one_more_nothing_passes_until_the_pause_is_over() -> None:
    breaker = after_failures(FAILURES)
    assert (breaker.state(101.0), breaker.wait(101.0)) == (State.OPEN, PAUSE_SECONDS - 1)
    assert breaker.state(100.0 + PAUSE_SECONDS) is State.HALF_OPEN


def test_one_tries_and_keeps_the_others_out() -> None:
    later = 100.0 + PAUSE_SECONDS
    trying = after_failures(FAILURES).passed(later)
    assert trying.wait(later) == PAUSE_SECONDS
    assert trying.failed(later + 1).wait(later + 1) == PAUSE_SECONDS
    assert trying.answered() == Breaker()


@given(st.lists(st.booleans(), max_size=30))
def test_an_answer_closes_whatever_was_before(outcomes: list[bool]) -> None:
    breaker = Breaker()
    for number, well in enumerate(outcomes):
        breaker = breaker.answered() if well else breaker.failed(float(number))
    in_a_row = len(outcomes) - max((n + 1 for n, well in enumerate(outcomes) if well), default=0)
    assert (breaker.state(float(len(outcomes))) is State.CLOSED) == (in_a_row < FAILURES)
