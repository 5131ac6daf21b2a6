"""The contracts service as an ASGI app."""

from fastapi import FastAPI

from services.contracts.models import IdempotencyKey
from services.contracts.routes import router
from services.contracts.rules.life import MoveNotAllowed
from services.contracts.rules.terms import OverlappingContract
from services.kernel.auth import Verifier
from services.kernel.db import Database
from services.kernel.http import create_app
from services.kernel.peers import Peer

CONSTRAINTS = {
    "contract_school_term_excl": OverlappingContract("Another contract for this school covers part of this term."),
    "signature_pkey": MoveNotAllowed("This party has signed already."),
}


def build(database: Database, verifier: Verifier, outcomes: Peer) -> FastAPI:
    """The app on this database, reaching outcomes through `outcomes`."""
    app = create_app("contracts", router, database, verifier, CONSTRAINTS, IdempotencyKey)
    app.state.outcomes = outcomes
    return app
