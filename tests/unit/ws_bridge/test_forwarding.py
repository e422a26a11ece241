from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.forwarding import Proxies, scheme_of

OURS = Proxies(["10.0.0.0/8", "192.168.7.1", "2001:db8::/32"])


@pytest.mark.parametrize(
    ("remote", "forwarded_for", "client"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.1.1.1", [], "10.1.1.1"),
        ("10.1.1.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.1.1", ["9.9.9.9, 198.51.100.1"], "198.51.100.1"),
        ("10.1.1.1", ["9.9.9.9", "198.51.100.1,10.2.2.2"], "198.51.100.1"),
        ("10.1.1.1", ["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
        ("10.1.1.1", ["9.9.9.9, unknown"], "10.1.1.1"),
        ("10.1.1.1", ["9.9.9.9, unknown, 10.2.2.2"], "10.2.2.2"),
        ("10.1.1.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.1.1.1", ["[2001:db9::5]:4711"], "2001:db9::5"),
        ("::ffff:10.1.1.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("2001:db8::1", ["2001:DB9:0::5"], "2001:db9::5"),
        ("192.168.7.2", ["198.51.100.1"], "192.168.7.2"),
    ],
)
def test_the_client_is_the_last_of_the_chain_that_is_no_trusted_proxy(
    remote: str, forwarded_for: list[str], client: str
) -> None:
    assert OURS.client(remote, forwarded_for) == client


@given(
    claimed=st.lists(st.text(max_size=30)), real=st.ip_addresses(), proxies=st.lists(st.ip_addresses(v=4), max_size=3)
)
def test_nothing_that_a_client_claims_changes_its_address(
    claimed: list[str], real: ipaddress.IPv4Address | ipaddress.IPv6Address, proxies: list[ipaddress.IPv4Address]
) -> None:
    chain = [f"10.{int(proxy) % 256}.0.1" for proxy in proxies]
    honest = OURS.client("10.0.0.1", [", ".join([str(real), *chain])])
    forged = OURS.client("10.0.0.1", [*claimed, ", ".join([str(real), *chain])])
    if not OURS.trusts(str(real)):
        assert forged == honest
        assert ipaddress.ip_address(forged) == getattr(real, "ipv4_mapped", None) or real


def test_a_scheme_is_taken_over_only_when_it_is_one() -> None:
    assert scheme_of("http", ["https"]) == "https"
    assert scheme_of("http", ["HTTPS "]) == "https"
    for said in ([], ["gopher"], ["https,http"], ["https", "https"]):
        assert scheme_of("http", said) == "http"
