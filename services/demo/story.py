"""The main job in nine chapters, told on a database of its own."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from rich.console import Console

from services import embedded
from services.demo import chapters, joining, telling
from services.demo.play import Play
from services.demo.stage import Stage, StoryBroken

CHAPTERS: tuple[Callable[[Play], None], ...] = (
    chapters.set_the_stage,
    chapters.ingest,
    chapters.find_a_supplier,
    chapters.agree,
    chapters.record,
    chapters.compare_tables,
    chapters.evaluate,
    joining.transfer,
    chapters.look_back,
)


def tell(play: Play) -> None:
    """All chapters in their order."""
    for number, chapter in enumerate(CHAPTERS, 1):
        telling.heading(play.console, f"{number}. {chapter.__doc__}")
        chapter(play)


def run(var: Path, console: Console, pictures: Path | None = None) -> bool:
    """Tell the story on an embedded database of its own; says whether it came out as told.

    Pictures of the verdict are written to the folder `pictures`, where one is given.
    """
    started = time.monotonic()
    telling.opening(console)
    with ExitStack() as stack:
        server = stack.enter_context(embedded.running(var / "postgres"))
        stage = Stage(server.url, var)
        stack.enter_context(stage.open())
        try:
            tell(stack.enter_context(closing(Play(stage, console, pictures=pictures))))
        except StoryBroken as error:
            console.print(str(error), style="red", highlight=False)
            return False
    telling.closing(console, time.monotonic() - started)
    return True
