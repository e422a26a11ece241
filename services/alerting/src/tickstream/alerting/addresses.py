"""Where hosts are."""

from __future__ import annotations

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, as its name or address says."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
