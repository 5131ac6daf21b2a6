"""Bringing leaves into the tree, again and again."""

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.gateway.log.service import SOURCE, integrate
from services.gateway.models import Job
from services.kernel.auth import service_caller
from services.kernel.db import Database
from services.kernel.jobs import enqueue

SELF = service_caller("gateway")
KIND = "integrate"


@dataclass(frozen=True, slots=True)
class Integration:
    """The job that gives committed leaves their places and signs; it comes back after a pause."""

    origin: str
    key: Ed25519PrivateKey
    pause_seconds: float

    async def __call__(self, database: Database, key: str, now: datetime) -> None:
        """Integrate what has committed, a batch in each transaction, until nothing is left."""
        while True:
            async with database.transaction(SELF) as session:
                if await integrate(session, origin=self.origin, key=self.key, now=now):
                    continue
                await enqueue(session, Job, kind=KIND, key=SOURCE, pause_seconds=self.pause_seconds)
                return
