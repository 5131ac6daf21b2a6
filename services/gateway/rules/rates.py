"""How many requests a caller may make in a minute, how replicas share that, and how the answer says so.

Field syntax: draft-ietf-httpapi-ratelimit-headers-11, which is a draft: it is written here and nowhere else.
"""

from dataclasses import dataclass
from ipaddress import IPv6Network
from math import ceil

WINDOW_SECONDS = 60
PARTS = 20


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `quota` requests in each window; `name` says what they are counted by."""

    name: str
    quota: int

    @property
    def block(self) -> int:
        """How many requests a replica leases at once: a twentieth, so that little lies unused at another."""
        return ceil(self.quota / PARTS)


@dataclass(slots=True)
class Lease:
    """What a replica holds in one window: requests it may still let through, and what was left beyond these."""

    period: int
    held: int = 0
    left: int = 1

    def take_in(self, policy: Policy, taken: int | None) -> None:
        """After asking for a block: `taken` is what all replicas now have, with the block; None: all was taken."""
        if taken is None:
            self.held, self.left = 0, 0
        else:
            self.held = min(policy.block, policy.quota - (taken - policy.block))
            self.left = max(0, policy.quota - taken)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands: what remains, as far as this replica knows, and the seconds until the next window."""

    policy: Policy
    remaining: int
    seconds: int

    def fields(self) -> dict[str, str]:
        """The header fields that every answer carries."""
        name = self.policy.name
        return {
            "ratelimit-policy": f'"{name}";q={self.policy.quota};w={WINDOW_SECONDS}',
            "ratelimit": f'"{name}";r={self.remaining};t={self.seconds}',
        }


def period_at(now: float) -> int:
    """The number of the window at this instant (seconds since 1970)."""
    return int(now // WINDOW_SECONDS)


def seconds_left(now: float) -> int:
    """Whole seconds until the next window begins; at least one."""
    return ceil((period_at(now) + 1) * WINDOW_SECONDS - now)


def network(address: str) -> str:
    """What is counted as one address: an IPv4 address, or the /64 that an IPv6 address lies in."""
    return str(IPv6Network((address, 64), strict=False)) if ":" in address else address
