"""A breaker opens after failures in a row, and lets one try after a pause."""

from services.kernel.peers import FAILURES, PAUSE_SECONDS, Breaker


def after_failures(times: int, now: float = 100.0) -> Breaker:
    """A breaker that has seen so many failures at one moment."""
    breaker = Breaker()
    for _ in range(times):
        breaker = breaker.failed(now)
    return breaker


def test_some_failures_change_nothing() -> None:
    breaker = after_failures(FAILURES - 1)
    assert breaker.closed
    assert breaker.wait(100.0) == 0.0
    assert breaker.passed(100.0) == breaker


def test_after_one_more_nothing_passes_until_the_pause_is_over() -> None:
    breaker = after_failures(FAILURES)
    assert not breaker.closed
    assert breaker.wait(101.0) == PAUSE_SECONDS - 1
    assert breaker.wait(100.0 + PAUSE_SECONDS) == breaker.wait(200.0) == 0.0


def test_one_tries_and_keeps_the_others_out() -> None:
    later = 100.0 + PAUSE_SECONDS
    trying = after_failures(FAILURES).passed(later)
    assert trying.wait(later) == PAUSE_SECONDS
    assert trying.failed(later + 1).wait(later + 1) == PAUSE_SECONDS
