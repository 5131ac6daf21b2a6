"""Row 72: many transfers due on the same first of the month, from the first school that joins to the last package.

The demonstration is played up to the eve of its day, and as many schools are made of it as are wanted. Two workers do
everything that background work does, publishing included.
"""

import os
import time
from collections.abc import Iterator

import psycopg
from sqlalchemy.engine import make_url

from bench import copies
from bench.contest import Goal, Measured, Result
from bench.copies import OF_THE_CONTRACT, OF_THE_SCHOOL
from bench.ground import Ground, plain
from bench.playing import played, working
from services.demo import cast, chapters, joining
from services.demo.stage import environment

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
    *OF_THE_SCHOOL,
    *OF_THE_CONTRACT,
    ("gateway.transfer", "id = %(transfer)s"),
    ("gateway.transfer_step", "transfer_id = %(transfer)s"),
    ("gateway.consent", "transfer_id = %(transfer)s"),
    ("gateway.fulfilment", "consent_id IN (SELECT id FROM gateway.consent WHERE transfer_id = %(transfer)s)"),
    ("gateway.job", "kind = 'carry_out'"),
)
"""Every row that belongs to a school on its way, by table."""
KNOWN = (
    "SELECT t.id AS transfer, t.contract_id AS contract, e.school_id AS school, e.urn,"
    " t.reference AS of_transfer, r.reference AS of_contract FROM gateway.transfer t"
    " JOIN outcomes.establishment e ON e.urn = t.school_urn JOIN gateway.contract_ref r USING (contract_id)"
)
CAUGHT_UP = (
    "UPDATE gateway.cursor SET (txid, position) = (SELECT txid, position FROM contracts.event"
    " ORDER BY txid DESC, position DESC LIMIT 1) WHERE source = 'contracts'"
)
"""What led to this day was read long ago."""
LEFT = "SELECT count(*) FROM gateway.transfer t LEFT JOIN gateway.hand_over h ON h.transfer_id = t.id WHERE h IS NULL"
TRANSFERS, WORKERS = 1000, 2


def multiply(url: str, times: int) -> None:
    """Make so many schools on their way of the one that there is, each with rows of its own."""
    copies.multiply(url, KNOWN, WHOLE, times)
    with psycopg.connect(plain(url)) as connection:
        connection.execute(CAUGHT_UP)


def measure(ground: Ground, prepared: str) -> tuple[float, float]:
    """Seconds of time and of the workers' processors until every school has joined and its package is made."""
    url = ground.database(make_url(prepared).database)
    try:
        with environment({"RINGFENCE_DATABASE_URL": url}):
            return carried_out(url)
    finally:
        ground.drop(url)


def carried_out(url: str) -> tuple[float, float]:
    """The same, of a database."""
    with psycopg.connect(plain(url), autocommit=True) as connection, working(WORKERS):
        while connection.execute("SELECT count(*) FROM gateway.transfer WHERE status = 'completed'").fetchone() == (0,):
            time.sleep(0.01)
        begun, used = time.monotonic(), os.times()
        while connection.execute(LEFT).fetchone() != (0,):
            time.sleep(0.05)
        taken = time.monotonic() - begun
    now = os.times()
    return taken, now.children_user + now.children_system - used.children_user - used.children_system


def run(ground: Ground, wanted: set[int]) -> Iterator[Result]:
    """The row, if it is wanted."""
    if 72 not in wanted:
        return
    transfers = ground.size.of(TRANSFERS)
    with played(ground, BEFORE, cast.EFFECTIVE_ON) as url:
        multiply(url, transfers - 1)
        runs = [measure(ground, url) for _ in range(ground.times)]
    words = f"{TRANSFERS:,} transfers due on the same day, {WORKERS} workers"
    ours = Measured.of([taken for taken, _ in runs])
    detail = {
        "slowest, s": max(taken for taken, _ in runs),
        "of processors, s": Measured.of([used for _, used in runs]).median,
    }
    yield Result(72, words, "s", ours, goal=Goal(at_most={"slowest, s": 60.0}), detail=detail)
