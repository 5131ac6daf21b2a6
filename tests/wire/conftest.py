"""Callers over real HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.kernel.types import Kind
from tests.wire.loopback import served
from tests.world import Actor, World


@pytest.fixture
async def dfe(world: World) -> Actor:
    """Somebody who may do everything that can be given."""
    return await world.client(Kind.DFE)


@pytest.fixture
async def wire(world: World, dfe: Actor) -> AsyncIterator[Actor]:
    """The same caller, over real HTTP."""
    async with served(world.system.apps["gateway"]) as url, httpx.AsyncClient(base_url=url, timeout=60) as http:
        yield Actor(http, dfe.headers)


@pytest.fixture
async def commissioner(seeded_world: World) -> Actor:
    """Somebody who drafts contracts, where the sample is."""
    return await seeded_world.client(Kind.COMMISSIONER, regions=["North West"])
