"""The limit of row 1: pgbench sends the transaction that the product sends for a single record, and nothing else."""

import json
import os
import re
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import psycopg

from bench.ground import plain
from services import binaries
from services.gateway.beliefs import Belief
from services.gateway.records.queries import Ref
from services.gateway.records.recording import Request, new_plan, planned
from services.gateway.records.routes import said
from services.gateway.records.service import Asked
from services.kernel.auth import Caller
from services.kernel.db import role_url
from services.kernel.idempotency import Keyed
from services.kernel.types import real_now

PARTS = ("key", "id", "event_id", "contract_id")
"""What is different in every record; in what is kept for pgbench, names with an @ stand for them."""
KEPT = (
    "CREATE TABLE public.sent (number int PRIMARY KEY, callers text, beliefs jsonb, contracts uuid[]);"
    " GRANT SELECT ON public.sent TO PUBLIC"
)
STANDING = "SELECT to_jsonb(s) - 'place' FROM gateway.clients_standing(%s, ARRAY['a token']) AS s"
CODES = frozenset({"M1"})
SCRIPT = """\
\\set number random(0, {senders})
\\set place random(1, {contracts})
SELECT gateway.record_milestones(
    replace(replace(replace(replace(s.callers, '@key', v.key), '@id', v.id), '@event_id', v.event_id),
        '@contract_id', v.contract_id)::jsonb, s.beliefs,
    jsonb_build_array(jsonb_build_object('id', v.job_id, 'key', v.contract_id)))
FROM public.sent s, LATERAL (SELECT md5(random()::text) || md5(random()::text) AS key, uuidv7()::text AS id,
    uuidv7()::text AS event_id, uuidv7() AS job_id, s.contracts[:place]::text AS contract_id) v
WHERE s.number = :number;
"""
RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


def keep(url: str, callers: Sequence[Caller], contracts: Sequence[Sequence[UUID]], asked: Asked) -> None:
    """Keep in the database what the product sends when one of these callers records this."""
    with psycopg.connect(plain(url)) as connection:
        connection.execute(KEPT)
        for number, (caller, own) in enumerate(zip(callers, contracts, strict=True)):
            (standing,) = connection.execute(STANDING, [[caller.client_id]]).fetchone() or (None,)
            plan = sent(Belief(caller, caller.client_id, "a token", standing), asked)
            beliefs = json.dumps([plan["belief"]])
            row = (number, json.dumps([plan]), beliefs, list(own))
            connection.execute("INSERT INTO public.sent VALUES (%s, %s, %s, %s)", row)


def sent(belief: Belief, asked: Asked) -> dict[str, object]:
    """What is sent for a caller that records one thing, with names for all that will be different."""
    caller = belief.caller
    plan, headers = new_plan(caller, belief), {"Location": f"/v1/contracts/{asked.contract_id}/records"}
    request = Request(caller, Keyed("@key", "f" * 64), [asked], real_now(), partial(said, headers))
    planned(request, {asked.contract_id: Ref(asked.contract_id, 1, "CTR-2025-00001", "active", CODES)}, plan)
    (record,) = plan["records"]
    return plan | {"records": [record | {part: f"@{part}" for part in PARTS}]}


def pgbench(url: str, clients: int, contracts: int, seconds: float) -> float:
    """Seconds for each transaction, with so many clients."""
    role = role_url("gateway", url)
    with TemporaryDirectory() as folder:
        script = Path(folder) / "record.sql"
        script.write_text(SCRIPT.format(senders=clients - 1, contracts=contracts))
        words = [str(binaries.binaries() / "pgbench"), "-n", "-M", "prepared", "-f", str(script)]
        words += ["-c", str(clients), "-j", "2", "-T", str(max(1, round(seconds)))]
        words += ["-h", str(role.query["host"]), "-p", str(binaries.PORT), "-U", str(role.username), str(role.database)]
        environment = {**os.environ, "PGPASSWORD": str(role.password)}
        done = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
    return 1 / float(RATE.findall(done.stdout)[-1])
