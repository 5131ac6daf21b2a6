"""A deadline: work that lasts longer is cancelled, however it was moved, and nothing else is taken for that."""

import asyncio

import pytest

from services.gateway.deadline import Deadline

SOON, LATER, LONG = 0.02, 0.06, 30.0


def after(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def last(seconds: float, moved: float) -> None:
    """Work without an end, until a deadline that is moved."""
    async with Deadline(after(seconds)) as limit:
        limit.move(after(moved))
        await asyncio.sleep(LONG)


async def test_work_that_ends_in_time_is_left_alone() -> None:
    async with Deadline(after(LONG)) as limit:
        await asyncio.sleep(0)
    assert not limit.expired
    assert limit.timer.cancelled()


async def test_work_that_lasts_too_long_is_given_up() -> None:
    begun = after(0)
    with pytest.raises(TimeoutError) as caught:
        async with Deadline(after(SOON)) as limit:
            await asyncio.sleep(LONG)
    assert limit.expired
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)
    assert SOON <= after(0) - begun < LONG / 2
    await asyncio.sleep(0)


async def test_a_time_that_was_over_before_it_began_is_over() -> None:
    with pytest.raises(TimeoutError):
        async with Deadline(after(-1)):
            await asyncio.sleep(LONG)


async def test_moved_later_it_lets_the_work_end() -> None:
    async with Deadline(after(SOON)) as limit:
        limit.move(after(LONG))
        await asyncio.sleep(LATER)
    assert not limit.expired


async def test_moved_later_it_ends_then() -> None:
    begun = after(0)
    with pytest.raises(TimeoutError):
        await last(SOON, moved=LATER)
    assert LATER <= after(0) - begun < LONG / 2


@pytest.mark.parametrize("seconds", [SOON, -1.0])
async def test_moved_earlier_it_ends_then(seconds: float) -> None:
    begun = after(0)
    with pytest.raises(TimeoutError):
        await last(LONG, moved=seconds)
    assert after(0) - begun < LONG / 2


async def test_moving_it_later_sets_no_timer() -> None:
    async with Deadline(after(LONG)) as limit:
        timer = limit.timer
        limit.move(after(2 * LONG))
        assert limit.timer is timer


async def test_an_error_of_the_work_stays_what_it_is() -> None:
    with pytest.raises(KeyError):
        async with Deadline(after(LONG)):
            raise KeyError
    with pytest.raises(TimeoutError, match="another's"):
        async with Deadline(after(LONG)) as limit:
            raise TimeoutError("another's")
    assert not limit.expired


@pytest.mark.parametrize("over", [False, True])
async def test_who_cancels_the_work_cancels_it_also_as_its_time_is_over(over: bool) -> None:
    async def work() -> None:
        async with Deadline(after(LONG)) as limit:
            if over:
                limit.at = 0.0
                limit.look()
            await asyncio.sleep(LONG)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_one_inside_another_ends_alone() -> None:
    async with Deadline(after(LONG)) as outer:
        with pytest.raises(TimeoutError):
            async with Deadline(after(SOON)):
                await asyncio.sleep(LONG)
        await asyncio.sleep(0)
    assert not outer.expired
