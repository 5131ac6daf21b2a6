"""Systems of trusts that record milestones, for the benchmarks of the door."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import httpx
import psycopg
from psycopg.types.json import Jsonb

from bench.ground import plain
from services.gateway.access import service as access
from services.gateway.access.schemas import ClientIn
from services.kernel.auth import Caller, service_caller
from services.kernel.db import Database, role_url
from services.kernel.types import Kind, real_now, uuid7

CLIENTS = 32
EACH = 32
"""Contracts of each client's trust."""
OPERATOR = service_caller("operator")
NOTE = "The trust's improvement lead has seen the plan at work in every class of the phase, and the governors agree."
RECORD = {"status": "met", "occurred_on": "2025-03-21", "note": NOTE}


@dataclass(frozen=True, slots=True)
class Sender:
    """A system of a trust that records milestones, and the contracts on which it may."""

    caller: Caller
    secret: str
    contracts: list[UUID]


async def clients(url: str, trusts: Sequence[str]) -> list[tuple[Caller, str]]:
    """A system of each of these trusts, and its secret."""
    database, found = Database("gateway", role_url("gateway", url)), []
    async with database.transaction(OPERATOR) as session:
        for number, uid in enumerate(trusts):
            scopes = ["milestones:write", "contracts:read"]
            body = ClientIn(name=f"trust {number}", kind=Kind.SUPPLIER, trust_uid=uid, scopes=scopes)
            row, secret = await access.register_client(session, body=body, caller=OPERATOR, now=real_now())
            caller = Caller(row.id, row.name, Kind.SUPPLIER, row.organisation, trust_uid=row.trust_uid)
            found.append((caller, secret or ""))
    await database.close()
    return found


async def registered(url: str) -> list[Sender]:
    """Senders with contracts in force, which the gateway knows already."""
    made = await clients(url, [str(7000 + number) for number in range(CLIENTS)])
    found = [Sender(caller, secret, [uuid7() for _ in range(EACH)]) for caller, secret in made]
    columns = (
        "contract_id, reference, version, status, organisation, supplier_uid, school_urn, region, la_code, milestones"
    )
    with psycopg.connect(plain(url)) as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY gateway.contract_ref ({columns}) FROM STDIN") as copy:
            for number, sender in enumerate(found):
                for place, contract_id in enumerate(sender.contracts):
                    reference = f"CTR-2025-{number * EACH + place:05d}"
                    uid, urn = str(7000 + number), 100_000 + number * EACH + place
                    codes = Jsonb([f"M{code}" for code in range(1, 9)])
                    copy.write_row(
                        (contract_id, reference, 1, "active", "rsc-north", uid, urn, "North West", "888", codes)
                    )
        cursor.execute("ANALYZE gateway.contract_ref, gateway.client")
    return found


def token(port: int, client_id: str, secret: str) -> str:
    """An access token, as every client gets one."""
    answer = httpx.post(
        f"http://127.0.0.1:{port}/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(client_id, secret),
    )
    return str(answer.raise_for_status().json()["access_token"])
