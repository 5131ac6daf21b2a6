"""Row 71: records that the gateway has accepted are applied to their contracts by the workers, as fast as it accepts.

A contract of the demonstration, with eight milestones of which three pay, is made a thousand times. Systems record on
all of them through the gateway as in row 1; then two workers take what was recorded to the contracts, and do all that
follows from it and all other background work meanwhile.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

import psycopg
from sqlalchemy.engine import make_url

from bench import copies, door, load
from bench.contest import Goal, Measured, Result
from bench.copies import OF_THE_CONTRACT, OF_THE_SCHOOL
from bench.ground import VAR, Ground, plain
from bench.playing import DOOR, played, working
from bench.senders import CLIENTS, EACH, Sender, clients, token
from bench.serving import serving, waited
from services.demo import cast, chapters
from services.demo.play import Play
from services.demo.stage import environment

DAY, SECONDS = "2024-03-01", 5.0
MORE = tuple(cast.milestone(f"M{number}", f"Step {number}", "delivery", "2024-06-30", 0) for number in range(4, 9))
KNOWN = (
    "SELECT gen_random_uuid() AS transfer, r.contract_id AS contract, e.school_id AS school, e.urn,"
    " 'TRF-0000-000000' AS of_transfer, r.reference AS of_contract FROM gateway.contract_ref r"
    " JOIN outcomes.establishment e ON e.urn = r.school_urn"
)
CAUGHT_UP = (
    "UPDATE gateway.cursor SET (txid, position) = (SELECT txid, position FROM contracts.event"
    " ORDER BY txid DESC, position DESC LIMIT 1) WHERE source IN ('contracts', 'announce:contracts')"
)
RECORD = {"status": "met", "occurred_on": "2024-02-29", "note": "Seen at work in every class, and the governors agree."}
RECORDED, ARRIVED = ("SELECT count(*) FROM gateway.milestone_record", "SELECT count(*) FROM gateway.delivery")
APPLIED = (
    "SELECT count(*) FILTER (WHERE result = 'applied'), count(*) = (SELECT count(*) FROM gateway.milestone_record),"
    " (SELECT count(*) FROM contracts.event WHERE type = 'milestone.decided'),"
    " (SELECT count(*) FROM contracts.milestone WHERE status = 'met'), (SELECT count(*) FROM contracts.milestone m"
    " JOIN contracts.payment p USING (contract_id, code) WHERE m.status = 'met' AND p.kind = 'milestone'"
    " AND p.status <> 'earned') FROM contracts.applied_record"
)
"""How many records decided, whether all arrived, how many decisions were told and stand, and what was not earned."""


class NotApplied(RuntimeError):
    """Something was lost or applied twice: there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds for each record, to accept it and to apply it; and how many of them decided a milestone."""

    accepted: float
    applied: float
    deciding: float


def agree(play: Play) -> None:
    """The demonstration's contract, with eight milestones."""
    with patch.dict(cast.CONTRACT, milestones=[*cast.CONTRACT["milestones"], *MORE]):
        chapters.agree(play)


def run(ground: Ground, wanted: set[int]) -> Iterator[Result]:
    """The row, if it is wanted."""
    if 71 not in wanted:
        return
    before = (chapters.set_the_stage, chapters.ingest, chapters.find_a_supplier, agree)
    with played(ground, before, DAY) as url:
        copies.multiply(url, KNOWN, (*OF_THE_SCHOOL, *OF_THE_CONTRACT), CLIENTS * EACH - 1)
        with psycopg.connect(plain(url)) as connection:
            connection.execute(CAUGHT_UP)
        senders = asyncio.run(senders_on(url))
        rounds = [one_round(ground, url, senders) for _ in range(ground.times + 1)][1:]
    ours, theirs = (Measured.of([getattr(each, name) * 1e6 for each in rounds]) for name in ("applied", "accepted"))
    detail = {"of these decided a milestone": Measured.of([each.deciding for each in rounds]).median}
    words = f"Records applied to {CLIENTS * EACH:,} contracts by two workers, as they come in row 1"
    yield Result(71, words, "us", ours, {"accepting them": theirs}, goal=Goal(to_peer=1), detail=detail)


async def senders_on(url: str) -> list[Sender]:
    """Systems of the supplier, each of which records on contracts of its own."""
    with psycopg.connect(plain(url)) as connection:
        ids = [row[0] for row in connection.execute("SELECT contract_id FROM gateway.contract_ref ORDER BY 1")]
    found = await clients(url, [cast.SUPPLIER] * CLIENTS)
    return [Sender(caller, secret, ids[number * EACH :][:EACH]) for number, (caller, secret) in enumerate(found)]


def one_round(ground: Ground, prepared: str, senders: list[Sender]) -> Found:
    """Record for some seconds, then apply all of it."""
    url, log = ground.database(make_url(prepared).database), VAR / "log"
    try:
        with environment({"RINGFENCE_DATABASE_URL": url}):
            with serving(["-c", DOOR], {}, log / "door") as (port, *_):
                tokens = [token(port, each.caller.client_id, each.secret) for each in senders]
                accepted = load.run(port, door.asks(senders, tokens, RECORD), SECONDS * ground.size.scale).each
            with psycopg.connect(plain(url), autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")
                (recorded,) = connection.execute(RECORDED).fetchone() or (0,)
                with working(2):
                    begun = waited(lambda: connection.execute(ARRIVED).fetchone() != (0,))
                    ended = waited(lambda: connection.execute(ARRIVED).fetchone() == (recorded,))
                deciding, whole, told, met, unearned = connection.execute(APPLIED).fetchone() or ()
    finally:
        ground.drop(url)
    if not whole or unearned or not deciding == told == met:
        raise NotApplied(f"{recorded} recorded; {deciding} decided, {told} told, {met} met, {unearned} unearned")
    return Found(accepted, (ended - begun) / recorded, deciding / recorded)
