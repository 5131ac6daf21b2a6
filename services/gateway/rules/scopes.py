"""What a token or key may do, and what each kind of caller may be given at most."""

from services.kernel.errors import Unprocessable
from services.kernel.types import Kind

SCOPES = {
    "contracts:read": "Read contracts, milestones, payments and events",
    "contracts:write": "Draft, offer, sign and end contracts",
    "milestones:write": "Record milestones",
    "outcomes:read": "Read schools, trusts, releases, evaluations, ring-fences and performance tables",
    "outcomes:write": "Ask for evaluations",
    "releases:write": "Ingest published releases",
    "transfers:read": "Read transfers to full membership",
    "transfers:write": "Give consents and complete steps of transfers",
    "finance:read": "Read payments, claims and invoices",
    "finance:write": "Make, certify and approve claims",
    "keys:write": "Create, rotate and revoke API keys",
    "clients:write": "Register and disable clients",
    "subscriptions:write": "Subscribe to events",
    "log:read": "Read the log, its checkpoints and proofs",
}
READING = frozenset({"contracts:read", "outcomes:read", "transfers:read", "finance:read", "log:read"})
ALLOWED: dict[Kind, frozenset[str]] = {
    Kind.DFE: frozenset(SCOPES),
    Kind.COMMISSIONER: frozenset(SCOPES) - {"releases:write", "clients:write", "keys:write"},
    Kind.SUPPLIER: READING
    | {"contracts:write", "milestones:write", "transfers:write", "finance:write", "keys:write", "subscriptions:write"},
    Kind.RESPONSIBLE_BODY: READING | {"contracts:write", "milestones:write", "transfers:write"},
}
KEY_SCOPES = frozenset({"contracts:read", "finance:read", "finance:write", "outcomes:read"})
"""What an API key of a finance team may be given."""


class ScopeNotAllowed(Unprocessable):
    """A scope that does not exist, or that this kind of caller cannot have."""

    code = "scope_not_allowed"
    title = "The scope cannot be given"


def check_scopes(scopes: list[str], allowed: frozenset[str]) -> None:
    """Raise ScopeNotAllowed unless all are in `allowed`."""
    for scope in scopes:
        if scope not in allowed:
            raise ScopeNotAllowed(f"{scope} cannot be given here; possible are {', '.join(sorted(allowed))}.")
