"""The `ringfence` command. Everything that a person who runs the system does goes through it."""

import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

import structlog
import typer
from rich.table import Table

from migrations import run as migrations
from services import descriptions, ingest, log_commands, protocol, statistics_cli, system
from services import keys as signing_keys
from services.demo import story
from services.gateway.access import service as access
from services.gateway.access.schemas import ClientIn, KeyIn, KeySetIn
from services.gateway.rules.scopes import ALLOWED, KEY_SCOPES
from services.gateway.rules.secrets import Environment
from services.gateway.settings import Settings as GatewaySettings
from services.gateway.subscriptions import service as subscriptions
from services.gateway.vault import Vault
from services.kernel.auth import service_caller
from services.kernel.db import Database
from services.kernel.types import Kind, real_now
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.years import academic_year_from
from services.terminal import fail, out, watched, with_database

app = typer.Typer(
    help="Ringfence: contracts for school improvement.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
clients = typer.Typer(help="Systems that may call the API.", no_args_is_help=True)
keys = typer.Typer(help="API keys of trusts' finance teams.", no_args_is_help=True)
app.add_typer(clients, name="clients")
signing = typer.Typer(help="Keys with which the system signs tokens and identities.", no_args_is_help=True)
app.add_typer(keys, name="keys")
app.add_typer(log_commands.app, name="log")
app.add_typer(signing, name="signing")
app.add_typer(statistics_cli.app, name="ees")
Found = TypeVar("Found")
OPERATOR = service_caller("operator")
Scopes = Annotated[list[str] | None, typer.Option("--scope", help="May be given more than once; default: all allowed")]


@app.command()
def up(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on")] = 8000,
    service: Annotated[str, typer.Option(help="Which service to offer here")] = "gateway",
    workers: Annotated[bool, typer.Option(help="Run the workers in this process too")] = True,
) -> None:
    """Start the system: the gateway with all services behind it, workers, and the embedded database in var/.

    RINGFENCE_CONTRACTS_URL and RINGFENCE_OUTCOMES_URL name services that run elsewhere; RINGFENCE_DATABASE_URL
    names another database.
    """
    if service not in system.SERVICES:
        raise fail(f"There is no service {service!r}; there are {', '.join(system.SERVICES)}.")
    with system.installation() as url:
        if "RINGFENCE_SKIP_MIGRATION" not in os.environ:
            migrations.upgrade(url)
        built = system.assemble(system.here() if service == "gateway" else [service])
        if not workers:
            built.workers.clear()
        out.print(
            f"Ringfence {service} on http://{host}:{port} (descriptions: /docs). Stop with Ctrl-C.", highlight=False
        )
        protocol.run(system.serve(built, service, host, port))


@app.command()
def worker() -> None:
    """Run the workers only, of every service that has no address elsewhere."""
    with system.installation() as url:
        migrations.upgrade(url)
        protocol.run(system.work(system.assemble(system.here())))


@app.command()
def migrate() -> None:
    """Bring the database up to date: roles, schemas, tables, rights."""
    with system.installation() as url:
        migrations.upgrade(url)
        heads = ", ".join(f"{schema} {migrations.head(schema)}" for schema in migrations.SCHEMAS)
    out.print(f"Up to date: {heads}.", highlight=False)


@app.command("import")
def import_file(
    feed: Annotated[str, typer.Argument(help="Which feed the file belongs to; see `ringfence feeds`")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file as it was published")],
    year: Annotated[str | None, typer.Option(help="Academic year, such as 2018/19, where the file names none")] = None,
    status: Annotated[Stage, typer.Option(help="How settled the publication is")] = Stage.FINAL,
    published: Annotated[str, typer.Option(help="Day of publication; default: today")] = "",
) -> None:
    """Ingest a published file; rejected rows are listed in a file beside it."""

    async def work(database: Database) -> ingest.Summary:
        now = real_now()
        day = date.fromisoformat(published) if published else now.date()
        asked = ingest.Arrival(feed, academic_year_from(year) if year else None, status, day)
        with watched():
            return await ingest.ingest_file(database, file, asked, now)

    summary = with_database("outcomes", work)
    out.print(summary.words(), highlight=False)
    if summary.rejections:
        listed = file.with_name(f"{file.name}.rejected.csv")
        ingest.write_rejections(listed, summary.rejections)
        out.print(f"Rejected rows are in {listed}.", highlight=False)
    if summary.refused:
        raise typer.Exit(1)


@app.command()
def feeds() -> None:
    """List the feeds that can be ingested."""
    table = Table("feed", "title", "publisher", "academic year")
    for each in ingest.FEEDS.values():
        table.add_row(each.code, each.title, each.publisher, "to be given" if each.needs_year else "none")
    out.print(table)


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
    for each in signing_keys.listed(signing_folder()):
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


@app.command()
def openapi(check: Annotated[bool, typer.Option(help="Only say whether they are current")] = False) -> None:
    """Write openapi/*.json from the code."""
    settle(descriptions.openapi_behind, check)
    settle(descriptions.openapi_gateway, check)


@app.command()
def states(check: Annotated[bool, typer.Option(help="Only say whether it is current")] = False) -> None:
    """Write docs/states.md from the state tables."""
    settle(descriptions.states, check)


def settle(made: Callable[[], dict[Path, str]], check: bool) -> None:
    """Write generated files, or end with an error when they are stale."""
    if not check:
        for path in descriptions.write(made()):
            out.print(f"Written: {path.relative_to(descriptions.ROOT)}", highlight=False)
    elif stale := descriptions.stale(made()):
        raise fail(f"Stale: {', '.join(path.name for path in stale)}. Run make openapi states, and commit the result.")


@app.command("migrations-check")
def migrations_check() -> None:
    """Say whether the migrations, run from nothing, give the tables that the code has."""
    with system.throwaway() as url:
        migrations.upgrade(url)
        found = migrations.differences(url)
    if found:
        raise fail("\n".join(found))
    out.print("Migrations are current.", highlight=False)


@app.command()
def jobs() -> None:
    """List background work that failed and waits, for each service."""
    table = Table("service", "kind", "key", "attempts", "again at", "last error")
    for row in with_databases(system.waiting_jobs):
        table.add_row(*(str(part) for part in row))
    out.print(table if table.row_count else "Nothing waits.")


@app.command()
def prune() -> None:
    """Throw away what has no lasting value and has outlived its time, as workers do hourly. Facts always stay."""
    for what, rows in with_databases(lambda url: list(system.prune(url, GatewaySettings().delivery_days).items())):
        out.print(f"{what}: {rows:,}", highlight=False)


def with_databases(work: Callable[[str], list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """Look at the whole installation's database as its owner."""
    with system.installation() as url:
        migrations.upgrade(url)
        return work(url)


@app.command()
def demo(
    var: Annotated[Path, typer.Option(help="Folder for the demonstration's own database")] = Path("var/demo"),
    pictures: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder for pictures of the verdict")
    ] = None,
) -> None:
    """Run the main job on the sample data, told step by step. The contract is invented; the results are DfE's."""
    log_from(logging.WARNING)
    if not story.run(var, out, pictures):
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the `ringfence` command."""
    log_from(logging.INFO)
    app()


def log_from(level: int) -> None:
    """Write log lines of this level and above to standard error. Tracebacks show no values, which may be secret."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
