"""Which IP addresses are of the public internet: what we reach for others must not be what stands behind our walls."""

from ipaddress import IPv6Address, ip_address, ip_network

SPECIAL = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
    "192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 "
    "198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 168.63.129.16/32 100.100.100.200/32"
)
"""IANA's special-purpose registry for IPv4, multicast and reserved space, and where clouds serve their metadata."""
UNICAST = ip_network("2000::/3")
INSIDE = "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20"
"""Special networks inside IPv6's global unicast space; Teredo and 6to4 carry IPv4 addresses in disguise."""
CLOSED = tuple(map(ip_network, f"{SPECIAL} {INSIDE}".split()))


def is_public(address: str) -> bool:
    """Whether an IP address is reachable by everybody and belongs to no special range; False for what is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and (found.ipv4_mapped or found not in UNICAST):
        return False
    return not any(found in network for network in CLOSED)
