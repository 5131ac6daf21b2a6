"""What tests of subscriptions share: known contracts, events about them, and waiting for deliveries."""

from typing import Any
from uuid import UUID, uuid4

from services.gateway.models import Event
from services.kernel.auth import service_caller
from services.kernel.events import record
from services.kernel.types import real_now, utc_now
from services.outcomes.models import Event as OutcomesEvent
from services.system import System
from tests.world import Actor, Json, World, change

SELF = service_caller("gateway")
ALL = {"types": ["*"]}


def known_contract(world: World, **facts: Any) -> str:
    """A contract that the gateway knows; gives its id."""
    values = {
        "id": str(uuid4()),
        "organisation": "rsc-north-west",
        "region": "North West",
        "la_code": "350",
        "supplier": "4903",
        "responsible": None,
        "urn": 105_000,
        **facts,
    }
    change(
        world.database_url,
        "INSERT INTO gateway.contract_ref VALUES (%(id)s, 'CTR-2023-000001', 1, 'active', %(organisation)s,"
        " %(supplier)s, %(responsible)s, %(urn)s, %(region)s, %(la_code)s, '[]')",
        **values,
    )
    return str(values["id"])


TABLES = {"gateway": Event, "outcomes": OutcomesEvent}


async def happen(world: World, subject_id: str, *kinds: str, service: str = "gateway", **data: Json) -> None:
    """Events about a contract, or whatever has this id, one transaction each."""
    who = service_caller(service)
    for kind in kinds:
        async with world.database(service).transaction(who) as session:
            facts: Json = {"subject_id": UUID(subject_id), "actor": who.actor(), "data": data, "now": utc_now()}
            record(session, TABLES[service], kind=kind, **facts)


async def subscribed(actor: Actor, url: str, **body: Json) -> Json:
    """A subscription to everything, or to what the body says."""
    return await actor.post("/v1/subscriptions", {"url": url, **ALL, **body})


def now_due(world: World) -> None:
    """Time passes: every pause is over, and what a dead courier held can be taken by another."""
    change(world.database_url, "UPDATE gateway.line SET due_at = now()")


async def deliver(system: System) -> None:
    """The courier does what is due, until nothing is."""
    courier = system.workers[-1]
    while await courier.run_once(real_now()):
        pass
