"""Where webhooks may go: to public addresses only, so that nobody reaches through us what stands behind our walls."""

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from services.kernel.addresses import is_public
from services.kernel.errors import Unprocessable


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
