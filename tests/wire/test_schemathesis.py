"""Requests made up from the gateway's own description, good and bad: no server error, and answers as described."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.demo import cast
from services.demo.stage import environment
from services.gateway.access import service as access
from services.gateway.access.schemas import ClientIn, KeyIn
from services.gateway.rules.scopes import ALLOWED, KEY_SCOPES
from services.gateway.tokens.service import issue
from services.kernel.types import Kind, utc_now
from services.system import SAMPLE_PREFIX, assemble
from tests.wire.loopback import listening
from tests.world import OPERATOR, RATES, clone, drop

DESCRIPTION = Path(__file__).parents[2] / "openapi" / "gateway.json"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 4
EXCLUDED = {
    "POST /oauth2/token": "proves the caller by Basic, which the description cannot say of it; see test_paths.py",
    "GET /.well-known/jwks.json": "takes nothing that could be made up",
    "GET /.well-known/oauth-authorization-server": "takes nothing that could be made up",
    "GET /health/live": "takes nothing that could be made up",
    "GET /health/ready": "takes nothing that could be made up",
    "GET /health/startup": "takes nothing that could be made up",
}
NEVER_BAD = {
    "GET /v1/api-keys": "takes nothing",
    "GET /v1/clients": "takes nothing",
    "GET /v1/clients/{client_id}": "any text may be the id of a client",
    "DELETE /v1/clients/{client_id}/secret": "any text may be the id of a client",
    "GET /v1/log/checkpoint": "takes nothing",
    "GET /v1/measures": "takes nothing",
    "POST /v1/clients/{client_id}/disablement": "any text may be the id of a client",
}
FOUND = schemathesis.openapi.from_path(DESCRIPTION)
OPERATIONS = {each.ok().label: each.ok() for each in FOUND.get_all_operations() if isinstance(each, Ok)}
SMALL = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Door:
    """Where the gateway listens, the headers of somebody who may do everything, and the API key of a trust."""

    url: str
    headers: dict[str, str]
    key: str


@contextmanager
def in_a_thread(database_url: str, keys_dir: Path) -> Iterator[Door]:
    """The system on this database, served from a thread of its own; without workers, which nothing here needs."""
    ready, found = threading.Event(), dict[str, Any]()

    async def run() -> None:
        system = assemble()
        socket, url = listening()
        config = uvicorn.Config(system.apps["gateway"], log_config=None, access_log=False, lifespan="off")
        found["server"] = uvicorn.Server(config)
        found["url"] = url
        found["token"], found["key"] = await proofs(system)
        ready.set()
        await found["server"].serve(sockets=[socket])
        await system.close()

    given = {"RINGFENCE_DATABASE_URL": database_url, "RINGFENCE_KEYS_DIR": str(keys_dir)}
    with environment({**given, **dict.fromkeys(RATES, "1000000"), "RINGFENCE_OCID_PREFIX": SAMPLE_PREFIX}):
        thread = threading.Thread(target=asyncio.run, args=(run(),))
        thread.start()
        assert ready.wait(30)
        try:
            yield Door(found["url"], {"Authorization": f"Bearer {found['token']}"}, found["key"])
        finally:
            found["server"].should_exit = True
            thread.join(30)


async def proofs(system: Any) -> tuple[str, str]:
    """An access token of a DfE system, and an API key."""
    body = ClientIn(name="made up", kind=Kind.DFE, scopes=sorted(ALLOWED[Kind.DFE]))
    database = next(each for each in system.databases if each.service == "gateway")
    async with database.transaction(OPERATOR) as session:
        row, _secret = await access.register_client(session, body=body, caller=OPERATOR, now=utc_now())
        wanted = KeyIn(trust_uid=cast.SUPPLIER, scopes=sorted(KEY_SCOPES))
        _row, key = await access.create_key(session, body=wanted, caller=OPERATOR, now=utc_now())
    return issue(system.apps["gateway"].state.signer, row, {"grant_type": "client_credentials"})[0], key


@pytest.fixture(scope="module")
def door(owner_url: str, seeded: str, keys_dir: Path) -> Iterator[Door]:
    """The gateway with the sample behind it, for all operations."""
    url = clone(owner_url, seeded)
    with in_a_thread(url, keys_dir) as found:
        yield found
    drop(owner_url, url)


@pytest.mark.parametrize("label", sorted(OPERATIONS.keys() - EXCLUDED.keys()))
def test_a_good_request_gets_an_answer_as_described(door: Door, label: str) -> None:
    send_all(door, label, GenerationMode.POSITIVE)


@pytest.mark.parametrize("label", sorted(OPERATIONS.keys() - EXCLUDED.keys() - NEVER_BAD.keys()))
def test_a_bad_request_gets_an_answer_as_described(door: Door, label: str) -> None:
    send_all(door, label, GenerationMode.NEGATIVE)


def send_all(door: Door, label: str, mode: GenerationMode) -> None:
    """Make requests for this operation up and send them; raise for an answer that is not as described."""

    @SMALL
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        case.headers.pop("x-api-key", None)  # a second credential is refused before anything is looked at
        case.call_and_validate(base_url=door.url, headers=door.headers, checks=CHECKS, timeout=60)

    send()


COMMAND = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
LEFT_OUT = {
    "ignored_auth": "takes away the API key and leaves the token; a run of its own, with a key, has it",
}
RUN = ["--checks", "all", "--exclude-checks", ",".join(LEFT_OUT), "--max-examples", "1", "--seed", "1"]
PHASES = ["--phases", "fuzzing,stateful"]


@pytest.mark.timeout(180)
def test_all_checks_and_the_stateful_phase_find_nothing(door: Door) -> None:
    given = {**os.environ, "RINGFENCE_TOKEN": door.headers["Authorization"].rpartition(" ")[2], "NO_COLOR": "1"}
    command = [COMMAND, "--config-file", CONFIGURATION, "run", DESCRIPTION, "--url", door.url, *RUN, *PHASES]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    assert "Stateful" in done.stdout


@pytest.mark.timeout(180)
def test_a_key_that_is_taken_away_or_wrong_opens_nothing(door: Door) -> None:
    lists = ("contracts", "payments", "claims", "invoices", "exports/payments")
    names = [part for each in lists for part in ("--include-name", f"GET /v1/{each}")]
    only = [
        "--checks",
        "ignored_auth",
        "--phases",
        "fuzzing",
        "--mode",
        "positive",
        "--seed",
        "1",
        "--max-examples",
        "1",
        *names,
    ]
    command = [COMMAND, "run", DESCRIPTION, "--url", door.url, "-H", f"x-api-key: {door.key}", *only]
    given = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    each = len(["as it was made up", "without the key", "with a wrong one"])
    assert f"{each * len(lists)} generated, {each * len(lists)} passed" in done.stdout, done.stdout[-3000:]


def test_every_operation_is_there_and_so_is_what_is_excluded() -> None:
    assert len(OPERATIONS) == len(list(FOUND.get_all_operations()))
    assert EXCLUDED.keys() | NEVER_BAD.keys() <= OPERATIONS.keys()
