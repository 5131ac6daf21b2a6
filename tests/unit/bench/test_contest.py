import pytest

from bench.contest import Goal, Measured, Result, Way, interleaved


def result(ours: float, peer: float, limit: float, goal: Goal) -> Result:
    peers = {"slow": Measured.of([9 * peer]), "best": Measured.of([peer])}
    return Result(1, "work", "s", Measured.of([ours]), peers, Measured.of([limit]), "the least", goal)


@pytest.mark.parametrize(
    ("goal", "reached"),
    [
        (Goal(), True),
        (Goal(to_peer=4), True),
        (Goal(to_peer=4.1), False),
        (Goal(to_limit=2), True),
        (Goal(to_limit=1.9), False),
        (Goal(to_peer=4, to_limit=1.9), False),
    ],
)
def test_a_goal_is_a_ratio_to_the_best_peer_and_to_the_limit(goal: Goal, reached: bool) -> None:
    found = result(ours=2.0, peer=8.0, limit=1.0, goal=goal)

    assert (found.best, found.to_peer, found.to_limit) == ("best", 4.0, 2.0)
    assert found.reached is reached
    assert found.plain()["reached"] is reached


@pytest.mark.parametrize(("ours", "limit", "reached"), [(-1.0, 0.5, True), (1.0, -0.5, False), (-1.0, -0.5, False)])
def test_less_than_nothing_is_near_to_the_least_unless_that_is_noise(ours: float, limit: float, reached: bool) -> None:
    found = result(ours=ours, peer=1.0, limit=limit, goal=Goal(to_limit=2))

    assert found.reached is reached


def test_without_a_peer_a_goal_that_needs_one_is_not_reached() -> None:
    assert not Result(1, "work", "s", Measured.of([1.0]), goal=Goal(to_peer=1)).reached


@pytest.mark.parametrize(("most", "reached"), [(25, True), (24, False)])
def test_a_goal_may_name_further_figures_and_how_large_they_may_be(most: float, reached: bool) -> None:
    found = Result(1, "work", "s", Measured.of([1.0]), goal=Goal(at_most={"p99": most}), detail={"p99": 25})

    assert found.reached is reached
    assert found.plain()["goal"]["at_most"] == {"p99": most}


def test_ways_take_turns_and_are_warmed_first() -> None:
    turns: list[str] = []

    def turn(name: str, seconds: float) -> float:
        turns.append(name)
        return seconds

    ways = {
        "a": Way(lambda made: turn(f"a{made}", 2.0), lambda: 1),
        "b": Way(lambda _: turn("b", 3.0), factor=10, warmed=False),
    }

    found = interleaved(ways, 2)

    assert turns == ["a1", "a1", "b", "a1", "b"]
    assert (found["a"].median, found["a"].spread, found["a"].extrapolated) == (2.0, 0.0, False)
    assert (found["b"].median, found["b"].times, found["b"].extrapolated) == (30.0, 2, True)
