"""Setting up: what the environment may say, and what an installation refuses."""

import gc
import weakref
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from migrations import run as migrations
from services import system
from services.kernel.db import role_password, role_url
from tests.world import world_on


def test_the_clock_of_another_database_is_not_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RINGFENCE_DATABASE_URL", "postgresql://ringfence:secret@db/ringfence")
    monkeypatch.setenv("RINGFENCE_NOW", "2023-09-01")
    monkeypatch.delenv("RINGFENCE_OCID_PREFIX", raising=False)
    with pytest.raises(system.ClockNotMovable), system.installation(tmp_path):
        pass


def test_migrating_twice_changes_nothing_and_leaves_what_the_models_say(database_url: str) -> None:
    migrations.upgrade(database_url)
    assert migrations.differences(database_url) == []


async def test_a_system_that_was_closed_is_not_kept(database_url: str, keys_dir: Path) -> None:
    """The framework remembers every route's function: none may lead to its app, nor to what that holds."""
    async with world_on(database_url, keys_dir) as world:
        assert (await world.http.get("/docs")).status_code == 200
        apps = [weakref.ref(app) for app in world.system.apps.values()]
    del world
    gc.collect()
    assert [app() for app in apps] == [None, None, None]


def test_a_services_password_follows_from_the_owners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_DATABASE_URL", "postgresql://ringfence:secret@db/ringfence")
    found = role_url("contracts")
    assert found.username == "ringfence_contracts"
    assert found.password == role_password(make_url("postgresql://ringfence:secret@db/x"), "ringfence_contracts")
    assert found.password != role_url("gateway").password


def test_an_address_of_its_own_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_DATABASE_URL", "postgresql://ringfence:secret@db/ringfence")
    monkeypatch.setenv("RINGFENCE_TABLES_DATABASE_URL", "postgresql://ringfence_tables:own@other/ringfence")
    found = role_url("tables")
    assert (found.username, found.password, found.host) == ("ringfence_tables", "own", "other")


def test_an_owner_without_a_password_is_refused() -> None:
    with pytest.raises(ValueError, match="password"):
        role_url("contracts", "postgresql://ringfence@db/ringfence")


def test_services_with_an_address_elsewhere_do_not_run_here(monkeypatch: pytest.MonkeyPatch) -> None:
    assert system.here() == ["gateway", "contracts", "outcomes"]
    monkeypatch.setenv("RINGFENCE_OUTCOMES_URL", "http://elsewhere")
    assert system.here() == ["gateway", "contracts"]
