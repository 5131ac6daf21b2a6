"""The `ringfence` command. Everything that a person who runs the system does goes through it."""

import logging
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.table import Table

from migrations import run as migrations
from services import access_commands, descriptions, ingest, log_commands, protocol, statistics_cli, system
from services.demo import story
from services.gateway.settings import Settings as GatewaySettings
from services.kernel.db import Database
from services.kernel.types import real_now
from services.outcomes.evaluations import jobs as evaluations
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.years import academic_year_from
from services.terminal import fail, out, watched, with_database

app = typer.Typer(
    help="Ringfence: contracts for school improvement.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(access_commands.clients, name="clients")
app.add_typer(access_commands.keys, name="keys")
app.add_typer(log_commands.app, name="log")
app.add_typer(access_commands.signing, name="signing")
app.add_typer(statistics_cli.app, name="ees")


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


def day_from(text: str) -> date:
    """The day written as 2025-03-20."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day; write it as 2025-03-20.") from None


@app.command("import")
def import_file(
    feed: Annotated[str, typer.Argument(help="Which feed the file belongs to; see `ringfence feeds`")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file as it was published")],
    year: Annotated[str | None, typer.Option(help="Academic year, such as 2018/19, where the file names none")] = None,
    status: Annotated[Stage, typer.Option(help="How settled the publication is")] = Stage.FINAL,
    published: Annotated[
        date | None, typer.Option(parser=day_from, metavar="DAY", help="Day of publication; default: today")
    ] = None,
) -> None:
    """Ingest a published file; rejected rows are listed in a file beside it."""

    async def work(database: Database) -> ingest.Summary:
        now = real_now()
        day = published or now.date()
        asked = ingest.Arrival(feed, academic_year_from(year) if year else None, status, day)
        with watched():
            return await ingest.ingest_file(database, file, asked, now)

    summary = with_database("outcomes", work)
    out.print(summary.words(), highlight=False)
    if summary.rejections:
        listed = file.with_name(f"{file.name}.rejected.csv")
        try:
            ingest.write_rejections(listed, summary.rejections)
        except OSError as error:
            raise fail(f"Rejected rows cannot be listed in {listed}: {error.strerror}.") from error
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


@app.command()
def recompute() -> None:
    """Reach every verdict again from what it stored; ends with 1 where one is not what was stored."""
    count, wrong = with_database("outcomes", evaluations.recompute)
    for each in wrong:
        out.print(f"{each} does not follow from what it stored.", highlight=False)
    if wrong:
        raise fail(f"{len(wrong):,} of {count:,} verdicts were changed.")
    out.print(f"{count:,} verdicts follow from what they stored.", highlight=False)


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
    """What the `ringfence` command does once loaded."""
    log_from(logging.INFO)
    app()


def log_from(level: int) -> None:
    """Write log lines of this level and above to standard error. Tracebacks show no values, which may be secret.

    The JSON is the standard library's: a quicker writer fails on text that is no Unicode, and the request with it.
    """
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
