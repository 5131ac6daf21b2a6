"""Rows 63 and 64: one evaluation by the API, in a process that has judged before and in one that has not."""

import time
from collections.abc import Awaitable, Sequence
from typing import Any
from uuid import uuid4

import numpy as np

from bench import analyst
from bench.contest import Goal, Measured, Result, timed
from bench.ground import Ground
from bench.national import TERM, YEAR, Contract, Panels, contracts
from services import keys
from services.kernel.auth import service_caller
from services.kernel.db import Database, role_url
from services.kernel.peers import Peer
from services.kernel.tokens import Signer, Verifier
from services.outcomes import app, columns
from services.outcomes import panels as kept_panels
from services.outcomes import registers as kept_registers
from services.outcomes.rules.years import academic_year_text
from services.transport import connect

SAMPLE = 10
BY_API = 50
CONTRACTS_SERVICE = service_caller("contracts")


async def by_api(ground: Ground, url: str, schools: Panels, wanted: set[int]) -> list[Result]:
    """One evaluation by the internal route, in this process: token, transaction, judgement, stored verdict."""
    own, tables = Database("outcomes", role_url("outcomes", url)), Database("tables", role_url("tables", url))
    peer = Peer(
        "outcomes",
        connect(None, app.build(own, tables, Verifier(keys.Folder(ground.keys_dir)))),
        Signer(keys.Folder(ground.keys_dir), "contracts"),
    )
    part = contracts(schools, ground.size, BY_API)
    books = analyst.notebooks(schools)
    asked = [await body(peer, each) for each in part]
    stored = await peer.ask("POST", "/internal/evaluations", caller=CONTRACTS_SERVICE, body=asked[0])
    theirs = Measured.of([timed(lambda at=at: analyst.effects(books, [part[at]])) for at in range(SAMPLE)])  # type: ignore[misc]
    found = []
    if 63 in wanted:
        warm, reads, path = [], [], f"/internal/evaluations/{stored['id']}"
        for question in asked:
            fresh = question | {"contract_id": str(uuid4())}
            warm.append(await lasting(peer.ask("POST", "/internal/evaluations", caller=CONTRACTS_SERVICE, body=fresh)))
            reads.append(await lasting(peer.ask("GET", path, caller=CONTRACTS_SERVICE)))
        words = "One evaluation by the API, national data: judged and stored (median of 50)"
        ours, goal = middle(warm), Goal(at_most={"median, ms": 150})
        peers = {"pandas and statsmodels, data in memory, nothing stored": theirs}
        detail = {"median, ms": 1e3 * ours.median}
        found.append(Result(63, words, "s", ours, peers, middle(reads), "reading a stored verdict", goal, detail))
    if 64 in wanted:
        cold = []
        for question in asked[: ground.times]:
            forget()
            fresh = question | {"contract_id": str(uuid4())}
            cold.append(await lasting(peer.ask("POST", "/internal/evaluations", caller=CONTRACTS_SERVICE, body=fresh)))
        reading = [timed(lambda: analyst.read(url)) for _ in range(ground.times)]
        words = "The first evaluation of a process: all of its phase is read, then judged and stored"
        peers = {"pandas read_sql of the same results": Measured.of(reading)}
        found.append(Result(64, words, "s", Measured.of(cold), peers, goal=Goal(to_peer=3)))
    await peer.client.aclose()
    await own.close()
    await tables.close()
    return found


def middle(runs: Sequence[float]) -> Measured:
    """The median with the spread between the quartiles, since of fifty requests one is always late."""
    low, median, high = np.percentile(runs, (25, 50, 75)).tolist()
    return Measured(median, (high - low) / median, len(runs))


async def lasting(work: Awaitable[Any]) -> float:
    """The seconds that it takes."""
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun


def forget() -> None:
    """Empty what a process keeps, as it is after a start."""
    for kept in (columns.KEEP, kept_panels.MERGED, kept_registers.KEPT):
        kept.clear()


async def body(peer: Peer, contract: Contract) -> dict[str, Any]:
    """The question about a contract, with the baselines that the product itself gives."""
    measures = [each.measure.code for each in contract.outcomes]
    facts = await peer.ask(
        "POST",
        "/internal/facts",
        caller=CONTRACTS_SERVICE,
        body={
            "urn": str(contract.urn),
            "trust_uid": contract.supplier_uid,
            "measures": measures,
            "starts_on": str(TERM.starts_on),
        },
    )
    return {
        "contract_id": str(uuid4()),
        "school_urn": str(contract.urn),
        "supplier_uid": contract.supplier_uid,
        "starts_on": str(TERM.starts_on),
        "ends_on": str(TERM.ends_on),
        "academic_year": academic_year_text(YEAR),
        "organisation": "bench",
        "run": "final",
        "requested_by": {"kind": "service", "subject": "contracts"},
        "outcomes": [
            {
                "code": each.code,
                "measure": each.measure.code,
                "weight": each.weight,
                "critical": each.critical,
                "target": {"mode": str(each.mode), "value": each.target},
                "baseline": facts["measures"][each.measure.code]["baseline"],
            }
            for each in contract.outcomes
        ],
    }
