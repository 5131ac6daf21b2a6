"""The gateway as an ASGI app: its own routes, and everything that the services behind it offer."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

from services.gateway import forward, routes
from services.gateway.access import routes as access
from services.gateway.access.authenticate import authenticator
from services.gateway.models import IdempotencyKey
from services.gateway.records import routes as records
from services.gateway.rules.scopes import SCOPES
from services.gateway.transfers import routes as transfers
from services.gateway.rules.transfer import TransferNotAllowed
from services.kernel.auth import Signer, Verifier
from services.kernel.db import Database
from services.kernel.http import create_app
from services.kernel.peers import Peer

CONSTRAINTS = {"transfer_live_idx": TransferNotAllowed("A transfer of this contract is under way.")}
BEHIND = ("contracts", "outcomes")
OWN = (access.router, records.router, transfers.router, routes.router)


def build(
    database: Database, verifier: Verifier, signer: Signer, jwks: dict[str, Any], contracts: Peer, outcomes: Peer
) -> FastAPI:
    """The app on this database, reaching the services behind it through these peers."""
    own = APIRouter()
    for router in OWN:
        own.include_router(router)
    app = create_app("gateway", own, database, verifier, CONSTRAINTS, IdempotencyKey)
    answered = own_routes(app)
    for service in BEHIND:
        app.include_router(forward.passing_routes(service, answered))
    app.state.authenticate = authenticator(database, verifier)
    app.state.signer, app.state.jwks = signer, jwks
    app.state.contracts, app.state.outcomes = contracts, outcomes
    whole = merged(app.openapi(), answered)
    app.openapi = lambda: whole  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """One description of all three services, to look at and to try."""
        return get_swagger_ui_html(openapi_url="/openapi.json", title="Ringfence")

    return app


def own_routes(app: FastAPI) -> set[tuple[str, str]]:
    """Method and path of everything that the gateway answers itself."""
    return {(method, path) for path, item in app.openapi()["paths"].items() for method in item}


def merged(own: dict[str, Any], answered: set[tuple[str, str]]) -> dict[str, Any]:
    """One description of all three services, as clients see them at the gateway."""
    whole = {**own, "info": INFO, "servers": [{"url": "/", "description": "This gateway"}], "tags": TAGS}
    paths, schemas = dict(own["paths"]), dict(own["components"]["schemas"])
    for service in BEHIND:
        other = forward.description(service)
        for path, item in forward.public(other["paths"]).items():
            new = {method: operation for method, operation in item.items() if (method, path) not in answered}
            paths[path] = {**new, **paths.get(path, {})}
        schemas = {**other["components"]["schemas"], **schemas}
    security = own["components"]["securitySchemes"]
    security["oauth2"]["flows"]["clientCredentials"]["scopes"] = SCOPES
    components = {"schemas": dict(sorted(schemas.items())), "securitySchemes": security}
    return {**whole, "paths": dict(sorted(paths.items())), "components": components}


INFO = {
    "title": "Ringfence",
    "version": "1",
    "summary": "Contracts for school improvement, kept apart from performance tables until they have worked.",
    "description": (
        "A commissioner contracts a proven multi-academy trust for a fixed term to improve a school. The trust is "
        "held to account as a supplier; the school's results are kept apart from the trust's tables; where it "
        "worked, the school becomes a full member."
    ),
    "license": {"name": "MIT", "identifier": "MIT"},
    "contact": {"name": "Ringfence", "url": "https://ringfence.education/"},
}
TAGS = [
    {"name": "access", "description": "Clients, API keys and tokens"},
    {"name": "contracts", "description": "What was promised, by whom, for how much, until when"},
    {"name": "milestones", "description": "Facts about milestones, recorded once"},
    {"name": "finance", "description": "Payments"},
    {"name": "outcomes", "description": "Evaluations against target and matched comparators"},
    {"name": "register", "description": "Schools, trusts and measures, as DfE publishes them"},
    {"name": "releases", "description": "Published files, ingested"},
    {"name": "ring-fences", "description": "Results kept apart, and trusts' performance tables"},
    {"name": "transfers", "description": "From contract to full membership"},
    {"name": "health", "description": "Whether the service lives and can work"},
]
