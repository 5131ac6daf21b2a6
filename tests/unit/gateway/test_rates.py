"""Replicas that lease blocks of requests never let more through than the limit, and waste less than a block each."""

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.rules.rates import Lease, Policy, Standing, network, period_at, seconds_left


class Shared:
    """What all replicas have taken, as the database keeps it."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.number = policy, 0

    def take(self) -> int | None:
        """Ask for a block."""
        if self.number >= self.policy.quota:
            return None
        self.number += self.policy.block
        return self.number


@given(st.integers(1, 700), st.lists(st.integers(0, 3), max_size=1500))
def test_replicas_together_keep_to_the_limit(quota: int, asked: list[int]) -> None:
    policy = Policy("caller", quota)
    shared, leases, passed = Shared(policy), [Lease(1) for _ in range(4)], 0
    for replica in asked:
        lease = leases[replica]
        if not lease.held and lease.left:
            lease.take_in(policy, shared.take())
        if lease.held:
            lease.held -= 1
            passed += 1
    assert passed <= quota
    assert passed >= min(len(asked), quota - 4 * policy.block)


def test_one_replica_alone_lets_the_whole_limit_through() -> None:
    for quota in (1, 7, 20, 25, 600):
        policy = Policy("caller", quota)
        shared, lease, passed = Shared(policy), Lease(1), 0
        for _ in range(2 * quota):
            if not lease.held and lease.left:
                lease.take_in(policy, shared.take())
            if lease.held:
                lease.held, passed = lease.held - 1, passed + 1
        assert passed == quota


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(1, 60))
def test_the_fields_are_structured_fields(quota: int, remaining: int, seconds: int) -> None:
    fields = Standing(Policy("caller", quota), remaining, seconds).fields()
    policy = http_sf.parse(fields["ratelimit-policy"].encode(), tltype="list")
    standing = http_sf.parse(fields["ratelimit"].encode(), tltype="list")
    assert policy == [("caller", {"q": quota, "w": 60})]
    assert standing == [("caller", {"r": remaining, "t": seconds})]


@given(st.floats(0, 2e9))
def test_the_next_window_is_a_second_to_a_minute_away(now: float) -> None:
    assert 1 <= seconds_left(now) <= 60
    assert period_at(now + seconds_left(now)) == period_at(now) + 1


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8::1", "2001:db8::/64"),
        ("", ""),
        ("a name", "a name"),
    ],
)
def test_addresses_of_one_network_count_as_one(address: str, counted: str) -> None:
    assert network(address) == counted
