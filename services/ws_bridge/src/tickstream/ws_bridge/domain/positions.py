"""Where in the topics a frame ends, as the opaque token that clients keep."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Final

from tickstream.ws_bridge.domain.entry import Entry

_VERSION: Final = 1


class Positions:
    """How far the bridge has read the topic of each channel: the next offset of every partition."""

    def __init__(self) -> None:
        self._next: dict[str, dict[int, int]] = {}
        self._tokens: dict[str, bytes] = {}

    def reached(self, channel: str, partition: int, next_offset: int) -> None:
        """Everything of the partition before `next_offset` has been offered to its readers."""
        self._next.setdefault(channel, {})[partition] = next_offset
        self._tokens.pop(channel, None)

    def token(self, channel: str, waiting: Iterable[Entry] = ()) -> bytes:
        """The JSON of the token of a frame that leaves `waiting`, in order, for a later one."""
        known = self._next.get(channel)
        if known is None:
            return b"null"
        first: dict[int, int] = {}
        for entry in waiting:
            first[entry.partition] = min(entry.offset, first.get(entry.partition, entry.offset))
        if first:
            return _encode(channel, known | first)
        token = self._tokens.get(channel)
        if token is None:
            token = self._tokens[channel] = _encode(channel, known)
        return token


def _encode(channel: str, offsets: Mapping[int, int]) -> bytes:
    plain = json.dumps([_VERSION, channel, sorted(offsets.items())], separators=(",", ":"))
    return b'"%b"' % base64.urlsafe_b64encode(plain.encode()).rstrip(b"=")
