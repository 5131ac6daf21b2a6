"""`ringfence log verify`: what an owner of the database changes with triggers switched off is found, and named."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg.rows import dict_row
from typer.testing import CliRunner

from services.cli import app
from services.gateway.rules import checkpoint as notes
from services.gateway.settings import Settings
from services.keys import load_log_key
from services.log_commands import problems, problems_on
from tests.integration.conftest import finish_steps, schedule
from tests.integration.scenes import Case as Played
from tests.integration.scenes import Scene
from tests.world import at, clone, drop, named, plain_url, rows, world_on

ORIGIN = Settings().log_origin


@dataclass(frozen=True)
class Told:
    """A database in which everything that the log speaks of has happened; and how to look at it."""

    database: str
    owner_url: str
    keys_dir: Path

    @property
    def url(self) -> str:
        """Its address."""
        return named(self.owner_url, self.database)

    @property
    def public(self) -> Ed25519PublicKey:
        """The key under which its log is signed."""
        return load_log_key(self.keys_dir).public_key()

    def found(self, statement: str) -> list[str]:
        """What is found once the owner has done this; it is rolled back afterwards."""
        with psycopg.connect(plain_url(self.url), row_factory=dict_row) as connection:
            tamper(connection, statement)
            found = list(problems_on(connection, ORIGIN, self.public, None))
            connection.rollback()
            return found

    def problems(self, witnessed: notes.Checkpoint | None = None) -> list[str]:
        """What is found as it stands."""
        return list(problems(self.url, ORIGIN, self.public, witnessed))


def tamper(connection: "psycopg.Connection[Any]", statement: str) -> None:
    """Change something as an owner does who switches triggers and foreign keys off."""
    connection.execute("SET LOCAL session_replication_role = replica")
    assert connection.execute(statement).rowcount > 0, statement  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def told(scene: Scene, owner_url: str, keys_dir: Path) -> Iterator[Told]:
    url = clone(owner_url, scene.database)

    async def play() -> None:
        async with world_on(url, keys_dir) as world:
            actors = {name: world.again(headers) for name, headers in scene.headers.items()}
            case = Played(world, actors, scene.contract, scene.transfer)
            await schedule(case)
            await finish_steps(case)
            made = (await case["rsc"].get(f"{case.contract}/records"))["data"]
            reason = {"reason": "It was Jane's mistake."}
            await case["rsc"].post(f"/v1/milestone-records/{made[0]['id']}/withdrawal", reason)
            key = await case["dfe"].post("/v1/api-keys", {"trust_uid": "2059", "scopes": ["finance:read"]})
            await case["dfe"].post(f"/v1/api-keys/{key['id']}/rotation", None)
            assert (
                await case["dfe"].ask("DELETE", f"/v1/api-keys/{key['id']}", headers={"If-Match": "*"})
            ).status_code == 204
            client = {"name": "reader", "kind": "dfe", "scopes": ["log:read"]}
            made = await case["dfe"].post("/v1/clients", client)
            await case["dfe"].change(f"/v1/clients/{made['id']}", "disablement")
            await world.settle()

    with at("2025-03-21T10:00:00"):
        asyncio.run(play())
    name = url.partition("?")[0].rpartition("/")[2]
    yield Told(name, owner_url, keys_dir)
    drop(owner_url, url)


def test_a_log_that_nobody_touched_holds(told: Told) -> None:
    assert told.problems() == []


RECORDS = "UPDATE gateway.milestone_record"
RECORD = "id = (SELECT id FROM gateway.milestone_record ORDER BY id DESC LIMIT 1)"
LEAF = "(SELECT max(id) FROM gateway.leaf WHERE kind = 'milestone.recorded')"
NEW_RECORD = (
    "INSERT INTO gateway.milestone_record SELECT gen_random_uuid(), contract_id, milestone_code, status, occurred_on,"
    " note, evidence, recorded_at, recorded_by, leaf_hash FROM gateway.milestone_record LIMIT 1"
)
EDITS = {
    "milestone record .*: status was edited": f"{RECORDS} SET status = 'not_met' WHERE {RECORD}",
    "milestone record .*: occurred_on was": f"{RECORDS} SET occurred_on = '2020-01-01' WHERE {RECORD}",
    "milestone record .*: milestone_code": f"{RECORDS} SET milestone_code = 'X' WHERE {RECORD}",
    "milestone record .*: recorded_at": f"{RECORDS} SET recorded_at = now() WHERE {RECORD}",
    "milestone record .*: note was edited": f"{RECORDS} SET note = 'other' WHERE {RECORD}",
    "milestone record .*: documents was": f"{RECORDS} SET evidence ="
    f' \'[{{"title": "x", "url": "y", "sha256": null}}]\' WHERE {RECORD}',
    "milestone record .*: contract_id was": f"{RECORDS} SET contract_id = id WHERE {RECORD}",
    "milestone record .*: actor was": f"{RECORDS} SET recorded_by ="
    f' recorded_by || \'{{"name": "other"}}\' WHERE {RECORD}',
    "milestone record .*: recorded_by was": f"{RECORDS} SET recorded_by ="
    f' recorded_by || \'{{"client_id": "other"}}\' WHERE {RECORD}',
    "milestone record .*: leaf_hash was": f"{RECORDS} SET leaf_hash = repeat('0', 64) WHERE {RECORD}",
    "milestone record .*: was removed": f"DELETE FROM gateway.milestone_record WHERE {RECORD}",
    "milestone record .*: no leaf tells": NEW_RECORD,
    "withdrawal .*: reason was edited": "UPDATE gateway.withdrawal SET reason = 'other'",
    "withdrawal .*: was removed": "DELETE FROM gateway.withdrawal",
    "withdrawal .*: record_id was": "UPDATE gateway.withdrawal SET record_id = id",
    "consent .*: decision was edited": "UPDATE gateway.consent SET decision = 'declined' WHERE by = 'trust_board'",
    "consent .*: decided_on was": "UPDATE gateway.consent SET decided_on = '2020-01-01' WHERE by = 'trust_board'",
    "consent .*: conditions was": "UPDATE gateway.consent SET conditions = '[\"x\"]' WHERE by = 'trust_board'",
    "consent .*: told was": "UPDATE gateway.consent SET prepare_id = 1 WHERE by = 'rsc'",
    "consent .*: was removed": "DELETE FROM gateway.consent WHERE by = 'trust_board'",
    "transfer .*: status was edited": "UPDATE gateway.transfer SET status = 'completed'",
    "transfer .*: effective_on was": "UPDATE gateway.transfer SET effective_on = '2031-01-01'",
    "transfer .*: evidence was": "UPDATE gateway.transfer SET evidence = '{}'",
    "transfer .*: trust_uid was": "UPDATE gateway.transfer SET trust_uid = '1'",
    "transfer .*: was removed": "DELETE FROM gateway.transfer",
    "step .*: step_status was": "UPDATE gateway.transfer_step SET status = 'not_applicable' WHERE status = 'done'",
    "step .*: was removed": "UPDATE gateway.transfer_step SET status = 'open', finished_at = NULL",
    "step .*: no leaf tells": "UPDATE gateway.transfer_step SET status = 'done', finished_at = now(),"
    " finished_by = '{\"client_id\": \"x\"}' WHERE status = 'open'",
    "client .*: scopes was edited": "UPDATE gateway.client SET scopes = '[\"log:read\"]' WHERE kind = 'commissioner'",
    "client .*: regions was": "UPDATE gateway.client SET regions = '[\"London\"]' WHERE kind = 'commissioner'",
    "client .*: secret_hash was": "UPDATE gateway.client SET secret_hash = repeat('0', 64) WHERE kind = 'commissioner'",
    "client .*: disabled_at was": "UPDATE gateway.client SET disabled_at = NULL WHERE disabled_at IS NOT NULL",
    "client .*: no leaf tells": "INSERT INTO gateway.client SELECT 'intruder', name, kind, organisation, scopes,"
    " regions, la_codes, trust_uid, urns, secret_hash, created_at, disabled_at FROM gateway.client LIMIT 1",
    "API key .*: trust_uid was": "UPDATE gateway.api_key SET trust_uid = '1' WHERE trust_uid = '2059'",
    "API key .*: expires_at was": "UPDATE gateway.api_key SET expires_at = expires_at + interval '1 year'",
    "API key .*: revoked_at was": "UPDATE gateway.api_key SET revoked_at = NULL WHERE revoked_at IS NOT NULL",
    "API key .*: was removed": "DELETE FROM gateway.api_key WHERE revoked_at IS NOT NULL",
    "event of contracts .*: data was": "UPDATE contracts.event SET data = data || '{\"version\": 99}'"
    " WHERE type = 'payment.earned'",
    "event of contracts .*: words was": 'UPDATE contracts.event SET data = data || \'{"reason": "other"}\''
    " WHERE type = 'payment.earned'",
    "event of contracts .*: was removed": "DELETE FROM contracts.event WHERE type = 'payment.earned'",
    "event of outcomes .*: was removed": "DELETE FROM outcomes.event WHERE type = 'evaluation.made'",
    "event of outcomes .*: no leaf tells": "INSERT INTO outcomes.event (id, txid, type, subject_id, data, actor,"
    " occurred_at) SELECT gen_random_uuid(), 1, type, subject_id, data, actor, occurred_at FROM outcomes.event LIMIT 1",
    "leaf .*: was edited": f"UPDATE gateway.leaf SET data = replace(convert_from(data, 'UTF8'), 'met', 'not')::bytea"
    f" WHERE id = {LEAF}",
    "leaf .*: is not the one of entry": f"UPDATE gateway.leaf SET leaf_hash = repeat('0', 64) WHERE id = {LEAF}",
    "entry .*: its leaf was removed": f"DELETE FROM gateway.leaf WHERE id = {LEAF}",
    "cannot be checked: the salt": f"UPDATE gateway.leaf SET salt = NULL WHERE id = {LEAF}",
    "documents was edited; it has not the hash": f"UPDATE gateway.leaf SET salt = 'other' WHERE id = {LEAF}",
    "entry 3: was removed": "DELETE FROM gateway.log_entry WHERE index = 3",
    "checkpoint .*: the log has .* the others were removed": "DELETE FROM gateway.log_entry"
    " WHERE index = (SELECT max(index) FROM gateway.log_entry)",
    "node 1/1: is not the hash": "UPDATE gateway.log_node SET hash = sha256('x') WHERE level = 1 AND index = 1",
    "node 1/1: was removed": "DELETE FROM gateway.log_node WHERE level = 1 AND index = 1",
    "node 9/9: belongs to no tree": "INSERT INTO gateway.log_node VALUES (9, 9, sha256('x'))",
    "checkpoint .*: what stands beside": "UPDATE gateway.checkpoint SET root = sha256('x')",
    "checkpoint .*: The signature of the checkpoint is not good": "UPDATE gateway.checkpoint"
    " SET note = regexp_replace(note, '\\n[0-9]+\\n', E'\\n7\\n') WHERE size > 9",
}


def test_whatever_was_changed_is_found_and_named(told: Told, subtests: pytest.Subtests) -> None:
    for words, statement in EDITS.items():
        with subtests.test(words):
            found = told.found(statement)
            assert any(re.search(words, each) for each in found), found


def test_a_rewritten_history_is_found_by_a_checkpoint_that_was_kept_elsewhere(told: Told) -> None:
    """A log that was made anew as a whole holds in itself; only a witness can tell."""
    kept = rows(told.url, "SELECT note FROM gateway.checkpoint ORDER BY size DESC LIMIT 1")[0][0]
    witnessed = notes.verify(kept, ORIGIN, told.public)
    assert told.problems(witnessed) == []
    other = notes.Checkpoint(ORIGIN, witnessed.size, bytes(32))
    assert any("kept elsewhere" in each for each in told.problems(other))
    longer = notes.Checkpoint(ORIGIN, witnessed.size + 5, bytes(32))
    assert any("kept elsewhere has" in each for each in told.problems(longer))


def test_the_commands(told: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A checkpoint is kept, a note is erased, the log still verifies; then a row is edited."""
    url = clone(told.owner_url, told.database)
    monkeypatch.setenv("RINGFENCE_DATABASE_URL", url)
    monkeypatch.setenv("RINGFENCE_KEYS_DIR", str(told.keys_dir))
    monkeypatch.setenv("RINGFENCE_OCID_PREFIX", "ocds-abc123")
    runner = CliRunner()
    key = runner.invoke(app, ["log", "key"]).stdout.strip()
    name, public = notes.read_key(key)
    kept = runner.invoke(app, ["log", "checkpoint"]).stdout
    notes.verify(kept, name, public)
    witness = tmp_path / "checkpoint"
    witness.write_text(kept)
    (record,) = rows(url, "SELECT record_id FROM gateway.withdrawal")[0]
    erased = runner.invoke(app, ["log", "erase", str(record), "--yes"])
    assert erased.exit_code == 0, erased.output
    assert rows(url, "SELECT note, evidence FROM gateway.milestone_record WHERE id = %(id)s", id=record)[0][0] is None
    assert rows(url, "SELECT reason FROM gateway.withdrawal") == [(None,)]
    held = runner.invoke(app, ["log", "verify", "--checkpoint", str(witness)])
    assert held.exit_code == 0, held.output
    assert "The log holds" in held.output
    with psycopg.connect(plain_url(url)) as connection:
        tamper(connection, f"{RECORDS} SET note = 'back' WHERE id = '{record}'")
    refused = runner.invoke(app, ["log", "verify"])
    assert refused.exit_code == 1
    assert f"milestone record {record}: note" in refused.output
    witness.write_text("nonsense")
    assert runner.invoke(app, ["log", "verify", "--checkpoint", str(witness)]).exit_code == 1
    unknown = runner.invoke(app, ["log", "erase", "01a213a0-48bf-75ba-9e2d-ce9f2f8a6290", "--yes"])
    assert unknown.exit_code == 1
    drop(told.owner_url, url)
