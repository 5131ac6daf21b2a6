"""Many transfers due on the same first of the month: how long two workers take, from the first to the last.

`python -m bench.first_of_month` plays the demonstration up to the eve of its day, makes as many schools of it as are
wanted, and starts the workers: processes that do everything which background work does, publishing included.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import psycopg
import typer
from psycopg import sql
from rich.console import Console

from services import system
from services.demo import cast, chapters, joining
from services.demo.play import Play
from services.demo.stage import Stage, environment

FIRST_URN = 200_000
BEFORE = (
    chapters.set_the_stage,
    chapters.ingest,
    chapters.find_a_supplier,
    chapters.agree,
    chapters.record,
    chapters.compare_tables,
    chapters.evaluate,
    joining.prepare,
)
WHOLE = (
    ("outcomes.establishment", "urn = %(urn)s"),
    ("outcomes.school_identifier", "school_id = %(school)s AND scheme = 'urn'"),
    ("outcomes.membership", "urn = %(urn)s AND left_on IS NULL"),
    ("outcomes.inspection", "urn = %(urn)s"),
    ("outcomes.judgement", "urn = %(urn)s"),
    ("outcomes.ring_fence", "contract_id = %(contract)s"),
    ("contracts.contract", "id = %(contract)s"),
    ("contracts.outcome", "contract_id = %(contract)s"),
    ("contracts.milestone", "contract_id = %(contract)s"),
    ("contracts.signature", "contract_id = %(contract)s"),
    ("contracts.payment", "contract_id = %(contract)s"),
    ("contracts.event", "subject_id = %(contract)s"),
    ("contracts.ocds_release", "contract_id = %(contract)s"),
    ("gateway.contract_ref", "contract_id = %(contract)s"),
    ("gateway.transfer", "id = %(transfer)s"),
    ("gateway.transfer_step", "transfer_id = %(transfer)s"),
    ("gateway.consent", "transfer_id = %(transfer)s"),
    ("gateway.fulfilment", "consent_id IN (SELECT id FROM gateway.consent WHERE transfer_id = %(transfer)s)"),
    ("gateway.job", "kind = 'carry_out'"),
)
"""Every row that belongs to a school on its way, by table."""
OWN_IDS = ("id", "consent_id")
"""Columns that get a value of their own in every copy, where they do not hold one of the identifiers above."""
CAUGHT_UP = (
    "UPDATE gateway.cursor SET (txid, position) = (SELECT txid, position FROM contracts.event"
    " ORDER BY txid DESC, position DESC LIMIT 1) WHERE source = 'contracts'"
)
"""What led to this day was read long ago."""
LEFT = "SELECT count(*) FROM gateway.transfer t LEFT JOIN gateway.hand_over h ON h.transfer_id = t.id WHERE h IS NULL"
WORKER = """
import asyncio, logging
from services import cli, system
cli.log_from(logging.ERROR)
asyncio.run(system.work(system.assemble()))
"""


def multiply(url: str, times: int) -> None:
    """Make so many schools on their way of the one that there is, each with rows of its own."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        query = (
            "SELECT t.id AS transfer, t.contract_id AS contract, e.school_id AS school, e.urn,"
            " t.reference AS of_transfer, r.reference AS of_contract FROM gateway.transfer t"
            " JOIN outcomes.establishment e ON e.urn = t.school_urn JOIN gateway.contract_ref r USING (contract_id)"
        )
        found = connection.execute(query)
        names = [column.name for column in found.description or ()]
        known = dict(zip(names, found.fetchone() or (), strict=True))
        for table, condition in WHOLE:
            copy_rows(connection, table, condition, known, times)
        connection.execute("ANALYZE")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(CAUGHT_UP)


