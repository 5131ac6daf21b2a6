"""What was kept before an upgrade is brought along: contracts without a history, releases that counted by the year."""

from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from migrations import run
from services.demo import cast
from services.kernel.types import Kind
from tests.integration.conftest import problem, to
from tests.integration.scenes import Actors
from tests.integration.test_releases import ATTAINMENT, PROGRESS, ks2, send
from tests.world import World, change


def migrate(url: str, revision: str, schema: str = "contracts") -> None:
    """Bring a schema to a revision, up or down."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        move = command.downgrade if revision < run.head(schema) else command.upgrade
        move(run.config(schema, connection), revision)
    engine.dispose()


async def test_an_old_contract_goes_on(seeded_world: World, actors: Actors, agreed: str) -> None:
    before = await actors["rsc"].get(agreed)
    for database in seeded_world.system.databases:
        await database.close()
    migrate(seeded_world.database_url, "0002")
    seeded_world.rows("SELECT agreed_hash FROM contracts.contract")
    migrate(seeded_world.database_url, run.head("contracts"))
    found = await actors["rsc"].get(agreed)
    same = ("id", "status", "title", "agreed_hash", "value_pence", "milestones", "entered_on", "offer")
    assert {name: found[name] for name in same} == {name: before[name] for name in same}
    assert found["term"]["latest_ends_on"] == cast.CONTRACT["term"]["ends_on"]
    assert [each["document"] for each in found["signatures"]] == ["offer/1"] * 3
    told = (await actors["rsc"].get(f"{agreed}/events"))["data"]
    assert told[-1]["type"] == "history.begun"
    assert "contract" in told[-1]["data"]["changes"]
    await actors["mat"].register(cast.SUPPLIER)
    await to(seeded_world, "2023-09-01")
    assert (await actors["rsc"].get(agreed))["status"] == "active"
    assert (await actors["rsc"].get(agreed, as_of="2023-09-01"))["status"] == "active"
    problem(await actors["rsc"].ask("GET", agreed, params={"as_of": "2023-06-19"}), 404, "not_found")


async def test_a_wider_table_that_a_narrower_one_had_kept_out_counts_after_the_upgrade(world: World) -> None:
    """When a release counted for all of a year, an older one that came late counted for nothing of it."""
    dfe, fields = await world.client(Kind.DFE), {"feed": "ks2", "academic_year": "2018/19"}
    narrow = await send(world, dfe, ks2(95, *PROGRESS), **fields, published_on="2024-03-22")
    wide = await send(world, dfe, ks2(90, *ATTAINMENT, *PROGRESS), **fields, published_on="2024-03-21")
    counting = "SELECT release_id::text, measure FROM outcomes.current_release ORDER BY measure"
    before = world.rows(counting)
    assert len(before) == 5
    for database in world.system.databases:
        await database.close()
    migrate(world.database_url, "0015", "outcomes")
    assert world.rows("SELECT release_id::text FROM outcomes.current_release") == [(narrow["id"],)]
    late = (
        f"UPDATE outcomes.release SET status = 'superseded', reason_code = 'older_snapshot' WHERE id = '{wide['id']}'"
    )
    change(world.database_url, late)
    migrate(world.database_url, run.head("outcomes"), "outcomes")
    assert world.rows(counting) == before
    assert await dfe.get(f"/v1/releases/{wide['id']}") == wide
