"""Two transactions that want what the other one holds: one is undone, and its caller is told so."""

import asyncio

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import text

from services.kernel.auth import service_caller
from services.kernel.problems import install
from tests.integration.conftest import problem
from tests.world import World

LOCK = text("SELECT pg_advisory_xact_lock(:number)")
SELF = service_caller("outcomes")


@pytest.fixture
def app(world: World) -> FastAPI:
    """An app of which every path takes two locks in the order it names, the second when another has its first too."""
    app, database, both = FastAPI(), world.database("outcomes"), asyncio.Barrier(2)
    install(app, {})

    @app.get("/{first}/{second}")
    async def take(first: int, second: int) -> None:
        async with database.transaction(SELF) as session:
            await session.execute(LOCK, {"number": first})
            await asyncio.wait_for(both.wait(), 10)
            await session.execute(LOCK, {"number": second})

    return app


async def test_of_two_that_hold_each_other_up_one_is_done_and_one_is_told_to_come_again(app: FastAPI) -> None:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://door") as http:
        answers = await asyncio.gather(http.get("/1/2"), http.get("/2/1"))
    done, told = sorted(answers, key=lambda answer: answer.status_code)
    assert done.status_code == 200
    assert "Another change to the same things was under way" in problem(told, 503, "unavailable")["detail"]
    assert told.headers["retry-after"] == "1"
