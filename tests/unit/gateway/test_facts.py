"""What leaves say of the gateway's own facts: identifiers and days openly, words and names as hashes only."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.gateway.rules import facts
from services.gateway.rules.hand_over import TOLD

ACTOR = {"client_id": "mat-1", "name": "Jane's key"}
ROW = SimpleNamespace(
    id=1,
    record_id=2,
    milestone_code="M1",
    status="met",
    occurred_on="2023-10-27",
    recorded_at="then",
    recorded_by=ACTOR,
    note="Jane was ill.",
    evidence=[{"title": "Jane's report", "url": "https://example.org", "sha256": "ab"}],
    reason="Jane was wrong.",
    withdrawn_at="then",
    withdrawn_by=ACTOR,
    by="rsc",
    decision="approved",
    decided_on="2024-01-01",
    conditions=["Jane stays"],
    name="Jane's key",
    created_by=ACTOR,
    created_at="then",
    secret_hash="hash",
    former_secret_hash=None,
    key_hash="hash",
    **dict.fromkeys(("kind", "organisation", "scopes", "regions", "la_codes", "trust_uid", "urns", "start")),
    **dict.fromkeys(TOLD, "as Jane said"),
    **dict.fromkeys(("jwks", "disabled_at", "environment", "networks", "expires_at", "revoked_at")),
)


@pytest.mark.parametrize("said", [facts.recorded, facts.withdrawn, facts.consented, facts.registered, facts.issued])
def test_nothing_personal_is_said_openly(said: Any) -> None:
    openly, private = said(ROW)
    assert "Jane" not in str(openly)
    assert "Jane" in str(private)
    assert "hash" not in str(openly)


def test_hashes_of_documents_stay_when_their_names_are_erased() -> None:
    erased = SimpleNamespace(**{**vars(ROW), "note": None, "evidence": [{"sha256": "ab"}]})
    assert facts.recorded(erased)[0] == facts.recorded(ROW)[0]


def test_a_proposal_says_what_the_transfer_is_about() -> None:
    names = ("route", "needed", "school_urn", "trust_uid", "evidence", "created_at")
    row = SimpleNamespace(**{name: name.upper() for name in names})
    assert facts.proposed(row) == ({name: name.upper() for name in names}, {})
