"""What is public: IANA's special-purpose registries, and the tricks by which addresses are disguised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.addresses import is_public

CLOSED = {
    "unspecified": "0.0.0.0",
    "this network": "0.1.2.3",
    "private A": "10.0.0.1",
    "private A, its end": "10.255.255.255",
    "carrier's NAT": "100.64.0.1",
    "carrier's NAT, its end": "100.127.255.254",
    "a cloud's metadata in there": "100.100.100.200",
    "loopback": "127.0.0.1",
    "loopback elsewhere": "127.255.255.254",
    "link-local": "169.254.1.1",
    "a cloud's metadata": "169.254.169.254",
    "a cloud's container metadata": "169.254.170.2",
    "private B": "172.16.0.1",
    "private B, its end": "172.31.255.255",
    "protocol assignments": "192.0.0.1",
    "documentation": "192.0.2.1",
    "6to4 relays": "192.88.99.1",
    "private C": "192.168.1.1",
    "benchmarks": "198.18.0.1",
    "documentation 2": "198.51.100.7",
    "documentation 3": "203.0.113.7",
    "multicast": "224.0.0.1",
    "multicast, its end": "239.255.255.255",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "a cloud's host": "168.63.129.16",
    "unspecified, v6": "::",
    "loopback, v6": "::1",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped public": "::ffff:8.8.8.8",
    "compatible loopback": "::127.0.0.1",
    "NAT64 of metadata": "64:ff9b::169.254.169.254",
    "local NAT64": "64:ff9b:1::1",
    "discard": "100::1",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "ORCHID": "2001:20::1",
    "documentation, v6": "2001:db8::1",
    "documentation, new": "3fff::1",
    "6to4 of a private address": "2002:a00:1::",
    "unique local": "fd00::1",
    "metadata, v6": "fd00:ec2::254",
    "link-local, v6": "fe80::1",
    "link-local with its zone": "fe80::1%eth0",
    "site-local": "fec0::1",
    "multicast, v6": "ff02::1",
    "no address": "localhost",
    "decimal": "2130706433",
    "octal": "0177.0.0.1",
    "nothing": "",
}
PUBLIC = ("8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "2a00:1450::1", "2600::1")


@pytest.mark.parametrize("address", CLOSED.values(), ids=CLOSED.keys())
def test_addresses_that_not_everybody_reaches_are_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4).filter(lambda each: not each.is_global))
def test_nothing_that_the_standard_library_calls_not_global_is_public(address: object) -> None:
    assert not is_public(str(address))


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_is_public_in_the_clothes_of_ipv6(address: object) -> None:
    for disguise in (f"::ffff:{address}", f"::{address}", f"64:ff9b::{address}"):
        assert not is_public(disguise)
