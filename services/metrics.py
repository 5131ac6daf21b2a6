"""What Prometheus reads of this process: requests, database pools, breakers, and background work that waits.

Labels are few by construction: a service, a route as it is written in the code, a status, a kind of job.
"""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.pool import QueuePool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.kernel.auth import service_caller
from services.kernel.db import UNREACHABLE, Database
from services.kernel.peers import Peer

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
JOBS = (
    "SELECT kind, count(*) FILTER (WHERE due <= clock_timestamp()), count(*) FILTER (WHERE last_error IS NOT NULL),"
    " coalesce(max(extract(epoch FROM clock_timestamp() - due)) FILTER (WHERE due <= clock_timestamp()), 0)"
    " FROM (SELECT kind, last_error, CASE WHEN run_at > '1971-01-01' THEN greatest(run_at, available_at)"
    " ELSE available_at END AS due FROM {}.job) AS job GROUP BY kind"
)
"""By kind of job: how many are due, how many have failed at least once, for how long the oldest has been due."""


class Metrics:
    """The numbers of one process. Each kind of background work (the log, deliveries, ...) has a kind of job."""

    def __init__(self, databases: Sequence[Database], peers: Sequence[Peer]) -> None:
        self.registry = registry = CollectorRegistry()
        self.databases, self.peers = databases, peers
        names = ["service", "method", "route", "status"]
        self.requests = Counter("ringfence_requests", "Requests answered", names, registry=registry)
        self.seconds = Histogram(
            "ringfence_request_seconds", "Time to answer", ["service", "route"], buckets=SECONDS, registry=registry
        )
        self.pool = Gauge("ringfence_pool_connections", "Connections in use", ["service"], registry=registry)
        self.room = Gauge("ringfence_pool_size", "Connections that may be kept", ["service"], registry=registry)
        self.breaker = Gauge(
            "ringfence_breaker_open", "1 while a service is not called", ["service", "peer"], registry=registry
        )
        jobs = ["service", "kind"]
        self.waiting = Gauge("ringfence_jobs_due", "Background work that is due", jobs, registry=registry)
        self.failed = Gauge(
            "ringfence_jobs_failed", "Background work that failed at least once", jobs, registry=registry
        )
        self.oldest = Gauge(
            "ringfence_job_oldest_seconds", "How long the oldest work has been due", jobs, registry=registry
        )
        self.series: dict[tuple[str, str, str, int], tuple[Counter, Histogram]] = {}
        self.up = Gauge("ringfence_database_up", "1 while the database answers", ["service"], registry=registry)

    def count(self, service: str, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answer; the way to its numbers is remembered, since there are few."""
        method = known(method)
        key = service, route, method, status
        if key not in self.series:
            labels = {"service": service, "route": route}
            counter = self.requests.labels(**labels, method=method, status=str(status))
            self.series[key] = counter, self.seconds.labels(**labels)
        counter, histogram = self.series[key]
        counter.inc()
        histogram.observe(seconds)

    async def refresh(self) -> None:
        """Look at what is not counted as it happens."""
        for peer in self.peers:
            self.breaker.labels(peer.signer.name, peer.name).set(peer.away)
        for gauge in (self.waiting, self.failed, self.oldest):
            gauge.clear()
        for database in self.databases:
            pool = database.engine.sync_engine.pool
            if isinstance(pool, QueuePool):
                self.pool.labels(database.service).set(pool.checkedout())
                self.room.labels(database.service).set(pool.size())
            self.up.labels(database.service).set(await self.look_at_jobs(database))

    async def look_at_jobs(self, database: Database) -> bool:
        """Count a service's background work, where it has any; says whether its database answers."""
        if database.service == "tables":
            return await database.answers()
        try:
            async with database.transaction(service_caller(database.service)) as session:
                found = (await session.execute(text(JOBS.format(database.service)))).all()
        except UNREACHABLE:
            return False
        for kind, due, failed, seconds in found:
            self.waiting.labels(database.service, kind).set(due)
            self.failed.labels(database.service, kind).set(failed)
            self.oldest.labels(database.service, kind).set(float(seconds))
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The page that Prometheus reads, as an app for a port of its own."""
        if scope["type"] != "http":
            return
        if Request(scope).url.path != "/metrics":
            await Response(status_code=404)(scope, receive, send)
            return
        await self.refresh()
        await Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)(scope, receive, send)


def known(method: str) -> str:
    """The method, or "other": callers may make names up."""
    return method if method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"
