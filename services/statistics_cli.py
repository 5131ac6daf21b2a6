"""`ringfence ees`: what Explore Education Statistics publishes, and taking a data set in."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from services import ingest
from services.ingest import Arrival, Summary
from services.kernel.db import Database
from services.kernel.errors import DomainError
from services.kernel.types import london_date, real_now
from services.outcomes import progress
from services.outcomes.arrivals import queries as arrivals
from services.outcomes.feeds.ees_metadata import metadata, with_options
from services.outcomes.feeds.opening import unpacked
from services.outcomes.feeds.pairs import pair
from services.outcomes.feeds.records import FeedRefused
from services.outcomes.progress import Phase
from services.outcomes.remote.hosts import client
from services.outcomes.rules.ees_versions import Metadata, Step, Version, deserved, diff, step, version_from
from services.outcomes.rules.releases import Stage
from services.outcomes.settings import Settings
from services.outcomes.statistics.client import Statistics
from services.outcomes.statistics.models import DataSet, DataSetVersion
from services.outcomes.statistics.pairing import archive, whole
from services.terminal import fail, out, watched, with_database

app = typer.Typer(help="Explore Education Statistics (EES): what DfE publishes by its API.", no_args_is_help=True)
Found = TypeVar("Found")
DataSetId = Annotated[str, typer.Argument(help="Id of the data set; see `ringfence ees data-sets`")]


async def with_api(work: Callable[[Statistics], Awaitable[Found]]) -> Found:
    """Do something with the API."""
    settings = Settings()
    async with client(settings.hosts(), base_url=settings.statistics_url) as http:
        return await work(Statistics(http))


def answered(work: Callable[[Statistics], Awaitable[Found]]) -> Found:
    """What the API answers; an error ends the command with its reason."""
    try:
        return asyncio.run(with_api(work))
    except DomainError as error:
        raise fail(error.detail) from error


@app.command()
def publications(
    search: Annotated[str | None, typer.Option(help="Words in the title or summary")] = None,
) -> None:
    """List publications that have data sets."""
    table = Table("id", "title", "last published")
    for each in answered(lambda api: api.publications(search)):
        table.add_row(each.id, each.title, each.last_published.date().isoformat())
    out.print(table if table.row_count else "No publication has these words.")


@app.command("data-sets")
def data_sets(publication: Annotated[str, typer.Argument(help="Id of the publication")]) -> None:
    """List the data sets of a publication."""
    table = Table("id", "title", "version", "time periods", "levels")
    for each in answered(lambda api: api.data_sets(publication)):
        now = each.latest_version
        told = (now.version, f"{now.time_periods.start} - {now.time_periods.end}") if now else ("", each.status)
        table.add_row(each.id, each.title, *told, ", ".join(now.geographic_levels) if now else "")
    out.print(table if table.row_count else "The publication has no data sets.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be taken in, and what a person has said to it."""

    data_set: str
    feed: str
    stage: Stage
    version: Version | None
    accept_major: bool
    again: bool


@app.command("import")
def import_data_set(
    data_set: DataSetId,
    feed: Annotated[str, typer.Option(help="Which feed reads it; see `ringfence feeds`")],
    status: Annotated[Stage, typer.Option(help="How settled the publication is")] = Stage.FINAL,
    version: Annotated[str | None, typer.Option(help="Such as 1.2; default: the latest")] = None,
    accept_major: Annotated[bool, typer.Option(help="Take a new major version, having read its changes")] = False,
    again: Annotated[bool, typer.Option(help="Take in also what was taken in before")] = False,
) -> None:
    """Take in a data set with its metadata. What was taken in before is not even downloaded."""
    try:
        number = version_from(version) if version else None
    except DomainError as error:
        raise fail(error.detail) from error
    wanted = Wanted(data_set, feed, status, number, accept_major, again)
    with watched():
        summary = with_database("outcomes", lambda database: with_api(lambda api: take(api, database, wanted)))
    if summary is None:
        out.print("This version was taken in before; there is nothing to do.")
        return
    out.print(summary.words(), highlight=False)
    if summary.refused:
        raise typer.Exit(1)


async def take(api: Statistics, database: Database, wanted: Wanted) -> Summary | None:
    """Take a version of a data set in, None when there is no need; raises NewMajorVersion."""
    found = await api.data_set(wanted.data_set)
    version = await chosen(api, found, wanted)
    url = str(api.http.build_request("GET", api.csv_path(wanted.data_set)).url)
    async with database.transaction(ingest.OPERATOR) as session:
        last = await arrivals.fetched_before(session, wanted.feed, url)
    before = version_from(last.source_version) if last and last.source_version else None
    todo = step(before, version.number)
    if todo is Step.NOTHING and not wanted.again:
        return None
    if todo is Step.ASK and not wanted.accept_major:
        raise await new_major_version(api, wanted.data_set, version.number)
    described = await api.metadata(wanted.data_set, version.number)
    progress.begin(Phase.FETCHING)
    file = await api.csv(wanted.data_set, version.number, told=progress.reached)
    data = whole(unpacked(file.content) if file else b"", version)
    content = archive(wanted.data_set, data, described)
    published = london_date(version.published or real_now())
    asked = Arrival(wanted.feed, None, wanted.stage, published, source_url=url, source_version=str(version.number))
    return await ingest.ingest_bytes(database, f"{wanted.data_set}.zip", content, asked, real_now())


async def chosen(api: Statistics, found: DataSet, wanted: Wanted) -> DataSetVersion:
    """The version that is wanted, or the latest; raises Withdrawn."""
    if wanted.version is not None:
        return await api.version(wanted.data_set, wanted.version)
    if found.latest_version is None:
        instead = f" See {found.superseding_data_set_id}." if found.superseding_data_set_id else ""
        raise Withdrawn(f"{found.title} has no version that is published.{instead}")
    return await api.version(wanted.data_set, version_from(found.latest_version.version))


class Withdrawn(DomainError):
    """The data set has no version to be taken in."""

    code = "data_set_withdrawn"
    title = "The data set was withdrawn"


class NewMajorVersion(DomainError):
    """A new major version may mean something else by the same names."""

    code = "new_major_version"
    title = "A new major version needs a person's say"


async def new_major_version(api: Statistics, data_set: str, version: Version) -> NewMajorVersion:
    """The error that tells what a new major version changed."""
    changes = await api.changes(data_set, version)
    told = "\n".join(f"  {part}: {each.words}" for part, each in changes.major_changes.each())
    notes = f" {changes.notes}" if changes.notes else ""
    return NewMajorVersion(
        f"Version {version} is a new major version, and may mean something else by the same names.{notes}\n"
        f"{told}\nRead its changes; then give --accept-major to take it in."
    )


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Archive of the earlier version")],
    after: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Archive of the later version")],
) -> None:
    """Say how the columns and options of two versions differ, and which step of the version they deserve."""
    changes = diff(described(before), described(after))
    for each in changes:
        out.print(f"{each.part} {each.kind}: {each.name} {each.detail}".rstrip(), highlight=False)
    out.print(f"A {deserved(changes)} version.", highlight=False)


def described(path: Path) -> Metadata:
    """The columns and options of an archive of data file and metadata."""
    try:
        found = pair(path.read_bytes())
        if found.metadata is None:
            raise fail(f"{path.name} is no archive of a data file and its metadata.")
        return with_options(found.data, metadata(found.metadata))
    except FeedRefused as error:
        raise fail(f"{path.name}: {error.detail}") from error
