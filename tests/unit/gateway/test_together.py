"""What is asked at the same time is worked on together, and each has its own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from services.gateway.together import Together


class Halves:
    """Work that gives half of each even number, and refuses odd ones; it waits to be let go on."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.go_on = asyncio.Event()

    async def __call__(self, asked: Sequence[int]) -> list[int | Exception]:
        self.rounds.append(list(asked))
        await self.go_on.wait()
        return [ValueError(f"{each} is odd") if each % 2 else each // 2 for each in asked]


async def test_what_comes_while_a_round_runs_is_taken_into_the_next_and_who_has_gone_is_left_out() -> None:
    work = Halves()
    together = Together(work, most=3, rounds=1)
    asking = [asyncio.create_task(together(number)) for number in (2, 4, 5, 6, 8)]
    await asyncio.sleep(0.01)
    asking[1].cancel()
    asking[3].cancel()
    await asyncio.sleep(0)
    work.go_on.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert work.rounds == [[2, 4, 5], [8]]
    gone = asyncio.CancelledError
    assert [type(each) for each in found] == [int, gone, ValueError, gone, int]
    assert [each for each in found if isinstance(each, int)] == [1, 4]


async def test_nobody_is_forgotten_between_two_rounds() -> None:
    work = Halves()
    work.go_on.set()
    together = Together(work, most=2, rounds=1)

    async def ask_often() -> None:
        for _ in range(50):
            assert await asyncio.wait_for(together(2), 5) == 1

    await asyncio.gather(*(ask_often() for _ in range(5)))
    assert sum(map(len, work.rounds)) == 250
    assert len(work.rounds) < 250


async def test_work_that_fails_as_a_whole_fails_for_all_of_its_round_and_not_for_the_next() -> None:
    rounds = 0

    async def work(asked: Sequence[int]) -> list[int]:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise ConnectionError("away")
        return list(asked)[: 3 - rounds]

    together: Together[int, int] = Together(work, most=10, rounds=1)
    with pytest.raises(ConnectionError):
        await together(1)
    assert await together(2) == 2
    with pytest.raises(ValueError, match="shorter"):
        await together(3)
