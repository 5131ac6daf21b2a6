"""Which addresses webhooks may go to."""

import pytest

from services.gateway.rules.addresses import (
    Target,
    TargetNotAllowed,
    check_addresses,
    is_loopback,
    target_of,
)

PORTS, OWN = {443, 8443}, {"127.0.0.1", "localhost"}
URLS = {
    "http": "http://hooks.example.org/",
    "another scheme": "ftp://hooks.example.org/",
    "no scheme": "hooks.example.org",
    "a file": "file:///etc/passwd",
    "http on a public host": "http://93.184.216.34/",
    "a port of something else": "https://hooks.example.org:22/",
    "the port of http": "https://hooks.example.org:80/",
    "no such port": "https://hooks.example.org:99999/",
    "a port that is no number": "https://hooks.example.org:x/",
    "a user's name": "https://user@hooks.example.org/",
    "a password": "https://:secret@hooks.example.org/",
    "a fragment": "https://hooks.example.org/#x",
    "no host": "https:///path",
    "a broken address": "https://[::1/",
    "a line break": "https://hooks.example.org/\r\nX: y",
    "a control sign": "https://hooks.example.org/\x7f",
    "a space": "https://hooks.example.org/a b",
    "a sign that is not ASCII": "https://hooks.example.org/é",
    "an endless label": f"https://{'a' * 70}.example.org/",
}


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::1", "nonsense"])
def test_every_address_of_a_host_has_to_be_public(address: str) -> None:
    check_addresses("hooks.example.org", ["8.8.8.8", "2a00:1450::1"], allowed_hosts=())
    with pytest.raises(TargetNotAllowed):
        check_addresses("hooks.example.org", ["8.8.8.8", address], allowed_hosts=OWN)


@pytest.mark.parametrize("url", URLS.values(), ids=URLS.keys())
def test_urls_that_nothing_is_sent_to(url: str) -> None:
    with pytest.raises(TargetNotAllowed) as refused:
        target_of(url, ports=PORTS, allowed_hosts=OWN)
    assert refused.value.extensions["errors"] == [{"pointer": "/url"}]


def test_a_target_is_named_as_its_url_names_it() -> None:
    found = target_of("https://Hooks.Example.org/a/b?c=d", ports=PORTS, allowed_hosts=())
    assert found == Target(True, "hooks.example.org", 443, "/a/b?c=d", "hooks.example.org")
    assert target_of("https://hooks.example.org:8443", ports=PORTS, allowed_hosts=()).authority.endswith(":8443")
    assert target_of("https://[2a00:1450::1]:8443/", ports=PORTS, allowed_hosts=()).authority == "[2a00:1450::1]:8443"


def test_only_the_hosts_that_were_named_may_be_on_this_machine() -> None:
    assert target_of("http://127.0.0.1:9000/x", ports=PORTS, allowed_hosts=OWN).port == 9000
    assert target_of("http://localhost/", ports=PORTS, allowed_hosts=OWN).port == 80
    check_addresses("localhost", ["127.0.0.1", "::1"], allowed_hosts=OWN)
    assert is_loopback("::1")
    for host, address in (("localhost", "10.0.0.1"), ("other", "127.0.0.1")):
        with pytest.raises(TargetNotAllowed):
            check_addresses(host, [address], allowed_hosts=OWN)


def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(TargetNotAllowed, match="no address"):
        check_addresses("nowhere.example.org", [], allowed_hosts=())
