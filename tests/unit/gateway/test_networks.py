"""From where a key may be used."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.rules.networks import NoNetwork, address, came_from, inside, network, networks

TRUSTED = networks("10.0.0.0/8, 2001:db8:1::/48")


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("192.0.2.0/24", "192.0.2.0/24"),
        (" 192.0.2.7 ", "192.0.2.7/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_a_network_is_kept_in_its_plain_form(written: str, plain: str) -> None:
    assert network(written) == plain


@pytest.mark.parametrize("wrong", ["", "192.0.2.1/24", "192.0.2.0/33", "example.org", "192.0.2", "1,2", "x" * 500])
def test_what_is_no_network_is_refused(wrong: str) -> None:
    with pytest.raises(NoNetwork) as found:
        network(wrong)
    assert found.value.status == 422
    assert len(found.value.detail) < 200


def test_a_list_of_networks_may_be_empty() -> None:
    assert networks("") == ()
    assert networks("10.0.0.0/8,::1") == (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    with pytest.raises(ValueError, match="does not appear"):
        networks("10.0.0.0/8,proxy")


@pytest.mark.parametrize(
    ("who", "there"),
    [
        ("192.0.2.9", True),
        ("192.0.3.9", False),
        ("::ffff:192.0.2.9", True),
        ("2001:db8::9", True),
        ("2001:db9::9", False),
        ("", False),
        ("testclient", False),
    ],
)
def test_an_address_is_in_a_network_or_not(who: str, there: bool) -> None:
    assert inside(who, networks("192.0.2.0/24,2001:db8::/32")) is there


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.1", [], "203.0.113.1"),
        ("203.0.113.1", ["192.0.2.1"], "203.0.113.1"),
        ("10.1.1.1", ["192.0.2.1"], "192.0.2.1"),
        ("10.1.1.1", ["192.0.2.66, 192.0.2.1"], "192.0.2.1"),
        ("10.1.1.1", ["192.0.2.66, 192.0.2.1, 10.2.2.2"], "192.0.2.1"),
        ("10.1.1.1", ["192.0.2.66", "192.0.2.1"], "192.0.2.1"),
        ("10.1.1.1", ["10.3.3.3"], "10.3.3.3"),
        ("10.1.1.1", [], "10.1.1.1"),
        ("10.1.1.1", ["unknown"], "unknown"),
        ("2001:db8:1::1", ["2001:db8::5"], "2001:db8::5"),
    ],
)
def test_only_trusted_proxies_say_who_asks(peer: str, forwarded: list[str], found: str) -> None:
    assert came_from(peer, forwarded, TRUSTED) == found


def test_without_trusted_proxies_nobody_speaks_for_another() -> None:
    assert came_from("10.1.1.1", ["192.0.2.1"], ()) == "10.1.1.1"


@given(st.lists(st.ip_addresses(), max_size=6).map(lambda found: [str(each) for each in found]))
def test_whoever_asks_cannot_choose_an_address_by_writing_more(written: list[str]) -> None:
    said = ", ".join([*written, "203.0.113.7"])
    assert came_from("10.1.1.1", [said], TRUSTED) == "203.0.113.7"


@given(st.text(max_size=50))
def test_any_text_may_stand_for_an_address(text: str) -> None:
    assert address(text) is None or inside(text, networks("0.0.0.0/0,::/0"))
