"""Many transfers due on the same day: carried out together, each exactly once, and none held back by another."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bench.first_of_month import multiply
from services.demo import cast
from services.gateway import calls
from services.gateway.joining import Transfer
from services.kernel.peers import Peer
from tests.integration.conftest import to
from tests.integration.scenes import Case
from tests.integration.test_transfer_day import join
from tests.world import Json

FOUND = "SELECT id::text, contract_id::text, school_urn, status, reason_code FROM gateway.transfer ORDER BY id"
EFFECTS = (
    "SELECT count(*), count(DISTINCT contract_id) FROM outcomes.full_membership",
    "SELECT count(*), count(DISTINCT urn) FROM outcomes.membership WHERE source = 'transfer' AND left_on IS NULL",
    "SELECT count(*), count(DISTINCT subject_id) FROM gateway.event WHERE type = 'transfer.completed'",
    "SELECT count(*), count(DISTINCT subject_id) FROM contracts.event WHERE type = 'contract.transferred'",
)


async def test_one_that_is_refused_keeps_no_other_back(ready: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    await asyncio.to_thread(multiply, ready.world.database_url, 3)
    one, *others = ready.world.rows(FOUND)
    taken = {"transfer_id": one[1], "contract_id": one[1], "school_urn": one[2], "trust_uid": cast.SUPPLIER}
    await join(ready, taken | {"effective_on": cast.EFFECTIVE_ON})
    asked, answered = [], calls.open_memberships

    async def counted(outcomes: Peer, rows: Sequence[tuple[Transfer, Json]]) -> Any:
        asked.append(len(rows))
        return await answered(outcomes, rows)

    monkeypatch.setattr(calls, "open_memberships", counted)
    await to(ready.world, cast.EFFECTIVE_ON)
    found = {row[0]: row[3:] for row in ready.world.rows(FOUND)}
    assert found.pop(one[0]) == ("scheduled", "refused:already_transferred")
    assert set(found) == {row[0] for row in others}
    assert set(found.values()) == {("completed", None)}
    assert sorted(asked[:5]) == [1, 1, 1, 1, 4]
    counts = [ready.world.rows(query)[0] for query in EFFECTS]
    assert counts == [(4, 4), (4, 4), (3, 3), (3, 3)]
