"""What is thrown away: attempts by the month, with the deliveries that were finished before, and nothing else."""

import asyncio
from typing import Any

import psycopg
import pytest

from migrations.run import head
from services.gateway.settings import Settings as GatewaySettings
from services.kernel.types import Kind
from tests.integration.conftest import as_role
from tests.integration.subscribing import happen, known_contract, subscribed
from tests.integration.test_commands import run
from tests.integration.test_upgrade import migrate
from tests.world import World, change

TRIED = """
INSERT INTO gateway.attempt (dispatch_id, started_at, duration_ms)
SELECT id, now() - %(days)s * interval '1 day', %(days)s FROM gateway.dispatch
ORDER BY position OFFSET %(place)s LIMIT 1
"""
FINISHED = """
UPDATE gateway.dispatch SET status = 'delivered', finished_at = now() - %(days)s * interval '1 day'
WHERE position = (SELECT position FROM gateway.dispatch ORDER BY position OFFSET %(place)s LIMIT 1)
"""
LONG_AGO = """
ALTER TABLE gateway.attempt DETACH PARTITION gateway.attempt_before;
DO $$ BEGIN
    EXECUTE format('ALTER TABLE gateway.attempt ATTACH PARTITION gateway.attempt_before FOR VALUES FROM (MINVALUE)'
        ' TO (%L)', date_trunc('month', now(), 'UTC') - interval '8 months');
    FOR months IN 1..2 LOOP
        EXECUTE format('DROP TABLE gateway.%I',
            to_char(date_trunc('month', now(), 'UTC') + months * interval '1 month', '"attempt_"YYYY_MM'));
    END LOOP;
END $$
"""
"""As if the last month had been made eight months ago, and nobody had made another since."""
LEFT = """
SELECT row_number() OVER (ORDER BY position) - 1, status,
    (SELECT coalesce(array_agg(duration_ms ORDER BY id), '{}') FROM gateway.attempt a WHERE a.dispatch_id = d.id)
FROM gateway.dispatch d ORDER BY position
"""
MONTHS = """
SELECT min(begins_at) <= now() - interval '90 days', min(ends_at) > now() - interval '90 days',
    max(ends_at) = date_trunc('month', now(), 'UTC') + interval '3 months', count(*) BETWEEN 6 AND 7
FROM gateway.attempt_month
"""


@pytest.fixture
async def delivering(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Five deliveries that nobody has tried to make."""
    monkeypatch.setenv("RINGFENCE_OCID_PREFIX", "ocds-test01")
    dfe, contract = await world.client(Kind.DFE), known_contract(world)
    monkeypatch.setattr(type(world.system.apps["gateway"].state.reach), "check", lambda *_: asyncio.sleep(0))
    await subscribed(dfe, "https://127.0.0.1/")
    await happen(world, contract, *["milestone.recorded"] * 5)
    await world.settle()
    change(world.database_url, "SET session_replication_role = replica; DELETE FROM gateway.attempt")
    return world


async def test_old_months_go_with_their_deliveries_and_young_ones_stay(
    delivering: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = delivering.database_url
    change(url, LONG_AGO)
    for place, tried, finished in ((0, (200, 199), 199), (1, (200, 6), 6), (2, (200,), None), (3, (89,), 89)):
        for days in tried:
            change(url, TRIED, place=place, days=days)
        if finished is not None:
            change(url, FINISHED, place=place, days=finished)
    change(url, FINISHED, place=4, days=199)
    assert delivering.rows("SELECT count(*) FROM gateway.attempt_other") == [(6,)], "nobody has made their months"
    facts = "SELECT (SELECT count(*) FROM gateway.announcement), (SELECT count(*) FROM gateway.event)"
    before = delivering.rows(facts)

    assert "gateway: deliveries: 2" in (await run("prune")).splitlines()

    left: list[Any] = delivering.rows(LEFT)
    assert left == [(0, "delivered", [6]), (1, "waiting", []), (2, "delivered", [89])]
    assert delivering.rows(MONTHS) == [(True, True, True, True)]
    assert delivering.rows("SELECT count(*) FROM gateway.attempt_other") == [(0,)]
    assert delivering.rows(facts) == before
    assert "gateway: deliveries: 0" in (await run("prune")).splitlines()
    with as_role(url, "gateway") as role:
        pruned = [role.execute("SELECT gateway.prune_deliveries(0)").fetchone() for _ in range(2)]
        assert pruned == [(1,), (0,)], "a week stays, whatever is asked"
        assert delivering.rows(LEFT) == left[:2]
        for part in delivering.rows("SELECT name FROM gateway.attempt_month"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                role.execute(f"SELECT FROM gateway.{part[0]}")
    monkeypatch.setenv("RINGFENCE_DELIVERY_DAYS", "1")
    with pytest.raises(ValueError, match="delivery_days"):
        GatewaySettings()


async def test_attempts_that_were_made_before_there_were_months_are_kept(delivering: World) -> None:
    url, held = (
        delivering.database_url,
        "SELECT id, dispatch_id, started_at, duration_ms FROM gateway.attempt ORDER BY id",
    )
    for place in range(5):
        change(url, TRIED, place=place, days=40 * place)
    before = delivering.rows(held)
    for database in delivering.system.databases:
        await database.close()
    migrate(url, "0011", "gateway")
    assert delivering.rows(held) == before
    migrate(url, head("gateway"), "gateway")
    assert delivering.rows(held) == before
    change(url, TRIED, place=0, days=-40)
    assert delivering.rows("SELECT max(id) FROM gateway.attempt") == [(before[-1][0] + 1,)]
    parts = "SELECT tableoid::regclass::text, count(*) FROM gateway.attempt GROUP BY 1 ORDER BY 2"
    (_, one), (old, five) = delivering.rows(parts)
    assert (one, old, five) == (1, "gateway.attempt_before", 5)
