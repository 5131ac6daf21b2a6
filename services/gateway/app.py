"""The gateway as an ASGI app: its own routes, and everything that the services behind it offer."""

from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from services.gateway import forward, routes
from services.gateway.access import routes as access
from services.gateway.access.authenticate import authenticator
from services.gateway.bulkhead import Bulkhead
from services.gateway.description import merged
from services.gateway.guard import Guard
from services.gateway.models import IdempotencyKey
from services.gateway.pages import POLICY, page
from services.gateway.rates import Rates, limited
from services.gateway.records import routes as records
from services.gateway.rules.transfer import TransferNotAllowed
from services.gateway.settings import Settings
from services.gateway.transfers import routes as transfers
from services.kernel.auth import Signer, Verifier
from services.kernel.db import Database
from services.kernel.http import create_app
from services.kernel.peers import Peer

CONSTRAINTS = {"transfer_live_idx": TransferNotAllowed("A transfer of this contract is under way.")}
OPEN = ("/.well-known/", "/docs", "/openapi.json")
"""How the gateway's own paths begin that anybody may read."""
OWN = (access.router, records.router, transfers.router, routes.router)


def build(
    database: Database,
    verifier: Verifier,
    signer: Signer,
    jwks: dict[str, Any],
    contracts: Peer,
    outcomes: Peer,
    settings: Settings,
) -> FastAPI:
    """The app on this database, reaching the services behind it through these peers."""
    own = APIRouter()
    for router in OWN:
        own.include_router(router)
    app = create_app("gateway", own, database, verifier, CONSTRAINTS, IdempotencyKey)
    answered = own_routes()
    for service in forward.BEHIND:
        app.include_router(forward.passing_routes(service, answered))
    rates, is_open = Rates(database, settings), (*OPEN, *forward.open_paths())
    app.add_middleware(Guard, rates=rates, settings=settings, is_open=lambda path: path.startswith(is_open))
    app.state.authenticate = limited(authenticator(database, verifier), rates)
    app.state.signer, app.state.jwks = signer, jwks
    app.state.contracts, app.state.outcomes = contracts, outcomes
    app.state.away = lambda: [each.name for each in (contracts, outcomes) if isinstance(each, Bulkhead) and each.away]
    describe = app.openapi
    app.openapi = cache(lambda: merged(describe(), answered))  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """One description of all three services, to be read."""
        return HTMLResponse(page(app.openapi()), headers={"Content-Security-Policy": POLICY})

    return app


def own_routes() -> set[tuple[str, str]]:
    """Method and path of everything that the gateway answers itself."""
    routes = [route for router in OWN for route in router.routes if isinstance(route, APIRoute)]
    return {(method.lower(), route.path) for route in routes for method in route.methods or ()}
