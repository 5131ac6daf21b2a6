"""The gateway as an ASGI app: its own routes, and everything that the services behind it offer."""

from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from services.gateway import forward
from services.gateway.access import routes as access
from services.gateway.access.authenticate import authenticator
from services.gateway.days import routes as days
from services.gateway.description import merged
from services.gateway.log import routes as log
from services.gateway.models import IdempotencyKey
from services.gateway.records import routes as records
from services.gateway.rules.transfer import TransferNotAllowed
from services.gateway.tasks import routes as tasks
from services.gateway.transfers import routes as transfers
from services.gateway.withdrawals import routes as withdrawals
from services.gateway.withdrawals.service import AlreadyWithdrawn
from services.kernel.auth import Signer, Verifier
from services.kernel.db import Database
from services.kernel.errors import DomainError
from services.kernel.http import create_app
from services.kernel.peers import Peer

CONSTRAINTS: dict[str, DomainError] = {
    "transfer_live_idx": TransferNotAllowed("A transfer of this contract is under way."),
    "withdrawal_record_id_key": AlreadyWithdrawn("Somebody has just withdrawn this record."),
}
OWN = (access.router, log.router, records.router, withdrawals.router, transfers.router, tasks.router, days.router)


def build(
    database: Database, verifier: Verifier, signer: Signer, jwks: dict[str, Any], contracts: Peer, outcomes: Peer
) -> FastAPI:
    """The app on this database, reaching the services behind it through these peers."""
    own = APIRouter()
    for router in OWN:
        own.include_router(router)
    app = create_app("gateway", own, database, verifier, CONSTRAINTS, IdempotencyKey)
    answered = own_routes()
    for service in forward.BEHIND:
        app.include_router(forward.passing_routes(service, answered))
    app.state.authenticate = authenticator(database, verifier)
    app.state.signer, app.state.jwks = signer, jwks
    app.state.contracts, app.state.outcomes = contracts, outcomes
    describe = app.openapi
    app.openapi = cache(lambda: merged(describe(), answered))  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """One description of all three services, to look at and to try."""
        return get_swagger_ui_html(openapi_url="/openapi.json", title="Ringfence")

    return app


def own_routes() -> set[tuple[str, str]]:
    """Method and path of everything that the gateway answers itself."""
    routes = [route for router in OWN for route in router.routes if isinstance(route, APIRoute)]
    return {(method.lower(), route.path) for route in routes for method in route.methods or ()}
