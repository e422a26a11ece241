"""Who may connect: API keys, origins of web pages, names of this host."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from tickstream.core.access import key_digest
from tickstream.ws_bridge.domain.grant import Grant

_KEY_LINE: Final = re.compile(r"([A-Za-z0-9._-]{1,64}):([0-9a-fA-F]{64})(:write)?")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_MAX_KEY_LENGTH: Final = 512


@dataclass(frozen=True, slots=True)
class FileKey:
    """A key of the file.

    Attributes:
        digest: the SHA-256 of its text.
        may_write: as in its grant.
    """

    digest: bytes
    may_write: bool


def read_keys(text: str) -> dict[str, FileKey]:
    """The keys by name, from lines `name:sha256hex`, or `name:sha256hex:write`; blank lines and `#` lines don't count.

    Raises:
        ValueError: a line is something else, or there is none.
    """
    keys: dict[str, FileKey] = {}
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        match = _KEY_LINE.fullmatch(content)
        if match is None:
            raise ValueError(f"must hold lines name:sha256hex or name:sha256hex:write, and line {number} is not one")
        if match[1] in keys:
            raise ValueError(f"must name each key once, and line {number} repeats {match[1]}")
        keys[match[1]] = FileKey(bytes.fromhex(match[2]), match[3] is not None)
    if not keys:
        raise ValueError("must hold at least one line name:sha256hex")
    return keys


class ApiKeys:
    """Recognises keys by their SHA-256, in time that doesn't depend on how much of one is right."""

    def __init__(self, keys: Mapping[str, FileKey]) -> None:
        self._keys = dict(keys)

    def grant_of(self, key: object) -> Grant | None:
        """What this key allows: to read everything, and more where the file says so; None when it is nobody's."""
        if not isinstance(key, str) or not 0 < len(key) <= _MAX_KEY_LENGTH:
            return None
        digest = key_digest(key)
        found = None
        for name, known in self._keys.items():
            if hmac.compare_digest(known.digest, digest):
                found = Grant(f"file:{name}", name, may_write=known.may_write)
        return found


def is_local_name(host: str) -> bool:
    """Whether a host's name can only mean the machine that says it."""
    if host in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_allowed(header: str | None, allowed: Collection[str]) -> bool:
    """Whether a request to a loopback address names this machine, and not a name that was bent to point here.

    Args:
        header: the request's Host.
        allowed: further names that are this machine's.
    """
    host = _split_host(header or "")
    return host is not None and (is_local_name(host[0]) or host[0] in allowed)


def origin_allowed(origin: str, host: str | None, scheme: str, allowed: Collection[str]) -> bool:
    """Whether a page of this origin may talk to the bridge.

    The bridge's own origin is always allowed, and there all names of the machine itself are one.

    Args:
        origin: the request's Origin; for a request that has none, see `siteless`.
        host: the request's Host.
        scheme: "http" or "https", as the browser sees the bridge.
        allowed: further origins, compared as a whole.
    """
    if origin in allowed:
        return True
    theirs = _split_origin(origin)
    ours = _split_origin(f"{scheme}://{host}") if host else None
    if theirs is None or ours is None or theirs[0] != ours[0] or theirs[2] != ours[2]:
        return False
    return theirs[1] == ours[1] or (is_local_name(theirs[1]) and is_local_name(ours[1]))


def siteless(fetch_site: str | None) -> bool:
    """Whether a request without an Origin comes from no page of another site.

    Programs send neither header. Browsers leave Origin out of a plain GET, also of one that a page of another site
    makes them do, and tell of that in Sec-Fetch-Site (W3C, Fetch Metadata).

    Args:
        fetch_site: the request's Sec-Fetch-Site.
    """
    return fetch_site in (None, "same-origin", "none")


def is_whole_origin(text: str) -> bool:
    """Whether this is an origin as browsers write it: in lower case, and without the usual port."""
    origin = _split_origin(text)
    if origin is None or text != text.lower() or any(mark in text for mark in "*?#"):
        return False
    return not text.endswith(f":{_DEFAULT_PORTS[origin[0]]}")


def _split_host(header: str) -> tuple[str, int | None] | None:
    try:
        parts = urlsplit(f"//{header}")
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or parts.path or parts.query or parts.username is not None:
        return None
    return parts.hostname.lower(), port


def _split_origin(origin: str) -> tuple[str, str, int] | None:
    scheme, separator, rest = origin.partition("://")
    if not separator or scheme not in _DEFAULT_PORTS:
        return None
    host = _split_host(rest)
    return None if host is None else (scheme, host[0], host[1] or _DEFAULT_PORTS[scheme])
