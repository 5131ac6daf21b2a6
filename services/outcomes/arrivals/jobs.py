"""Fetching a published file: act (download, no transaction open), then record (one transaction)."""

from datetime import datetime
from uuid import UUID

from services.kernel.auth import service_caller
from services.kernel.db import Database
from services.outcomes.arrivals import queries, service
from services.outcomes.remote.downloads import Downloaded, download
from services.outcomes.remote.errors import FetchFailed
from services.outcomes.remote.hosts import Hosts, client
from services.outcomes.remote.patience import Patience
from services.outcomes.rules.releases import Status

SELF = service_caller("outcomes")
NOTHING = Downloaded(b"", None)
BRIEF = Patience(attempts=3, first_pause=0.2, longest_pause=1.0, longest_wait=2.0)
"""How a connection that broke is taken up again; longer pauses are waited for as jobs."""


async def fetch(database: Database, key: str, now: datetime, *, hosts: Hosts) -> None:
    """Fetch the file of a release (`key` is its id and the number of the attempt); one that is there stays as it is.

    A file that has not changed since it was fetched last is not downloaded again: its bytes are taken from then.
    """
    name, _, attempt = key.partition(" ")
    release_id = UUID(name)
    async with database.transaction(SELF) as session:
        row = await queries.locked_release(session, release_id)
        if row.status != Status.INGESTING or row.sha256 or row.source_url is None:
            return
        before = await queries.fetched_before(session, row.feed, row.source_url)
    try:
        async with client(hosts) as http:
            file = await download(http, row.source_url, known=before.etag if before else None, patience=BRIEF)
    except FetchFailed as error:
        async with database.transaction(SELF) as session:
            await service.not_fetched(
                session, release_id=release_id, attempt=int(attempt), error=error, caller=SELF, now=now
            )
        return
    async with database.transaction(SELF) as session:
        if file is None and before is not None:
            file = Downloaded(await queries.content(session, before.id), before.etag)
        await service.fetched(session, release_id=release_id, file=file or NOTHING, caller=SELF, now=now)
