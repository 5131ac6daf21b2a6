"""Work that arrives as a row, by kind."""

from collections.abc import Mapping

from services.kernel.jobs import Handler
from services.outcomes.evaluations.jobs import inspected, reopen
from services.outcomes.releases.jobs import ingest


def handlers() -> Mapping[str, Handler]:
    """What to do for each kind of job."""
    return {"ingest": ingest, "inspected": inspected, "reopen": reopen}
