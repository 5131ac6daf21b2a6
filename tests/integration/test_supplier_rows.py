"""What the database itself shows and allows of the register: asked directly, with no where-clause at all."""

from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.demo import cast
from services.kernel.auth import Caller
from services.kernel.types import Kind
from tests.integration.conftest import as_role
from tests.integration.scenes import Actors
from tests.integration.test_row_security import PARTIES, STRANGERS, caller
from tests.world import World, agreed_contract

FUNCTIONS = ("commitments('4903', NULL)", "verdicts()", "live_matters('{}')")
OWN = caller(Kind.SUPPLIER, trust_uid=cast.SUPPLIER)
TOLD = {"its supplier": OWN, "DfE": caller(Kind.DFE), "any commissioner": caller(Kind.COMMISSIONER)}
UNTOLD = {
    "another supplier": STRANGERS["another supplier"],
    "a supplier without a trust": STRANGERS["a supplier without a trust"],
    "the trust as a responsible body": caller(Kind.RESPONSIBLE_BODY, trust_uid=cast.SUPPLIER),
    "its contract's responsible body": PARTIES["its responsible body by trust"],
}
CONCERN = {"kind": "concern", "details": "x", "raised_on": "2023-06-01"}
RAISE = (
    "INSERT INTO contracts.supplier_matter (id, supplier_uid, kind, details, raised_on, raised_by)"
    " VALUES (gen_random_uuid(), '4903', :kind, 'x', '2023-06-01', '{}')"
)
RESOLVE = "UPDATE contracts.supplier_matter SET resolved_on = '2023-06-02', resolution = 'x', resolved_by = '{}'"
TELL = (
    "INSERT INTO contracts.event (id, type, subject_id, data, actor, occurred_at)"
    " SELECT gen_random_uuid(), :type, id, '{}', '{}', now() FROM contracts.supplier WHERE uid = '4903'"
)


async def sql(world: World, who: Caller, statement: str, **values: Any) -> Any:
    """What a statement gives under the role of contracts for a caller: rows, or how many were changed."""
    async with world.database("contracts").transaction(who) as session:
        found: Any = await session.execute(text(statement), values)
        return found.all() if found.returns_rows else found.rowcount


async def refused(world: World, who: Caller, statement: str, **values: Any) -> bool:
    """Whether row-level security refuses a statement."""
    try:
        await sql(world, who, statement, **values)
    except DBAPIError as error:
        return "row-level security" in str(error)
    return False


async def test_matters_and_their_events_show_to_those_whom_they_concern(seeded_world: World, actors: Actors) -> None:
    await actors["rsc"].post(f"/v1/suppliers/{cast.SUPPLIER}/matters", CONCERN)
    matters, told = "SELECT FROM contracts.supplier_matter", "SELECT FROM contracts.event WHERE type LIKE 'matter.%'"
    for name, who in TOLD.items():
        assert (len(await sql(seeded_world, who, matters)), len(await sql(seeded_world, who, told))) == (1, 1), name
    for name, who in UNTOLD.items():
        assert (await sql(seeded_world, who, matters), await sql(seeded_world, who, told)) == ([], []), name


async def test_the_register_and_its_events_show_to_every_caller_and_to_nobody_without_one(
    seeded_world: World, actors: Actors
) -> None:
    entries, told = "SELECT FROM contracts.supplier", "SELECT FROM contracts.event WHERE type LIKE 'supplier.%'"
    for who in (*TOLD.values(), *UNTOLD.values()):
        assert (len(await sql(seeded_world, who, entries)), len(await sql(seeded_world, who, told))) == (1, 1)
    with as_role(seeded_world.database_url, "contracts") as connection:
        for statement in (entries, told, "SELECT FROM contracts.supplier_matter"):
            assert connection.execute(statement).fetchall() == []  # type: ignore[arg-type]


async def test_nobody_writes_anothers_entry_or_event(seeded_world: World, actors: Actors) -> None:
    change = "UPDATE contracts.supplier SET max_contracts = 99"
    for name, who in UNTOLD.items():
        assert await refused(seeded_world, who, change), name
        for kind in ("supplier.changed", "matter.raised"):
            assert await refused(seeded_world, who, TELL, type=kind), (name, kind)
    assert await sql(seeded_world, OWN, change) == 1
    assert await sql(seeded_world, OWN, TELL, type="supplier.changed") == 1
    assert await refused(seeded_world, OWN, TELL, type="contract.signed")


async def test_every_caller_may_lock_an_entry_as_signing_does(seeded_world: World, actors: Actors) -> None:
    for who in (*TOLD.values(), *UNTOLD.values()):
        assert len(await sql(seeded_world, who, "SELECT FROM contracts.supplier FOR UPDATE")) == 1


async def test_a_supplier_declares_conflicts_but_raises_and_resolves_nothing(
    seeded_world: World, actors: Actors
) -> None:
    assert await refused(seeded_world, OWN, RAISE, kind="concern")
    assert await sql(seeded_world, OWN, RAISE, kind="conflict") == 1
    assert await sql(seeded_world, OWN, RESOLVE) == 0
    for name, who in UNTOLD.items():
        assert await refused(seeded_world, who, RAISE, kind="conflict"), name
        assert await sql(seeded_world, who, RESOLVE) == 0, name
    assert await sql(seeded_world, TOLD["any commissioner"], RESOLVE) == 1


async def test_figures_of_others_contracts_are_told_without_their_rows(seeded_world: World, actors: Actors) -> None:
    await agreed_contract(actors)
    stranger = STRANGERS["another supplier"]
    assert await sql(seeded_world, stranger, "SELECT FROM contracts.contract") == []
    ((starts_on, ends_on, pupils),) = await sql(seeded_world, stranger, f"SELECT * FROM contracts.{FUNCTIONS[0]}")
    assert (str(starts_on), str(ends_on), pupils) == ("2023-09-01", "2024-08-31", 936)
    verdicts = await sql(seeded_world, stranger, f"SELECT * FROM contracts.{FUNCTIONS[1]} ORDER BY intervention")
    assert [tuple(row) for row in verdicts] == [
        (cast.SUPPLIER, "attendance", "running", 1),
        (cast.SUPPLIER, None, "running", 1),
    ]


async def test_the_functions_run_as_their_owner_on_a_fixed_path(seeded_world: World) -> None:
    found = seeded_world.rows(
        "SELECT p.proname, p.prosecdef, p.proconfig, p.provolatile::text FROM pg_proc p"
        " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'contracts'"
        " AND p.proname IN ('commitments', 'verdicts', 'live_matters') ORDER BY 1"
    )
    path = ["search_path=pg_catalog, pg_temp"]
    assert found == [(name, True, path, "s") for name in ("commitments", "live_matters", "verdicts")]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_role_of_contracts_may_ask(empty_url: str, function: str) -> None:
    query = f"SELECT * FROM contracts.{function}"
    with as_role(empty_url, "contracts") as connection:
        assert connection.execute(query).fetchall() == []  # type: ignore[arg-type]
    for role in ("outcomes", "gateway", "tables"):
        with as_role(empty_url, role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(query)  # type: ignore[arg-type]
    may = "SELECT has_function_privilege('ringfence_gateway', 'contracts.verdicts()', 'EXECUTE')"
    with as_role(empty_url, "contracts") as connection:
        assert connection.execute(may).fetchone() == (False,)
