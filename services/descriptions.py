"""What is generated from the code and kept beside it: OpenAPI descriptions and state diagrams."""

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy.engine import make_url

from services.contracts import app as contracts
from services.contracts.rules import claims, ledger, life, milestones, suppliers, variations
from services.contracts.settings import Settings
from services.gateway import app as gateway
from services.gateway.forward import DESCRIPTIONS
from services.gateway.rules import transfer
from services.gateway.settings import Settings as GatewaySettings
from services.kernel.db import Database
from services.kernel.peers import Peer
from services.kernel.tokens import Signer, Verifier
from services.keys import no_keys
from services.outcomes import app as outcomes
from services.transport import connect

ROOT = Path(__file__).parents[1]
STATES = ROOT / "docs" / "states.md"
Arrow = tuple[str, str, str]


def nowhere() -> Database:
    """A database that is never reached: descriptions need none."""
    return Database("nowhere", make_url("postgresql+psycopg://ringfence_nobody@localhost/nowhere"))


def behind() -> dict[str, FastAPI]:
    """The two services behind the door, to be described only."""
    verifier = Verifier(no_keys())
    evidence = outcomes.build(nowhere(), nowhere(), verifier)
    peer = Peer("outcomes", connect(None, evidence), Signer(no_keys(), "nobody"))
    return {"outcomes": evidence, "contracts": contracts.build(nowhere(), verifier, peer, Settings())}


def openapi_behind() -> dict[Path, str]:
    """The descriptions of the services behind the door, by file."""
    return {DESCRIPTIONS / f"{name}.json": as_text(app.openapi()) for name, app in behind().items()}


def openapi_gateway() -> dict[Path, str]:
    """The gateway's description, which is made from the two others as they are on disk."""
    signer = Signer(no_keys(), "nobody")
    peers = {name: Peer(name, connect(None, app), signer) for name, app in behind().items()}
    proofs = gateway.Credentials(no_keys(), dict, "https://ringfence.localhost")
    door = gateway.build(nowhere(), proofs, peers["contracts"], peers["outcomes"], GatewaySettings())
    return {DESCRIPTIONS / "gateway.json": as_text(door.openapi())}


def as_text(description: object) -> str:
    """A description as it is kept: stable under the order of keys, one line a member, so that a change reads well."""
    return json.dumps(description, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def states() -> dict[Path, str]:
    """The page of state diagrams, from the tables that the rules decide by."""
    milestone = [(a.value, b.value, f"record {b.value}") for a, to in milestones.TABLE.items() for b in sorted(to)]
    lines = [
        "# States",
        "",
        "Generated from the tables in `rules/` by `ringfence states`; a check fails when this page is stale.",
        "",
        *chapter("Contract", diagram("draft", arrows(life.TABLE)), rights(life.MAY)),
        "`agree` is the last of the three signatures; the clock activates, completes and expires.",
        "",
        *chapter("Variation", diagram("proposed", arrows(variations.TABLE))),
        *chapter("Supplier on the register", diagram("registered", arrows(suppliers.TABLE))),
        "Both moves are made by a commissioner or DfE; a suspended supplier's contracts go on.",
        "",
        *chapter("Milestone", diagram("scheduled", milestone)),
        *chapter("Money of a contract", diagram("scheduled", arrows(ledger.TABLE)), rights(ledger.MAY)),
        "The clock stands for what follows from facts. What was reversed after payment is `owed` until repaid.",
        "",
        *chapter("Claim", diagram("submitted", arrows(claims.TABLE)), rights(claims.MAY)),
        *chapter("Transfer", diagram("proposed", arrows(transfer.TABLE)), rights(transfer.MAY)),
    ]
    return {STATES: "\n".join(lines)}


def chapter(title: str, *parts: Sequence[str]) -> list[str]:
    """A heading and what stands under it, each with a blank line after it."""
    found = [f"## {title}", ""]
    for part in parts:
        found += [*part, ""]
    return found


def arrows(table: Mapping[Any, Mapping[Any, StrEnum]]) -> list[Arrow]:
    """The arrows of a table of moves."""
    return [(start.value, end.value, move.value) for start, moves in table.items() for move, end in moves.items()]


def rights(may: Mapping[Any, Iterable[StrEnum]]) -> list[str]:
    """Who makes which move."""
    return ["| move | made by |", "|---|---|", *(f"| {m.value} | {', '.join(sorted(who))} |" for m, who in may.items())]


def diagram(first: str, arrows: Iterable[Arrow]) -> list[str]:
    """A Mermaid state diagram; statuses that nothing leads out of end it."""
    known = list(arrows)
    last = sorted({to for _from, to, _label in known} - {start for start, _to, _label in known})
    lines = [f"    {start} --> {to}: {label}" for start, to, label in known]
    return [
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {first}",
        *lines,
        *(f"    {each} --> [*]" for each in last),
        "```",
    ]


def write(files: dict[Path, str]) -> list[Path]:
    """Bring the files up to date; gives those that changed."""
    changed = stale(files)
    for path in changed:
        path.write_text(files[path])
    return changed


def stale(files: dict[Path, str]) -> list[Path]:
    """The files that are not as the code would write them."""
    return [path for path, text in files.items() if not path.exists() or path.read_text() != text]
