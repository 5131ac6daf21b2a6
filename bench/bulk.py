"""Row 2: a thousand records a request, beside loading the rows that they become by COPY."""

import itertools
import json
import secrets
import time
from collections.abc import Sequence

import psycopg
from psycopg import sql

from bench import load
from bench.contest import Goal, Result, Way, interleaved
from bench.ground import Ground, plain
from bench.senders import RECORD, Sender

CLIENTS, LINES, SECONDS = 2, 1000, 8.0
ROWS = 20 * LINES
TABLES = ("milestone_record", "leaf", "event")
"""What a record becomes: a row in each."""


def asks(senders: Sequence[Sender], tokens: Sequence[str]) -> list[load.Ask]:
    """What each client sends: a thousand records on its contracts, again and again."""

    def ask(sender: Sender, proof: str) -> load.Ask:
        place = itertools.cycle(sender.contracts)
        lines = [
            RECORD | {"contract_id": str(next(place)), "milestone_code": f"M{number % 8 + 1}"}
            for number in range(LINES)
        ]
        body = json.dumps({"records": lines}).encode()
        head = f"POST /v1/milestone-records HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {proof}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nIdempotency-Key: "
        return lambda: head.encode() + f'"{secrets.token_hex(16)}"\r\n\r\n'.encode() + body

    return [ask(sender, proof) for sender, proof in zip(senders[:CLIENTS], tokens, strict=False)]


def contest(ground: Ground, url: str, port: int, senders: Sequence[Sender], tokens: Sequence[str]) -> Result:
    """Ours over HTTP, and COPY of as many records as ours takes in a few requests, indexes and all."""
    load.run(port, asks(senders, tokens), SECONDS)
    with psycopg.connect(plain(url), autocommit=True) as connection:
        rows = {table: taken(connection, table) for table in TABLES}

        def copy(_: None) -> float:
            return copied(connection, rows) * 1e6

        found = interleaved(
            {
                "ours": Way(lambda _: load.run(port, asks(senders, tokens), SECONDS).each / LINES * 1e6),
                "COPY": Way(copy),
            },
            ground.times,
        )
    words = f"The same, {LINES:,} records a request, {CLIENTS} clients"
    goal = Goal(to_limit=1 / 0.15)
    return Result(2, words, "us", found["ours"], {}, found["COPY"], "COPY of the rows that they become", goal)


def taken(connection: "psycopg.Connection[tuple[object, ...]]", table: str) -> bytes:
    """Rows of a table as COPY writes them; and an empty table beside it that has all that it has."""
    named, like = sql.Identifier("gateway", table), sql.Identifier("public", table)
    connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(like, named))
    chosen = sql.SQL("COPY (SELECT * FROM {} ORDER BY id DESC LIMIT {}) TO STDOUT").format(named, sql.Literal(ROWS))
    with connection.cursor() as cursor, cursor.copy(chosen) as copy:
        return b"".join(bytes(piece) for piece in copy)


def copied(connection: "psycopg.Connection[tuple[object, ...]]", rows: dict[str, bytes]) -> float:
    """Seconds for each record: all rows in one durable transaction, into tables that are empty."""
    for table in rows:
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier("public", table)))
    begun = time.perf_counter()
    with connection.transaction(), connection.cursor() as cursor:
        for table, data in rows.items():
            with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier("public", table))) as copy:
                copy.write(data)
    return (time.perf_counter() - begun) / rows[TABLES[0]].count(b"\n")
