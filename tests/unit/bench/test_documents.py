"""What is made of measurements for people: a table of what England needs, and a picture."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import needs, picture


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """Measurements of four rows: a record takes 500 us, judging all 10 s, a contract is read in 1 ms."""
    goal = {"to_peer": 2.0, "to_limit": None, "at_most": {}}
    plain: dict[str, Any] = {"work": "Work", "to_peer": 3.0, "to_limit": 1.5, "goal": goal, "detail": {}}
    rows = [
        plain | {"row": 1, "ours": 500.0},
        plain | {"row": 3, "ours": 100.0, "to_limit": -0.5, "detail": {"read, many callers, us": 1000.0}},
        plain | {"row": 61, "ours": 10.0, "to_peer": None},
    ]
    file = tmp_path / "bench.json"
    file.write_text(json.dumps(rows))
    return file


def test_what_england_needs_follows_from_what_was_measured(measured: Path) -> None:
    head, _, reading, recording, judging, together = needs.lines(measured)
    assert head.endswith("Machines at 100 times that |")
    assert reading.endswith("| 41% | 41 |"), "24,500 callers a minute, a millisecond each"
    assert recording.endswith("| 0.46% | 1 |"), "264,000 records in eight hours, half a millisecond each"
    assert judging.endswith("| 0.012% | 1 |")
    assert together.endswith("| 41% | 42 |")


def test_the_picture_is_the_same_for_the_same_figures(measured: Path, tmp_path: Path) -> None:
    files = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for each in files:
        picture.draw(measured, each)
    first, second = (each.read_bytes() for each in files)
    assert first == second
    assert first.count(b"Work  1<") == 2, "beside the peer and beside the limit"
    assert first.count(b"Work  61<") == 1
