"""From where a key may be used: networks, and the address of whoever asks when proxies stand between."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from services.kernel.errors import Unprocessable

Network = IPv4Network | IPv6Network


class NoNetwork(Unprocessable):
    """A network of an allow-list that is none."""

    code = "not_a_network"
    title = "That is not a network"


def network(text: str) -> str:
    """A network in its plain form, such as 192.0.2.0/24 or 2001:db8::/32; one address is a network of its own."""
    try:
        return str(ip_network(text.strip()))
    except ValueError as error:
        raise NoNetwork(f"{text[:60]} is no IPv4 or IPv6 network in CIDR notation with its host bits zero.") from error


def networks(text: str) -> tuple[Network, ...]:
    """Networks from a list with commas; raises ValueError for one that is none."""
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


def address(text: str) -> IPv4Address | IPv6Address | None:
    """An address, IPv4 also where it is written as IPv6; nothing for what is no address."""
    try:
        found = ip_address(text.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def inside(text: str, among: Iterable[Network]) -> bool:
    """Whether an address lies in one of these networks."""
    found = address(text)
    return found is not None and any(found in each for each in among)


def came_from(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address of whoever asks: the peer's own, or, behind trusted proxies, the nearest that is not one of them.

    `forwarded` is X-Forwarded-For as it came, nearest last. Everything beyond the first untrusted address may have been
    written by anybody.
    """
    chain = [part.strip() for value in forwarded for part in value.split(",")]
    here = peer
    while chain and inside(here, trusted):
        here = chain.pop()
    return here
