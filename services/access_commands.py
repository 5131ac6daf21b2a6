"""Commands for who may call, and by which keys the system signs and seals."""

import json
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table

from services import key_states, system
from services import keys as signing_keys
from services.gateway.access import service as access
from services.gateway.access.schemas import ClientIn, KeyIn, KeySetIn
from services.gateway.rules.scopes import ALLOWED, KEY_SCOPES
from services.gateway.rules.secrets import Environment
from services.gateway.subscriptions import service as subscriptions
from services.gateway.vault import Vault
from services.kernel.auth import service_caller
from services.kernel.db import Database
from services.kernel.types import Kind, real_now
from services.terminal import fail, out, with_database

clients = typer.Typer(help="Systems that may call the API.", no_args_is_help=True)
keys = typer.Typer(help="API keys of trusts' finance teams.", no_args_is_help=True)
signing = typer.Typer(help="Keys with which the system signs tokens and identities.", no_args_is_help=True)
Found = TypeVar("Found")
OPERATOR = service_caller("operator")
Scopes = Annotated[list[str] | None, typer.Option("--scope", help="May be given more than once; default: all allowed")]


@clients.command("create")
def create_client(
    name: Annotated[str, typer.Argument(help="What the system is called")],
    kind: Annotated[Kind, typer.Option(help="What sort of organisation it speaks for")],
    region: Annotated[list[str] | None, typer.Option(help="A region it acts for; may be given more than once")] = None,
    la: Annotated[list[str] | None, typer.Option(help="A local authority code it acts for")] = None,
    trust: Annotated[str | None, typer.Option(help="GIAS group UID of the trust it speaks for")] = None,
    urn: Annotated[list[str] | None, typer.Option(help="A school it speaks for")] = None,
    organisation: Annotated[str | None, typer.Option(help="Short name shared by systems of one organisation")] = None,
    scope: Scopes = None,
    jwks: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Its public keys, as a JWKS")] = None,
) -> None:
    """Register a system. Its secret is shown once and not kept; with --jwks it gets none."""
    facts: dict[str, Any] = {"regions": region or [], "la_codes": la or [], "trust_uid": trust, "urns": urn or []}
    facts["jwks"] = parsed(KeySetIn, **json.loads(jwks.read_text())) if jwks else None
    scopes = scope or sorted(ALLOWED.get(kind, ()))
    body = parsed(ClientIn, name=name, kind=kind, organisation=organisation, scopes=scopes, **facts)

    async def work(database: Database) -> tuple[str, str | None]:
        async with database.transaction(OPERATOR) as session:
            row, secret = await access.register_client(session, body=body, caller=OPERATOR, now=real_now())
            return row.id, secret

    client_id, secret = with_database("gateway", work)
    shown = f"client_secret  {secret}\nThe secret is shown this once." if secret else "It proves itself by its keys."
    out.print(f"client_id      {client_id}\n{shown}", highlight=False)


@keys.command("create")
def create_key(
    trust: Annotated[str, typer.Option(help="GIAS group UID of the trust")],
    name: Annotated[str, typer.Option(help="What the key is for")] = "finance team",
    scope: Scopes = None,
    test: Annotated[bool, typer.Option("--test", help="A key for trying out, which sees and changes nothing")] = False,
    network: Annotated[list[str] | None, typer.Option(help="A network from which it may be used, in CIDR")] = None,
) -> None:
    """Make an API key for a trust's finance team. It is shown once and not kept."""
    kind = Environment.TEST if test else Environment.LIVE
    scopes = scope or sorted(KEY_SCOPES)
    body = parsed(KeyIn, name=name, trust_uid=trust, scopes=scopes, environment=kind, networks=network or [])

    async def work(database: Database) -> str:
        async with database.transaction(OPERATOR) as session:
            return (await access.create_key(session, body=body, caller=OPERATOR, now=real_now()))[1]

    out.print(f"{with_database('gateway', work)}\nThe key is shown this once.", highlight=False)


@signing.command("list")
def list_signing() -> None:
    """List the signing keys in RINGFENCE_KEYS_DIR, and what each is worth now."""
    table = Table("key", "signer", "state", "signs here")
    for each in key_states.listed(signing_folder()):
        table.add_row(each.id, each.signer, each.state, "yes" if each.signs_here else "no")
    out.print(table)


@signing.command("rotate")
def rotate_signing(
    signer: Annotated[str, typer.Option(help="Who gets a new key: tokens, gateway, contracts; webhooks")] = "tokens",
    lead_hours: Annotated[float, typer.Option(min=0, help="How long it is published before it is used")] = 24,
    at_once: Annotated[bool, typer.Option("--at-once", help="Use it now and refuse what all others signed")] = False,
) -> None:
    """Make a new signing key. The present one signs until then, and is believed until its tokens have ended.

    --at-once is for a key that was stolen: its tokens are refused as soon as every machine has the folder. The key
    `webhooks` seals the secrets of subscriptions: the workers bring these under the new one within a day of its use.
    """
    known = (*signing_keys.SIGNERS, signing_keys.SEALER)
    if signer not in known:
        raise fail(f"There is no signer {signer!r}; there are {', '.join(known)}.")
    folder = signing_folder()
    if signer == signing_keys.SEALER:
        name = signing_keys.rotate_sealing(folder, lead=0 if at_once else lead_hours * 3600)
        out.print(f"{name}. Copy the folder's .key files to every gateway.", highlight=False)
        if at_once:
            reseal()
        return
    if at_once:
        name = signing_keys.replace_at_once(folder, signer)
    else:
        name = signing_keys.rotate(folder, signer, lead=lead_hours * 3600)
    out.print(f"{name}. Copy the folder's .json files to every machine, .pem files where they sign.", highlight=False)


def reseal() -> None:
    """Bring all secrets of subscriptions under the new key, in one transaction."""
    vault = Vault(signing_folder())

    async def work(database: Database) -> int:
        async with database.transaction(OPERATOR) as session:
            return await subscriptions.reseal(session, vault=vault)

    out.print(f"Secrets sealed anew: {with_database('gateway', work)}.", highlight=False)


def signing_folder() -> Path:
    """The folder of signing keys, with a key for every signer."""
    folder = system.keys_folder()
    signing_keys.ensure(folder)
    return folder


def parsed(body: type[Found], **values: Any) -> Found:
    """A body from options; a value that does not serve ends the command with its reason."""
    try:
        return body(**values)
    except ValueError as error:
        reasons = error.errors() if hasattr(error, "errors") else [{"loc": (), "msg": str(error)}]
        words = "\n".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in reasons)
        raise fail(words) from error
