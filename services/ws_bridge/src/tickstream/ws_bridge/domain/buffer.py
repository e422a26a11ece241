"""What waits for one subscription, bounded and with an exact count of what was left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from tickstream.ws_bridge.domain.entry import Entry

_WORTH_CONFLATING: Final = 256


class Buffer:
    """Entries in the order of their arrival.

    `offer` is the list's own append, so that handing an entry to a reader costs one call: conflation and
    bounds are applied when the buffer is looked at, between flushes and at each of them.

    Args:
        latest: keep only the newest entry of each key.

    Attributes:
        lost: how many were left out since the last `take`.
        dropped: how many were ever left out for want of room.
    """

    __slots__ = ("_bytes", "_extra", "_measured", "dropped", "entries", "latest", "lost", "offer")

    def __init__(self, *, latest: bool) -> None:
        self.latest = latest
        self.entries: list[Entry] = []
        self.offer = self.entries.append
        self.lost = 0
        self.dropped = 0
        self._extra = (0, 0)
        self._measured = 0
        self._bytes = 0

    def conflate(self) -> None:
        """Drop what a newer entry of the same key replaces; counts it as lost."""
        if not self.latest or len(self.entries) < 2:
            return
        seen = set()
        kept = []
        for entry in reversed(self.entries):
            if entry.key is None:
                kept.append(entry)
            elif entry.key not in seen:
                seen.add(entry.key)
                kept.append(entry)
        if len(kept) < len(self.entries):
            kept.reverse()
            self.lost += len(self.entries) - len(kept)
            self._replace(kept)

    def bound(self, max_records: int, max_bytes: int) -> int:
        """Keep a buffer that isn't being emptied within its limits.

        Mode all drops its oldest entries. Mode latest conflates, and then drops the oldest of those that
        nothing replaces; the newest entry of each key stays, and there are no more keys than symbols.

        Returns:
            how many entries were dropped for want of room, conflation not counted.
        """
        if self.latest and len(self.entries) > _WORTH_CONFLATING:
            self.conflate()
        self._measure()
        max_records += self._extra[0]
        max_bytes += self._extra[1]
        if len(self.entries) <= max_records and self._bytes <= max_bytes:
            return 0
        kept = []
        records, size = len(self.entries), self._bytes
        for entry in self.entries:
            if (records > max_records or size > max_bytes) and not (self.latest and entry.key is not None):
                records -= 1
                size -= len(entry.body)
            else:
                kept.append(entry)
        dropped = len(self.entries) - len(kept)
        self.lost += dropped
        self.dropped += dropped
        self._replace(kept)
        return dropped

    def take(self, max_records: int) -> tuple[list[Entry], int]:
        """Remove and give the oldest entries, `max_records` of them at the most.

        Returns:
            the entries, and how many were left out since the last time.
        """
        self.conflate()
        taken = self.entries[:max_records]
        del self.entries[:max_records]
        self._measured = self._bytes = 0
        if not self.entries:
            self._extra = (0, 0)
        lost, self.lost = self.lost, 0
        return taken, lost

    def forget(self, symbols: Collection[str]) -> None:
        """Drop what waits for these symbols, because nobody wants it any more."""
        self._replace([entry for entry in self.entries if entry.route[2] not in symbols])

    def begin_at(self, offsets: Mapping[int, int]) -> None:
        """Drop what lies before these offsets of the partitions."""
        self._replace([entry for entry in self.entries if entry.offset >= offsets.get(entry.partition, 0)])

    def put_before(self, entries: list[Entry], lost: int) -> None:
        """Let earlier entries go first; until the buffer is empty again they have room of their own.

        Args:
            entries: in order.
            lost: how many had been left out of them.
        """
        self._extra = (len(entries), sum(len(entry.body) for entry in entries))
        self._replace([*entries, *self.entries])
        self.lost += lost
        self.conflate()

    def clear(self) -> None:
        """Begin anew."""
        self._replace([])
        self.lost = self.dropped = 0

    def _measure(self) -> None:
        for entry in self.entries[self._measured :]:
            self._bytes += len(entry.body)
        self._measured = len(self.entries)

    def _replace(self, entries: list[Entry]) -> None:
        self.entries[:] = entries
        self._measured = self._bytes = 0
