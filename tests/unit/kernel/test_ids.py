"""Identifiers: in the order in which they were made, once each, whoever makes them."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122

import pytest

from services.kernel.types import Ids, uuid7


def test_they_are_of_version_7_and_tell_the_time() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_each_is_greater_than_those_before() -> None:
    made = [uuid7() for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_threads_never_share_one() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = [each for part in pool.map(lambda _: [uuid7() for _ in range(2_000)], range(4)) for each in part]
    assert len(set(made)) == len(made)


def test_a_copy_of_the_process_makes_others() -> None:
    reads, writes = os.pipe()
    uuid7()
    if not os.fork():
        os.write(writes, uuid7().bytes)
        os._exit(0)
    mine = uuid7()
    os.close(writes)
    with os.fdopen(reads, "rb") as said:
        assert (said.read() != mine.bytes, os.wait()[1]) == (True, 0)


@pytest.mark.parametrize(("back", "still"), [(1, True), (59, True), (61, False)])
def test_a_clock_that_is_set_back_a_little_makes_no_earlier_ones(
    back: int, still: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, now = Ids(), time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now)
    first = ids.next()
    monkeypatch.setattr(time, "time_ns", lambda: now - back * 10**9)
    assert (ids.next() > first) is still
