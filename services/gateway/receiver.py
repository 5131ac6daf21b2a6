"""Where hand-over packages go: a system of DfE's, over HTTPS."""

from dataclasses import dataclass
from typing import Any

import httpx

from services.kernel.errors import Unavailable


class NotAcknowledged(Unavailable):
    """The receiver has not said that it keeps the package: it is sent again."""

    code = "not_acknowledged"
    title = "The receiver has not acknowledged the package"


@dataclass(frozen=True, slots=True)
class Receiver:
    """The receiver at `url` (None: packages are fetched and acknowledged by DfE's own call), given so many minutes."""

    url: str | None
    minutes: int

    async def send(self, key: str, package: dict[str, Any], sha256: str) -> str:
        """Send a package under a key that stays the same when it is sent again; gives the identifier kept there.

        Raises NotAcknowledged unless the answer is a success with an `id`.
        """
        body = {"package": package, "sha256": sha256}
        try:
            async with httpx.AsyncClient(timeout=30.0, follow_redirects=False) as client:
                answer = await client.post(str(self.url), json=body, headers={"Idempotency-Key": f'"{key}"'})
            found = answer.json() if answer.is_success else {}
        except (httpx.HTTPError, ValueError) as error:
            raise NotAcknowledged(f"The receiver gave no usable answer ({type(error).__name__}).") from error
        if not isinstance(found, dict) or not found.get("id"):
            raise NotAcknowledged(f"The receiver answered {answer.status_code} without an id.")
        return str(found["id"])[:200]
