"""Rows are bound to their caller by the database itself, so that a forgotten where-clause leaks nothing."""

from typing import Any

import pytest
from sqlalchemy import text

from services.demo import cast
from services.kernel.auth import Caller, service_caller
from services.kernel.types import Kind
from tests.integration.conftest import as_role
from tests.world import World, agreed_contract, rows


def test_every_table_that_belongs_to_a_contract_or_a_trust_is_bound_to_its_caller(empty_url: str) -> None:
    open_tables = rows(
        empty_url,
        "SELECT DISTINCT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('contract_id', 'trust_uid')"
        " WHERE n.nspname IN ('contracts', 'gateway') AND c.relkind = 'r' AND NOT c.relrowsecurity",
    )
    assert open_tables == [("contracts.ocds_release",)], "only what was published is everybody's"


def caller(kind: Kind, **bounds: Any) -> Caller:
    """Somebody as row-level security sees them."""
    return Caller("somebody", "somebody", kind, bounds.pop("organisation", "somebody"), **bounds)


STRANGERS = {
    "another supplier": caller(Kind.SUPPLIER, trust_uid=cast.ANOTHER_TRUST),
    "a supplier without a trust": caller(Kind.SUPPLIER),
    "the same commissioner in another region": caller(
        Kind.COMMISSIONER, organisation="rsc-north-west", regions=("London",)
    ),
    "another commissioner of the same region": caller(Kind.COMMISSIONER, organisation="other", regions=(cast.REGION,)),
    "another responsible body": caller(Kind.RESPONSIBLE_BODY, trust_uid=cast.ANOTHER_TRUST),
    "a responsible body of another school": caller(Kind.RESPONSIBLE_BODY, urns=(cast.CLOSED_SCHOOL,)),
    "a responsible body of nothing": caller(Kind.RESPONSIBLE_BODY),
}
PARTIES = {
    "its supplier": caller(Kind.SUPPLIER, trust_uid=cast.SUPPLIER),
    "its commissioner": caller(Kind.COMMISSIONER, organisation="rsc-north-west", regions=(cast.REGION,)),
    "its responsible body by trust": caller(Kind.RESPONSIBLE_BODY, trust_uid=cast.OUTGOING),
    "its responsible body by school": caller(Kind.RESPONSIBLE_BODY, urns=(cast.SCHOOL,)),
    "DfE": caller(Kind.DFE),
    "a service": service_caller("contracts"),
}
BOUND = {
    "contracts": ("contract", "outcome", "milestone", "signature", "payment", "event"),
    "gateway": ("contract_ref",),
}


OF_THE_REGISTER = {"event": " WHERE type NOT LIKE 'supplier.%'"}
"""The register of suppliers, and what happens to its entries, is everybody's to read."""


async def counts(world: World, who: Caller) -> dict[str, int]:
    """How many rows of contracts a caller sees in each table, with no where-clause that asks for the caller's."""
    found = {}
    for service, tables in BOUND.items():
        async with world.database(service).transaction(who) as session:
            for table in tables:
                seen = await session.execute(
                    text(f"SELECT count(*) FROM {service}.{table}{OF_THE_REGISTER.get(table, '')}")
                )
                found[f"{service}.{table}"] = seen.scalar_one()
    return found


async def test_rows_of_a_contract_show_to_its_parties_and_to_nobody_else(seeded_world: World) -> None:
    await agreed_contract(await seeded_world.cast())
    await seeded_world.settle()
    for name, who in PARTIES.items():
        seen = await counts(seeded_world, who)
        assert all(seen.values()), (name, seen)
    for name, who in STRANGERS.items():
        seen = await counts(seeded_world, who)
        assert not any(seen.values()), (name, seen)


async def test_without_a_caller_no_row_shows(seeded_world: World) -> None:
    await agreed_contract(await seeded_world.cast())
    await seeded_world.settle()
    for service, tables in BOUND.items():
        with as_role(seeded_world.database_url, service) as connection:
            for table in tables:
                seen = connection.execute(f"SELECT count(*) FROM {service}.{table}").fetchone()  # type: ignore[arg-type]
                assert seen == (0,), table


async def test_a_draft_shows_to_its_commissioner_only(seeded_world: World) -> None:
    actors = await seeded_world.cast()
    await actors["rsc"].post("/v1/contracts", cast.CONTRACT)
    for name in ("its supplier", "its responsible body by trust", "its responsible body by school"):
        assert not any((await counts(seeded_world, PARTIES[name])).values()), name
    assert (await counts(seeded_world, PARTIES["its commissioner"]))["contracts.contract"] == 1


async def test_nobody_writes_a_row_into_another_ones_contract(seeded_world: World) -> None:
    path = await agreed_contract(await seeded_world.cast())
    stranger = STRANGERS["another supplier"]
    with pytest.raises(Exception, match="row-level security"):
        async with seeded_world.database("contracts").transaction(stranger) as session:
            await session.execute(
                text(
                    "INSERT INTO contracts.payment (contract_id, kind, code, amount_pence, status, updated_at)"
                    " VALUES (:id, 'fee', 'OTHER', 1, 'scheduled', now())"
                ),
                {"id": path.rpartition("/")[2]},
            )
