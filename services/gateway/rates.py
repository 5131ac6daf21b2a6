"""Limits on requests, shared by all replicas: each leases blocks of a minute's requests and counts these by itself."""

import asyncio
import hashlib
import time
from dataclasses import dataclass, field

from sqlalchemy import text
from starlette.requests import Request

from services.gateway.rules.rates import Lease, Policy, Standing, network, period_at, seconds_left
from services.gateway.settings import Settings
from services.kernel.auth import Authenticate, Caller, service_caller
from services.kernel.db import Database, is_unreachable
from services.kernel.errors import DomainError, Unauthenticated

SELF = service_caller("gateway")
LEASE = text(
    'INSERT INTO gateway.rate AS known (bucket, "period", taken) VALUES (:bucket, :period, :block)'
    " ON CONFLICT (bucket) DO UPDATE SET"
    " taken = CASE WHEN known.period < excluded.period THEN 0 ELSE known.taken END + excluded.taken,"
    ' "period" = greatest(known.period, excluded.period)'
    " WHERE known.period < excluded.period OR known.taken < :quota RETURNING taken"
)
FORGET = text(
    "DELETE FROM gateway.rate WHERE bucket IN"
    " (SELECT bucket FROM gateway.rate WHERE period < :period - 1 FOR UPDATE SKIP LOCKED)"
)


class TooManyRequests(DomainError):
    """The caller has made all the requests that it may make in this minute."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"

    def __init__(self, standing: Standing) -> None:
        super().__init__(f"Come again in {standing.seconds} seconds; {standing.policy.quota} a minute are allowed.")
        self.headers = {"Retry-After": str(standing.seconds)}


@dataclass(slots=True)
class Counter:
    """A lease, and the lock under which one request asks for the next block while others wait for it."""

    lease: Lease
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Rates:
    """The limits of one replica."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.caller = Policy("caller", settings.rate_caller)
        self.address = Policy("address", settings.rate_address)
        self.token = Policy("token", settings.rate_token)
        self.period, self.counters = 0, dict[str, Counter]()

    async def charge(self, request: Request, policy: Policy, who: str) -> None:
        """Count a request and note for its answer where its caller stands; raises TooManyRequests."""
        now = time.time()
        lease = await self.lease(policy, who, period_at(now))
        standing = Standing(policy, max(0, lease.held - 1) + lease.left, seconds_left(now))
        request.state.standing = standing
        if not lease.held:
            raise TooManyRequests(standing)
        lease.held -= 1

    def counted(self, request: Request) -> bool:
        """Whether a request was counted as its caller's: once is enough, however often the caller is looked at."""
        standing: Standing | None = getattr(request.state, "standing", None)
        return standing is not None and standing.policy == self.caller

    async def charge_address(self, request: Request, policy: Policy) -> None:
        """Count a request by the address that it comes from."""
        await self.charge(request, policy, network(request.client.host) if request.client else "")

    async def lease(self, policy: Policy, who: str, period: int) -> Lease:
        """What this replica holds for somebody, with another block where that was used up."""
        if period != self.period:
            self.period, self.counters = period, {}
        counter = self.counters.setdefault(f"{policy.name} {who}", Counter(Lease(period)))
        lease = counter.lease
        if not lease.held and lease.left:
            async with counter.lock:
                if not lease.held and lease.left:
                    lease.take_in(policy, await self.taken(policy, who, period))
        return lease

    async def taken(self, policy: Policy, who: str, period: int) -> int | None:
        """Ask for a block: what all replicas have taken now, or None. Without a database limits are not what fails."""
        bucket = hashlib.sha256(f"{policy.name} {who}".encode()).hexdigest()
        values = {"bucket": bucket, "period": period, "block": policy.block, "quota": policy.quota}
        try:
            async with self.database.transaction(SELF) as session:
                taken = (await session.execute(LEASE, values)).scalar_one_or_none()
                if taken == policy.block:
                    await session.execute(FORGET, {"period": period})
        except Exception as error:
            if not is_unreachable(error):
                raise
            return policy.block
        return taken


def limited(authenticate: Authenticate, rates: Rates) -> Authenticate:
    """Prove a caller and count its request; what proves nobody is counted by its address."""

    async def charged(request: Request) -> Caller:
        try:
            caller = await authenticate(request)
        except Unauthenticated:
            if not hasattr(request.state, "standing"):
                await rates.charge_address(request, rates.address)
            raise
        if not rates.counted(request):
            await rates.charge(request, rates.caller, caller.client_id)
        return caller

    return charged
