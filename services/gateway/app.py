"""The gateway as an ASGI app: its own routes, and everything that the services behind it offer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from services.gateway import forward
from services.gateway.access import routes as access
from services.gateway.access.authenticate import Uses, authenticator
from services.gateway.access.remembered import Tokens
from services.gateway.consents import routes as consents
from services.gateway.days import routes as days
from services.gateway.description import merged
from services.gateway.express import Beliefs, Express, Signposts
from services.gateway.guard import Guard
from services.gateway.kept import Kept
from services.gateway.log import routes as log
from services.gateway.models import IdempotencyKey
from services.gateway.outbound import reach_of
from services.gateway.pages import POLICY, page
from services.gateway.rates import Rates, limited
from services.gateway.records import routes as records
from services.gateway.records.recording import Recorder
from services.gateway.rules.networks import Network
from services.gateway.rules.transfer import TransferNotAllowed
from services.gateway.settings import Settings
from services.gateway.subscriptions import routes as subscriptions
from services.gateway.tasks import routes as tasks
from services.gateway.tokens import routes as tokens_routes
from services.gateway.transfers import routes as transfers
from services.gateway.vault import Vault
from services.gateway.wire import Wire
from services.gateway.withdrawals import routes as withdrawals
from services.gateway.withdrawals.service import AlreadyWithdrawn
from services.kernel.db import Database
from services.kernel.errors import DomainError
from services.kernel.http import Service, create_app
from services.kernel.peers import Peer
from services.kernel.tokens import Keys, Signer, Verifier

CONSTRAINTS: dict[str, DomainError] = {
    "transfer_live_idx": TransferNotAllowed("A transfer of this contract is under way."),
    "withdrawal_record_id_key": AlreadyWithdrawn("Somebody has just withdrawn this record."),
}
OPEN = ("/.well-known/", "/docs", "/openapi.json")
"""How the gateway's own paths begin that anybody may read."""
OWN = (
    tokens_routes.router,
    access.router,
    log.router,
    records.router,
    withdrawals.router,
    subscriptions.router,
    transfers.router,
    consents.router,
    tasks.router,
    days.router,
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """By what the gateway proves itself and others: keys as they are at each moment, and the name of the issuer."""

    keys: Keys
    published: Callable[[], dict[str, Any]]
    issuer: str
    proxies: Sequence[Network] = ()


def build(database: Database, credentials: Credentials, contracts: Peer, outcomes: Peer, settings: Settings) -> Service:
    """The app on this database, reaching the services behind it through these peers."""
    verifier = Verifier(credentials.keys)
    own = APIRouter()
    for router in OWN:
        own.include_router(router)
    app = create_app("gateway", own, database, verifier, CONSTRAINTS, IdempotencyKey)
    routes = [route for router in OWN for route in routes_of(router)]
    answered = {(method.lower(), route.path) for route in routes for method in route.methods or ()}
    passing: dict[forward.Endpoint, forward.Passing] = {}
    for service in forward.BEHIND:
        router, found = forward.passing_routes(service, answered)
        app.include_router(router)
        passing |= found
        routes += routes_of(router)
    wire = app.state.wire = Wire(database)
    tokens, uses = Tokens(verifier, credentials.issuer), Uses(database)
    rates, is_open = Rates(database, settings), (*OPEN, *forward.open_paths())
    signposts, beliefs = Signposts(routes, passing), Beliefs(tokens, rates)
    app.add_middleware(Express, constraints=CONSTRAINTS, signposts=signposts, beliefs=beliefs)
    app.add_middleware(Guard, rates=rates, settings=settings, is_open=lambda path: path.startswith(is_open))
    app.state.authenticate = limited(authenticator(wire, tokens, uses, credentials.proxies), rates)
    app.state.signer = Signer(credentials.keys, "tokens", credentials.issuer)
    app.state.tokens, app.state.uses, app.state.issuer = tokens, uses, credentials.issuer
    app.state.published = credentials.published
    app.state.recorder, app.state.kept = Recorder(wire), Kept(settings.kept_megabytes * 2**20)
    app.state.contracts, app.state.outcomes, app.state.peers = contracts, outcomes, (contracts, outcomes)
    app.state.reach, app.state.vault = reach_of(settings), Vault(settings.keys_dir)
    describe = app.openapi
    app.openapi = cache(lambda: merged(describe(), answered))  # type: ignore[method-assign]
    app.add_api_route("/docs", docs, include_in_schema=False, response_class=HTMLResponse)
    return app


async def docs(request: Request) -> HTMLResponse:
    """One description of all three services, to be read."""
    return HTMLResponse(page(request.app.openapi()), headers={"Content-Security-Policy": POLICY})


def routes_of(router: APIRouter) -> list[APIRoute]:
    """The routes that stand in a router itself."""
    return [route for route in router.routes if isinstance(route, APIRoute)]
