"""The `ringfence log` commands: what the log says of itself, whether it holds, and how to erase what is personal."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import psycopg
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg.rows import dict_row
from rich.progress import track
from sqlalchemy.engine import make_url

from migrations import run as migrations
from services import system
from services.gateway.following.service import SOURCES
from services.gateway.records.service import erase as erase_record
from services.gateway.rules import checkpoint as rules
from services.gateway.settings import Settings
from services.kernel.auth import service_caller
from services.kernel.db import Database
from services.kernel.errors import DomainError
from services.kernel.types import real_now
from services.keys import load_log_key
from services.terminal import err, fail, out
from services.verification.facts import KEPT, check_facts, events_of
from services.verification.trees import ENTRIES, check_tree

app = typer.Typer(help="The log of what happened: its checkpoints, and whether it holds.", no_args_is_help=True)
OPERATOR = service_caller("operator")
LATEST = "SELECT note FROM gateway.checkpoint ORDER BY size DESC LIMIT 1"
COUNT = "SELECT count(*) AS n FROM gateway.leaf"


@app.command("key")
def key() -> None:
    """Print the log's public key in the form that verifiers of checkpoints take (C2SP signed-note)."""
    with system.installation():
        settings = Settings()
        public = load_log_key(Path(os.environ["RINGFENCE_KEYS_DIR"])).public_key()
    typer.echo(rules.verifier_key(settings.log_origin, public))


@app.command("checkpoint")
def checkpoint() -> None:
    """Print what the log says of itself now, signed. Keep it elsewhere: `verify --checkpoint` holds the log to it."""
    with system.installation() as url:
        migrations.upgrade(url)
        with psycopg.connect(plain(url)) as connection:
            found = connection.execute(LATEST).fetchone()
    if found is None:
        raise fail("The log has signed nothing yet; it begins when a worker runs.")
    sys.stdout.write(found[0])


@app.command("verify")
def verify(
    checkpoint: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A checkpoint that was kept elsewhere")
    ] = None,
) -> None:
    """Check the whole log against itself, its signatures and the facts; say what was edited, removed or inserted.

    Reads everything as the owner of the database. Ends with an error when anything does not hold.
    """
    with system.installation() as url:
        migrations.upgrade(url)
        origin = Settings().log_origin
        public = load_log_key(Path(os.environ["RINGFENCE_KEYS_DIR"])).public_key()
        try:
            note = None if checkpoint is None else checkpoint.read_text()
            witnessed = None if note is None else rules.verify(note, origin, public)
        except (DomainError, UnicodeDecodeError) as error:
            raise fail(f"{checkpoint}: {error}") from error
        count = 0
        for wrong in problems(url, origin, public, witnessed):
            count += 1
            err.print(wrong, style="red", highlight=False, markup=False, soft_wrap=True)
    if count:
        raise fail(f"The log does not hold: {count} findings.")
    out.print("The log holds: leaves, entries, tree, checkpoints and facts agree.", highlight=False)


def problems(url: str, origin: str, public: Ed25519PublicKey, witnessed: rules.Checkpoint | None) -> Iterator[str]:
    """Everything that does not hold, in words, on one snapshot of the database."""
    with psycopg.connect(plain(url), row_factory=dict_row) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield from problems_on(connection, origin, public, witnessed)


def problems_on(
    connection: "psycopg.Connection[Any]", origin: str, public: Ed25519PublicKey, witnessed: rules.Checkpoint | None
) -> Iterator[str]:
    """Everything that does not hold in what this connection sees; its rows come as dictionaries."""
    counted = connection.execute(COUNT).fetchone()
    with connection.cursor("entries") as cursor:
        total = counted["n"] if counted else 0
        rows = track(cursor.execute(ENTRIES), "Leaves", total, console=err, transient=True)
        yield from check_tree(connection, origin=origin, key=public, witnessed=witnessed, rows=rows)
    kept = (*KEPT, *(events_of(service) for service in SOURCES))
    for each in track(kept, "Facts", console=err, transient=True):
        yield from check_facts(connection, each)


@app.command("erase")
def erase(
    record: Annotated[UUID, typer.Argument(help="Id of the milestone record")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Erase what is personal in a milestone record: note, names of documents, reason of its withdrawal. For ever.

    The record and its leaves stay, a leaf tells of the erasure, and the log still verifies.
    """
    if not yes:
        typer.confirm(f"Erase note and names of documents of {record} for ever?", abort=True)

    async def run(url: str) -> None:
        database = Database("gateway", make_url(url).set(drivername="postgresql+psycopg"))
        try:
            async with database.transaction(OPERATOR) as session:
                await erase_record(session, record_id=record, caller=OPERATOR, now=real_now())
        finally:
            await database.close()

    try:
        with system.installation() as url:
            migrations.upgrade(url)
            asyncio.run(run(url))
    except DomainError as error:
        raise fail(error.detail) from error
    out.print("Erased. The log tells of it.", highlight=False)


def plain(url: str) -> str:
    """The address as psycopg takes it."""
    return url.replace("+psycopg", "")
