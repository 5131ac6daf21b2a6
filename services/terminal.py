"""What commands share: where they print, how they fail, how they reach the database, and how they show progress."""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from migrations import run as migrations
from services import system
from services.kernel.db import Database
from services.kernel.errors import DomainError
from services.outcomes import progress
from services.outcomes.progress import Step

WIDTH = None if sys.stdout.isatty() else 120
"""Where nobody's terminal says how wide it is, lines may be this long."""
out, err = Console(width=WIDTH), Console(stderr=True, width=WIDTH)
Found = TypeVar("Found")
LOOK_SECONDS = 0.1
KILO, MEGA = 1e3, 1e6


def fail(message: str) -> typer.Exit:
    """Say what is wrong, and end with an error."""
    err.print(message, style="red", highlight=False)
    return typer.Exit(1)


def with_database(name: str, work: Callable[[Database], Awaitable[Found]]) -> Found:
    """Do something on the installation's database, brought up to date before, under one service's role."""

    async def run() -> Found:
        database = Database(name)
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        with system.installation() as url:
            migrations.upgrade(url)
            return asyncio.run(run())
    except DomainError as error:
        raise fail(error.detail) from error


def amount(step: Step) -> str:
    """How much of a step is done, as a person reads it."""
    done = step.done
    if step.phase.unit == "rows":
        return f"{done:,} rows"
    for size, unit in ((MEGA, "MB"), (KILO, "kB")):
        if done >= size:
            return f"{done / size:.1f} {unit}"
    return f"{done} bytes"


class Bars:
    """A bar on the terminal for each phase."""

    def __init__(self, console: Console) -> None:
        name, done = TextColumn("{task.description:<12}"), TextColumn("{task.fields[done]}")
        columns = (name, BarColumn(), TaskProgressColumn(), done, TimeElapsedColumn())
        self.shown = Progress(*columns, console=console)
        self.tasks: list[TaskID] = []

    def show(self, steps: list[Step], *, over: bool = False) -> None:
        """Bring the bars to what the steps say; all but the last are full, and `over` that one too."""
        for place, step in enumerate(steps):
            if place == len(self.tasks):
                self.tasks.append(self.shown.add_task(step.phase, total=None, done=""))
            ended = over or place < len(steps) - 1
            if not self.shown.tasks[place].finished:
                total = max(step.done, 1) if ended else step.total
                completed = total if ended and total else min(step.done, step.total or step.done)
                told = amount(step) if step.done else ""
                self.shown.update(self.tasks[place], total=total, completed=completed, done=told)

    def __enter__(self) -> None:
        self.shown.start()

    def __exit__(self, *_: object) -> None:
        self.shown.stop()


class Lines:
    """A plain line for each phase that is over, where no terminal shows bars."""

    def __init__(self, console: Console) -> None:
        self.console, self.told = console, 0

    def show(self, steps: list[Step], *, over: bool = False) -> None:
        """Print what is over and was not told yet."""
        ended = len(steps) if over else len(steps) - 1
        for step in steps[self.told : ended]:
            much = f": {amount(step)}" if step.done else ""
            self.console.print(f"{step.phase.capitalize()}{much}", highlight=False)
            self.told += 1

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


@contextmanager
def watched(console: Console = out) -> Iterator[None]:
    """Show how far the work inside has come: it says which phase it is in, and is looked at ten times a second."""
    seen, view = progress.Progress(), Bars(console) if console.is_terminal else Lines(console)
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            view.show(seen.steps)

    looking = threading.Thread(target=look, daemon=True)
    token = progress.WATCHED.set(seen)
    with view:
        looking.start()
        try:
            yield
        finally:
            progress.WATCHED.reset(token)
            seen.end()
            over.set()
            looking.join()
            view.show(seen.steps, over=True)
