"""The contracts service as an ASGI app."""

from fastapi import APIRouter

from services.contracts.claims.routes import router as claims
from services.contracts.disputes.routes import router as disputes
from services.contracts.drafts.routes import router as drafts
from services.contracts.duties.routes import router as duties
from services.contracts.evaluations.routes import router as evaluations
from services.contracts.exports.routes import router as exports
from services.contracts.finance.routes import router as finance
from services.contracts.invoices.routes import router as invoices
from services.contracts.milestones.routes import router as milestones
from services.contracts.models import IdempotencyKey
from services.contracts.offers.routes import router as offers
from services.contracts.payments.routes import router as payments
from services.contracts.performance.routes import internal as ground
from services.contracts.performance.routes import router as performance
from services.contracts.publication.routes import router as publication
from services.contracts.reviews.routes import router as reviews
from services.contracts.routes import router as contracts
from services.contracts.rules.life import MoveNotAllowed
from services.contracts.rules.terms import OverlappingContract
from services.contracts.rules.variations import VariationOpen
from services.contracts.settings import Settings
from services.contracts.shortlists.routes import router as shortlists
from services.contracts.statements.routes import router as statements
from services.contracts.suppliers.routes import router as suppliers
from services.contracts.suspensions.routes import router as suspensions
from services.contracts.terminations.routes import router as terminations
from services.contracts.variations.routes import router as variations
from services.kernel.bodies import PreconditionRequired
from services.kernel.db import Database
from services.kernel.http import Service, create_app
from services.kernel.peers import Peer
from services.kernel.tokens import Verifier

OVERLAPPING = OverlappingContract("Another contract for this school covers part of this term.")
CONSTRAINTS = {
    "contract_school_term_excl": OVERLAPPING,
    "contract_continuity_term_excl": OVERLAPPING,
    "variation_open_idx": VariationOpen("Another variation of this contract has not been settled."),
    "supplier_pkey": PreconditionRequired(
        "Somebody has just put the trust on the register; read it, and send If-Match."
    ),
    "signature_pkey": MoveNotAllowed("This party has signed already."),
}


def build(database: Database, verifier: Verifier, outcomes: Peer, settings: Settings) -> Service:
    """The app on this database, reaching outcomes through `outcomes`."""
    router = APIRouter()
    slices = (drafts, contracts, offers, variations, suspensions, terminations, milestones, payments, evaluations)
    more = (reviews, performance, ground, duties, publication, suppliers, shortlists)
    books = (finance, claims, disputes, invoices, statements, exports)
    for each in (*slices, *more, *books):
        router.include_router(each)
    app = create_app("contracts", router, database, verifier, CONSTRAINTS, IdempotencyKey)
    app.state.outcomes, app.state.peers, app.state.publisher = outcomes, (outcomes,), settings.publisher()
    return app
