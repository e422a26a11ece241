"""Whose request it is where proxies stand in between: what those that are trusted say, and nobody else."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SCHEMES: Final = frozenset({"http", "https"})
_WITH_PORT: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::\d{1,5})?")


class Proxies:
    """The proxies that are trusted.

    Args:
        networks: they are in these, as addresses or in CIDR notation.

    Raises:
        ValueError: one of them isn't a network, or it is everyone's.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [_network(text) for text in networks]

    def trusts(self, remote: str) -> bool:
        """Whether a connection from this address is a trusted proxy's."""
        address = _address(remote)
        return address is not None and self._has(address)

    def client(self, remote: str, forwarded_for: Sequence[str]) -> str:
        """The address that a request came from: the last one of the chain that isn't a trusted proxy's.

        What stands before it in the chain is what that one claims, and counts for nothing.

        Args:
            remote: the other end of the connection.
            forwarded_for: the values of X-Forwarded-For.
        """
        hop = remote
        for said in reversed([part.strip() for value in forwarded_for for part in value.split(",")]):
            if not self.trusts(hop):
                break
            address = _address(said)
            if address is None:
                break
            hop = str(address)
        return hop

    def _has(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def scheme_of(own: str, forwarded: Sequence[str]) -> str:
    """How a browser spoke to the first proxy, as a trusted one says in X-Forwarded-Proto; else our own scheme."""
    said = forwarded[0].strip().lower() if len(forwarded) == 1 else ""
    return said if said in _SCHEMES else own


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"must be a list of networks like 10.0.0.0/8, and {text!r} is not one: {error}") from None
    if network.prefixlen == 0:
        raise ValueError(f"must not trust everyone, as {text} does")
    return network


def _address(text: str) -> Address | None:
    match = _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address(match[1] or match[2] if match else text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address
