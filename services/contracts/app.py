"""The contracts service as an ASGI app."""

from fastapi import APIRouter, FastAPI

from services.contracts.drafts.routes import router as drafts
from services.contracts.evaluations.routes import router as evaluations
from services.contracts.milestones.routes import router as milestones
from services.contracts.models import IdempotencyKey
from services.contracts.payments.routes import router as payments
from services.contracts.routes import router as contracts
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
    router = APIRouter()
    for each in (drafts, contracts, milestones, payments, evaluations):
        router.include_router(each)
    app = create_app("contracts", router, database, verifier, CONSTRAINTS, IdempotencyKey)
    app.state.outcomes = outcomes
    return app
