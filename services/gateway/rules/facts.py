"""What leaves say of the gateway's own facts: open members, and those that are held as salted hashes only.

The same functions write a leaf and check it against its row later, so nothing that a leaf speaks of can be forgotten.
A row is anything with the columns of its table.
"""

from typing import Any

from services.gateway.rules.hand_over import TOLD

Said = tuple[dict[str, Any], dict[str, Any]]


def recorded(row: Any) -> Said:
    """A milestone record. The hashes of documents stay when their names are erased."""
    names = ("milestone_code", "status", "occurred_on", "recorded_at")
    facts = {"record_id": row.id, **{name: getattr(row, name) for name in names}}
    facts["recorded_by"] = row.recorded_by["client_id"]
    facts["evidence"] = [each["sha256"] for each in row.evidence]
    return facts, {"note": row.note, "documents": row.evidence, "actor": row.recorded_by}


def withdrawn(row: Any) -> Said:
    """The withdrawal of a milestone record."""
    facts = {"withdrawal_id": row.id, "record_id": row.record_id, "withdrawn_at": row.withdrawn_at}
    facts["withdrawn_by"] = row.withdrawn_by["client_id"]
    return facts, {"reason": row.reason, "actor": row.withdrawn_by}


def proposed(row: Any) -> Said:
    """What a transfer is about, from its proposal on."""
    names = ("route", "needed", "school_urn", "trust_uid", "evidence", "created_at")
    return {name: getattr(row, name) for name in names}, {}


def consented(row: Any) -> Said:
    """A decision of one of the bodies whose consent a transfer needs."""
    facts = {"consent_id": row.id, "consent_by": row.by, "decision": row.decision, "decided_on": row.decided_on}
    facts["recorded_at"] = row.recorded_at
    told = {name: getattr(row, name) for name in TOLD}
    return facts, {"conditions": row.conditions, "told": told, "actor": row.recorded_by}


def registered(row: Any) -> Said:
    """A client, with all that bounds it, and its public keys; its secrets are hashed."""
    names = ("kind", "organisation", "scopes", "regions", "la_codes", "trust_uid", "urns", "jwks")
    facts = {"client_id": row.id, **{name: getattr(row, name) for name in (*names, "created_at", "disabled_at")}}
    secrets = {name: getattr(row, name) for name in ("secret_hash", "former_secret_hash")}
    return facts, {"name": row.name, **secrets}


def issued(row: Any) -> Said:
    """An API key, with all that bounds it."""
    names = ("trust_uid", "scopes", "environment", "networks", "start", "created_at", "expires_at", "revoked_at")
    facts = {"key_id": row.id, **{name: getattr(row, name) for name in names}}
    return facts, {"name": row.name, "key_hash": row.key_hash, "actor": row.created_by}
