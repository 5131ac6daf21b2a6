"""Bodies about withdrawals of milestone records."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.kernel.bodies import Answer, Body, Text


class WithdrawalIn(Body):
    """Why a record does not hold."""

    reason: Text


class WithdrawalOut(Answer):
    """A record taken back; the record itself stays as it was written."""

    id: UUID
    record_id: UUID
    contract_id: UUID
    reason: str | None
    withdrawn_at: datetime
    withdrawn_by: dict[str, Any]
    leaf_hash: str
