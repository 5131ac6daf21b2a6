"""What the chapters of the story share: the stage, the actors, and what has come to be known."""

from pathlib import Path
from typing import Any

from rich.console import Console

from services.demo import cast, telling
from services.demo.stage import Actor, Stage

SAMPLE = Path(__file__).parents[2] / "sample"


class Play:
    """What the chapters share: the stage, the actors, and what has come to be known."""

    def __init__(self, stage: Stage, console: Console, sample: Path = SAMPLE, pictures: Path | None = None) -> None:
        self.stage, self.console, self.sample, self.pictures = stage, console, sample, pictures
        self.actors: dict[str, Actor] = {}
        self.contract = ""
        self.transfer = ""
        self.before: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Actor:
        return self.actors[name]

    def close(self) -> None:
        """Everybody goes home."""
        for actor in self.actors.values():
            actor.http.close()

    def say(self, who: str, words: str) -> None:
        """One line: who did what, and what came of it."""
        telling.line(self.console, cast.NAMES.get(who, who), words)

    def performance(self) -> dict[str, Any]:
        """The supplier's table of absence for the year of the contract."""
        path = f"/v1/trusts/{cast.SUPPLIER}/performance"
        found: dict[str, Any] = self["rsc"].get(path, academic_year=cast.YEAR, key_stage="ABS")
        return found
