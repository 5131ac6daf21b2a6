"""Work that arrives as a row, by kind."""

from collections.abc import Mapping
from functools import partial

from services.kernel.jobs import Handler, forget
from services.outcomes.arrivals.jobs import fetch
from services.outcomes.evaluations.jobs import inspected, reopen
from services.outcomes.models import Job
from services.outcomes.releases.jobs import ingest
from services.outcomes.remote.hosts import Hosts


def handlers(hosts: Hosts) -> Mapping[str, Handler]:
    """What to do for each kind of job; files are fetched from these hosts only."""
    return {
        "fetch": partial(fetch, hosts=hosts),
        "ingest": ingest,
        "inspected": inspected,
        "reopen": reopen,
        "forget": partial(forget, table=Job),
    }
