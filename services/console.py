"""How commands speak to the person at the terminal."""

import sys

import typer
from rich.console import Console

WIDTH = None if sys.stdout.isatty() else 120
"""Where nobody's terminal says how wide it is, lines may be this long."""
out, err = Console(width=WIDTH), Console(stderr=True, width=WIDTH)


def fail(message: str) -> typer.Exit:
    """Say what is wrong, and end with an error."""
    err.print(message, style="red", highlight=False)
    return typer.Exit(1)
