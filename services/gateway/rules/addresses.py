"""Where webhooks may go: to public addresses only, so that nobody reaches through us what stands behind our walls."""

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from services.kernel.errors import Unprocessable

CLOSED = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "168.63.129.16/32",
        "100.100.100.200/32",
    )
)
"""IANA's special-purpose registry for IPv4, multicast and reserved space, and where clouds serve their metadata."""
UNICAST = ip_network("2000::/3")
CLOSED_IN_UNICAST = tuple(
    ip_network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
"""Special networks inside IPv6's global unicast space; Teredo and 6to4 carry IPv4 addresses in disguise."""


class TargetNotAllowed(Unprocessable):
    """Webhooks are not sent to this address."""

    code = "target_not_allowed"
    title = "Webhooks cannot be sent there"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook goes: host and port to connect to, and what to ask for there."""

    secure: bool
    host: str
    port: int
    path: str
    authority: str
    """The Host header: the host with its port where it is not the scheme's own."""


def is_public(address: str) -> bool:
    """Whether an IP address is reachable by everybody and belongs to no special range; False for what is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in network for network in CLOSED)
    return found in UNICAST and not any(found in network for network in CLOSED_IN_UNICAST)


def is_loopback(address: str) -> bool:
    """Whether an IP address is this machine itself."""
    return ip_address(address).is_loopback


def target_of(url: str, *, ports: Collection[int], allowed_hosts: Collection[str]) -> Target:
    """The parts of an address to send to; raises TargetNotAllowed for any but https on an allowed port.

    `allowed_hosts` are loopback hosts of tests and development, which may use http and any port.
    """
    try:
        split = urlsplit(url)
        port, host = split.port, (split.hostname or "").encode("idna").decode()
    except (ValueError, UnicodeError) as error:
        raise TargetNotAllowed("The url is not one that can be read.", errors=[{"pointer": "/url"}]) from error
    own = host in allowed_hosts
    secure = split.scheme == "https"
    number = port if port is not None else 443 if secure else 80
    if refusal := refused(url, split, own=own, allowed_port=number in ports):
        raise TargetNotAllowed(refusal, errors=[{"pointer": "/url"}])
    path = (split.path or "/") + (f"?{split.query}" if split.query else "")
    shown = f"[{host}]" if ":" in host else host
    return Target(secure, host, number, path, shown if port is None else f"{shown}:{number}")


def refused(url: str, split: SplitResult, *, own: bool, allowed_port: bool) -> str | None:
    """Why nothing is sent to a url, or None."""
    if not all("!" <= sign <= "~" for sign in url):
        return "The url may hold printable ASCII only; write other signs percent-encoded."
    if split.scheme != "https" and not (own and split.scheme == "http"):
        return "Only https is possible."
    if not split.hostname:
        return "The url names no host."
    if split.username is not None or split.password is not None or split.fragment:
        return "The url may hold neither a user's name nor a fragment."
    if not own and not allowed_port:
        return "The port is not one that webhooks are sent to."
    return None


def check_addresses(host: str, addresses: Collection[str], *, allowed_hosts: Collection[str]) -> None:
    """Raise TargetNotAllowed unless every address of a host is public, or the host an allowed one on this machine."""
    if not addresses:
        raise TargetNotAllowed(f"{host} has no address.", errors=[{"pointer": "/url"}])
    for address in addresses:
        if not is_public(address) and not (host in allowed_hosts and is_loopback(address)):
            words = f"{host} has an address that is not public."
            raise TargetNotAllowed(words, errors=[{"pointer": "/url"}])
