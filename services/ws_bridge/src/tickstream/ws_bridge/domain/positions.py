"""Where in the topics a client is, as the opaque token that it keeps and comes back with.

A token says nothing that a client couldn't know and gives it no rights; it is signed so that the offsets in it are
ones that a bridge wrote. It is base64url of an HMAC-SHA256, cut to 16 bytes (RFC 2104, 5), and JSON:
`[version, epoch, [[partition, offset], ...], {filter: [[partition, offset], ...], ...}]`, and behind that the
partitions that it says nothing of, if there are such.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from tickstream.core.errors import TickstreamError

_WHOLE: Final = 2
_IN_PART: Final = 3
"""The version of tokens that don't speak of all partitions."""
_SIGNATURE_BYTES: Final = 16

Offsets = Mapping[int, int]
"""The next offset of each partition."""

NOWHERE: Final[Offsets] = {}
_ALL_ALIKE: Final[Mapping[str, Offsets]] = {}
_NOTHING: Final[frozenset[int]] = frozenset()


class TokenError(TickstreamError):
    """A token that nothing can be replayed from."""

    def __init__(self, reason: Literal["tampered", "wrong_epoch"], message: str) -> None:
        self.reason = reason
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Place:
    """What a token says.

    Attributes:
        offsets: below them the client has had all that it asked for.
        behind: for each of its subscriptions by filter, the offsets where that isn't so; empty when there is none.
        unread: the partitions that it says nothing of.
    """

    offsets: Offsets
    behind: Mapping[str, Offsets]
    unread: frozenset[int] = _NOTHING

    def of(self, asked: str) -> Offsets:
        """Where the subscription with this filter was; one that wasn't there goes on from the earliest of them all."""
        if asked in self.behind:
            return {**self.offsets, **self.behind[asked]}
        least = dict(self.offsets)
        for offsets in self.behind.values():
            for partition, offset in offsets.items():
                least[partition] = min(offset, least.get(partition, offset))
        return least


class Positions:
    """How far the bridge has read the topic of each channel, and the tokens that say so."""

    def __init__(self) -> None:
        self._key = b""
        self._epochs: dict[str, str] = {}
        self._next: dict[str, dict[int, int]] = {}
        self._unread: dict[str, frozenset[int]] = {}
        self._tokens: dict[str, bytes] = {}

    def open(self, channel: str, key: bytes, epoch: str, starts: Offsets, unread: Collection[int] = _NOTHING) -> None:
        """Reading of a channel's topic begins, or goes on after an outage.

        Args:
            channel: whose topic it is.
            key: signs tokens; the same on all nodes.
            epoch: the topic's id.
            starts: where it is read from, of every partition.
            unread: those that aren't read now.
        """
        self._key = key
        self._epochs[channel] = epoch
        self._next[channel] = dict(starts)
        self._unread[channel] = _NOTHING
        self.rest(channel, unread)

    def reached(self, channel: str, partition: int, next_offset: int) -> None:
        """Everything of the partition before `next_offset` has been offered to its readers."""
        self._next.setdefault(channel, {})[partition] = next_offset
        if partition in self.unread(channel):
            self._unread[channel] -= {partition}
        self._tokens.pop(channel, None)

    def rest(self, channel: str, partitions: Collection[int]) -> None:
        """These aren't read until they are `reached` again."""
        for partition in partitions:
            self._next[channel].pop(partition, None)
        self._unread[channel] = self.unread(channel).union(partitions)
        self._tokens.pop(channel, None)

    def unread(self, channel: str) -> frozenset[int]:
        """The partitions that aren't read."""
        return self._unread.get(channel, _NOTHING)

    def epoch(self, channel: str) -> str:
        """The id of the channel's topic."""
        return self._epochs.get(channel, "")

    def now(self, channel: str) -> Offsets:
        """How far the channel's topic has been read, of every partition that is."""
        return dict(self._next.get(channel, NOWHERE))

    def token(self, channel: str, offsets: Offsets = NOWHERE, behind: Mapping[str, Offsets] = _ALL_ALIKE) -> bytes:
        """The JSON of the token of a client that has had everything but what the arguments say.

        Args:
            channel: of its subscriptions.
            offsets: where it is less far than the bridge.
            behind: where each of its subscriptions is less far, by filter, when they differ.
        """
        if offsets or behind:
            return self._signed(channel, offsets, behind)
        token = self._tokens.get(channel)
        if token is None:
            token = self._tokens[channel] = self._signed(channel, NOWHERE, _ALL_ALIKE)
        return token

    def read(self, channel: str, token: str) -> Place:
        """What a token says.

        Raises:
            TokenError: no node of this cluster made it, or its topic isn't there any more.
        """
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        signature, content = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(content)):
            raise TokenError("tampered", "resume is not a token that a bridge of this cluster made")
        version, epoch, offsets, behind, *unread = json.loads(content)
        if version not in (_WHOLE, _IN_PART) or epoch != self.epoch(channel):
            raise TokenError("wrong_epoch", f"resume speaks of topic {epoch}, {channel} is read from another")
        others = {asked: dict(pairs) for asked, pairs in behind.items()}
        return Place(dict(offsets), others, frozenset(*unread))

    def _signed(self, channel: str, offsets: Offsets, behind: Mapping[str, Offsets]) -> bytes:
        where = {**self._next.get(channel, NOWHERE), **offsets}
        others = {asked: sorted(pairs.items()) for asked, pairs in behind.items()}
        unread = sorted(self.unread(channel) - where.keys())
        said = [self.epoch(channel), sorted(where.items()), others]
        plain = json.dumps([_IN_PART, *said, unread] if unread else [_WHOLE, *said], separators=(",", ":")).encode()
        return b'"%b"' % base64.urlsafe_b64encode(self._signature(plain) + plain).rstrip(b"=")

    def _signature(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")[:_SIGNATURE_BYTES]
