"""How far work has come, as it is shown on a terminal and where there is none."""

import io

import pytest
from rich.console import Console

from services.outcomes import progress
from services.outcomes.progress import Phase
from services.terminal import amount, watched


def test_a_terminal_shows_a_bar_for_each_phase() -> None:
    screen = io.StringIO()
    with watched(Console(file=screen, force_terminal=True, width=100)):
        progress.begin(Phase.READING, 2_500_000)
        progress.add(2_500_000)
        progress.begin(Phase.PARSING)
        progress.follow(lambda: 1_200, 1_200)
        progress.begin(Phase.STORING, 5_000)
        progress.add(5_000)
        progress.begin(Phase.SETTLING)
    said = screen.getvalue()
    for words in ("reading file", "2.5 MB", "parsing", "1.2 kB", "storing", "5,000 rows", "settling", "100%"):
        assert words in said


def test_where_nobody_looks_nothing_is_kept() -> None:
    progress.begin(Phase.READING, 1)
    progress.add(1)
    progress.reached(1, 1)
    progress.follow(lambda: 1, 1)
    assert progress.WATCHED.get() is None


def test_a_broken_command_leaves_no_bar_behind() -> None:
    screen = io.StringIO()

    def broken() -> None:
        with watched(Console(file=screen)):
            progress.begin(Phase.PARSING)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        broken()
    assert screen.getvalue() == "Parsing\n"
    assert amount(progress.Step(Phase.FETCHING, counted=12)) == "12 bytes"