def copy_rows(
    connection: "psycopg.Connection[tuple[object, ...]]",
    table: str,
    condition: str,
    known: dict[str, object],
    times: int,
) -> None:
    """Copy the rows of a table: identifiers of the school, contract and transfer become those of each copy."""
    schema, name = table.split(".")
    columns = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
        " AND is_identity = 'NO' AND is_generated = 'NEVER'",
        [schema, name],
    ).fetchall()
    listed = sql.SQL(", ").join(sql.Identifier(str(column)) for (column,) in columns)
    whole: sql.Composable = sql.SQL("to_jsonb(r)")
    for own in (own for own in OWN_IDS if (own,) in columns):
        fresh = sql.SQL("jsonb_build_object({}, md5(r.{}::text || n)::uuid)").format(
            sql.Literal(own), sql.Identifier(own)
        )
        keep = sql.SQL("r.{}::text IN (%(transfer)s::text, %(contract)s::text, %(school)s::text)").format(
            sql.Identifier(own)
        )
        whole = sql.SQL("{} || CASE WHEN {} THEN '{{}}' ELSE {} END").format(whole, keep, fresh)
    told: sql.Composable = sql.SQL("({})::text").format(whole)
    for part in ("transfer", "contract", "school"):
        told = sql.SQL("replace({0}, %({1})s::text, md5(%({1})s::text || n)::uuid::text)").format(told, sql.SQL(part))
    told = sql.SQL("replace({}, %(urn)s::text, ({} + n)::text)").format(told, sql.Literal(FIRST_URN))
    for part in ("of_transfer", "of_contract"):
        changed = sql.SQL("left(%({0})s, 9) || '9' || lpad(n::text, 5, '0')").format(sql.SQL(part))
        told = sql.SQL("replace({0}, %({1})s, {2})").format(told, sql.SQL(part), changed)
    statement = sql.SQL(
        "INSERT INTO {table} ({listed}) SELECT {listed} FROM ("
        "SELECT (jsonb_populate_record(NULL::{table}, {told}::jsonb)).* FROM {table} r, generate_series(1, %(times)s) n"
        " WHERE {condition}) made"
    ).format(table=sql.Identifier(schema, name), listed=listed, told=told, condition=sql.SQL(condition))
    connection.execute(statement, {**known, "times": times})


@contextmanager
def working(count: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """So many workers, each a process, until the end of the block."""
    started = [subprocess.Popen([sys.executable, "-c", WORKER]) for _ in range(count)]
    try:
        yield started
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def measure(url: str, workers: int) -> tuple[float, float]:
    """Seconds of time and of the workers' processors until every school has joined and its package is made."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection, working(workers):
        while connection.execute("SELECT count(*) FROM gateway.transfer WHERE status = 'completed'").fetchone() == (0,):
            time.sleep(0.01)
        begun, used = time.monotonic(), os.times()
        while connection.execute(LEFT).fetchone() != (0,):
            time.sleep(0.05)
        taken = time.monotonic() - begun
    now = os.times()
    return taken, now.children_user + now.children_system - used.children_user - used.children_system


def main(transfers: Annotated[int, typer.Option()] = 1000, workers: Annotated[int, typer.Option()] = 2) -> None:
    """Measure it and say so."""
    console = Console()
    with system.throwaway() as url, TemporaryDirectory() as folder:
        stage = Stage(url, Path(folder))
        with stage.open(), closing(Play(stage, Console(quiet=True))) as play:
            for chapter in BEFORE:
                chapter(play)
        values = {"RINGFENCE_DATABASE_URL": url, "RINGFENCE_KEYS_DIR": str(stage.keys_dir)}
        clock = {"RINGFENCE_NOW": f"{cast.EFFECTIVE_ON}T00:00:00", "RINGFENCE_OCID_PREFIX": system.SAMPLE_PREFIX}
        with environment(values | clock):
            multiply(url, transfers - 1)
            taken, used = measure(url, workers)
    console.print(
        f"{transfers} transfers, {workers} workers: {taken:.1f} s; {used:.1f} s of processor", highlight=False
    )


if __name__ == "__main__":
    typer.run(main)
