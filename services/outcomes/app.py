"""The outcomes service as an ASGI app."""

from fastapi import APIRouter

from services.kernel.db import Database
from services.kernel.errors import DomainError
from services.kernel.http import Service, create_app
from services.kernel.tokens import Verifier
from services.outcomes.evaluations.routes import router as evaluations
from services.outcomes.inspections.routes import router as inspections
from services.outcomes.models import IdempotencyKey
from services.outcomes.needs.routes import router as needs
from services.outcomes.observations.routes import router as observations
from services.outcomes.plots.routes import router as plots
from services.outcomes.releases.routes import router as releases
from services.outcomes.routes import router as register
from services.outcomes.settings import Settings
from services.outcomes.shortlists.routes import router as shortlists
from services.outcomes.tables.routes import router as tables

CONSTRAINTS: dict[str, DomainError] = {}


def build(
    database: Database, tables_database: Database, verifier: Verifier, settings: Settings | None = None
) -> Service:
    """The app on this database; performance tables are made on `tables_database`, under the role `tables`."""
    router = APIRouter()
    for each in (register, observations, inspections, releases, evaluations, tables, needs, shortlists, plots):
        router.include_router(each)
    app = create_app("outcomes", router, database, verifier, CONSTRAINTS, IdempotencyKey)
    chosen = settings or Settings()
    app.state.tables, app.state.rule, app.state.hosts = tables_database, chosen.rule, chosen.hosts()
    return app
