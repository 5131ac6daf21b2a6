"""What is believed of a caller until the database confirms it, in the statement that relies on it."""

from dataclasses import dataclass, field
from typing import Any

from services.kernel.auth import Caller


@dataclass(frozen=True, slots=True)
class Belief:
    """A caller by its token, as its client stood when the database was last asked.

    Nothing may be told or done for it before the database has confirmed that the token was not revoked and that its
    client stands as it did.
    """

    caller: Caller
    client_id: str
    jti: str
    standing: dict[str, Any] = field(compare=False)

    def plain(self) -> dict[str, Any]:
        """What the database is to confirm."""
        return {"client_id": self.client_id, "jti": self.jti, "standing": self.standing}


class NotConfirmed(Exception):
    """What was believed may not hold any more, or something else stands in the way: the caller must be proven."""
