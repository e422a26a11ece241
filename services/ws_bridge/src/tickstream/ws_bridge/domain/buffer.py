"""What waits for one subscription, with an exact account of what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from tickstream.ws_bridge.domain.entry import Waiting

_WORTH_CONFLATING: Final = 256
_END: Final = 1 << 63
"""Beyond every offset."""


@dataclass(slots=True)
class Load:
    """So many records, of so many bytes."""

    records: int = 0
    bytes: int = 0

    def add(self, entry: Waiting) -> None:
        """So many more."""
        self.records += entry.count
        self.bytes += len(entry.body)

    def remove(self, entry: Waiting) -> None:
        """So many less."""
        self.records -= entry.count
        self.bytes -= len(entry.body)


class Buffer:
    """Entries in the order of their arrival.

    `offer` is the list's own append, so that handing an entry to a reader costs one call: conflation and
    bounds are applied when the buffer is looked at, between flushes and at each of them.

    Args:
        latest: keep only the newest entry of each key.

    Attributes:
        left_out: how many of each symbol were left out since the last `take`.
        gap: of each partition where some were left out since, the first offset of these.
        dropped: how many were ever left out for want of room.
        loose: what may be dropped, as of the last `weigh`: in mode all, what has a key. In mode latest nothing may:
            the newest entry of each key stays, and there are no more keys than symbols.
        fixed: what has no key, as of the last `weigh`; it is never dropped.
        extra: what was put before, until the buffer has been empty again.
    """

    __slots__ = (
        "_conflated",
        "_partitions",
        "_weighed",
        "dropped",
        "entries",
        "extra",
        "fixed",
        "gap",
        "latest",
        "left_out",
        "loose",
        "offer",
    )

    def __init__(self, *, latest: bool) -> None:
        self.latest = latest
        self.entries: list[Waiting] = []
        self.offer = self.entries.append
        self.left_out: Counter[str] = Counter()
        self.gap: dict[int, int] = {}
        self.dropped = 0
        self.extra = Load()
        self._conflated = 0
        self._weighed = 0
        self._partitions: dict[int, int] = {}
        self.loose, self.fixed = Load(), Load()

    def conflate(self) -> None:
        """Leave out what a newer entry of the same key replaces."""
        kept, replaced = self._conflated_parts()
        self._conflated = len(kept)
        if replaced:
            self.leave_out(replaced)
            self._replace(kept)

    def weigh(self) -> Load:
        """Bring `loose` and `fixed` up to date; gives their sum."""
        if self.latest and len(self.entries) > max(_WORTH_CONFLATING, 2 * self._conflated):
            self.conflate()
        partitions = self._partitions
        for entry in self.entries[self._weighed :]:
            if entry.key is None:
                self.fixed.add(entry)
            elif not self.latest:
                self.loose.add(entry)
            partitions[entry.partition] = partitions.get(entry.partition, 0) + 1
        self._weighed = len(self.entries)
        return Load(self.loose.records + self.fixed.records, self.loose.bytes + self.fixed.bytes)

    def shrink(self, records: int, size: int) -> int:
        """Drop the oldest of what may be dropped until no more than so much of it is left; `weigh` first.

        Returns:
            how many records were dropped.
        """
        kept: list[Waiting] = []
        dropped: list[Waiting] = []
        for entry in self.entries:
            if self.loose.records <= records and self.loose.bytes <= size:
                break
            if entry.key is None:
                kept.append(entry)
            else:
                self._unweigh(entry)
                dropped.append(entry)
        if dropped:
            self.entries[: len(kept) + len(dropped)] = kept
            self._weighed = len(self.entries)
            self._drop(dropped)
        return _records(dropped)

    def take(self, max_records: int, max_bytes: int = 0) -> tuple[list[Waiting], int]:
        """Remove and give the oldest entries.

        What was taken in together goes together: a partition's records are in order only from one intake to the next.

        Args:
            max_records: so many at the most, or more as long as they are within `max_bytes`. In mode latest all, if
                some were left out: what they were replaced by may be anywhere.
            max_bytes: see above.

        Returns:
            the entries, and how many were left out since the last time.
        """
        lost = self.left_out.total() if self.left_out else 0
        if self.latest:
            kept, replaced = self._conflated_parts()
            lost += _records(replaced)
            self._replace(kept)
        count = len(self.entries)
        if not (self.latest and lost) and self._first(max_records) < count:
            count = self._whole(max(self._first(max_records), self._within(max_bytes)))
        taken = self.entries[:count]
        del self.entries[:count]
        self._conflated = 0
        for entry in taken[: self._weighed]:
            self._unweigh(entry)
        self._weighed = max(0, self._weighed - count)
        if self.left_out:
            self.left_out = Counter()
            self.gap = {}
        if self.extra.records and not self.entries:
            self.extra = Load()
        return taken, lost

    def first_offsets(self) -> dict[int, int]:
        """The first offset of each partition of what waits."""
        first = first_offsets(self.entries[self._weighed :])
        unseen = set(self._partitions)
        intake, fresh = -1, set[int]()
        for entry in islice(self.entries, self._weighed):
            if entry.intake != intake or not intake:
                if not unseen:
                    break
                intake, fresh = entry.intake, set()
            if entry.partition in unseen:
                unseen.discard(entry.partition)
                fresh.add(entry.partition)
            elif entry.partition not in fresh:
                continue
            first[entry.partition] = min(entry.offset, first.get(entry.partition, entry.offset))
        return first

    def tally(self) -> Counter[str]:
        """How many of each symbol the reader hasn't had since the last `take`, waiting or left out."""
        return self.left_out + _tally(self.entries)

    def miss(self, symbol: str, count: int) -> None:
        """So many of a symbol went by without being offered."""
        if count:
            self.left_out[symbol] += count

    def forget(self, symbols: Collection[str]) -> None:
        """Drop what waits for these symbols, because nobody wants it any more; it doesn't count as left out."""
        self._replace([entry for entry in self.entries if entry.route[2] not in symbols])
        for symbol in symbols:
            self.left_out.pop(symbol, None)
        if not self.left_out:
            self.gap = {}

    def begin_at(self, offsets: Mapping[int, int]) -> None:
        """Drop what lies before these offsets of the partitions."""
        kept = [entry.between(offsets.get(entry.partition, 0), _END) for entry in self.entries]
        self._replace([entry for entry in kept if entry is not None])

    def put_before(self, earlier: Buffer) -> None:
        """Let what waits in an earlier buffer of the same mode go first.

        Until this one has been empty again, what was put before has room of its own.
        """
        earlier.conflate()
        self.extra = earlier.weigh()
        self._replace([*earlier.entries, *self.entries])
        self.left_out += earlier.left_out
        self._widen_gap(earlier.gap)
        self.conflate()

    def give_up(self) -> None:
        """Drop everything for want of room."""
        self._drop(self.entries)
        self._replace([])

    def clear(self) -> None:
        """Begin anew."""
        self._replace([])
        self.left_out = Counter()
        self.gap = {}
        self.dropped = 0

    def _conflated_parts(self) -> tuple[list[Waiting], list[Waiting]]:
        """What stays, and what a newer entry of the same key replaces; both in the order of their arrival."""
        if not self.latest:
            return self.entries[:], []
        seen = set()
        kept: list[Waiting] = []
        replaced: list[Waiting] = []
        for entry in reversed(self.entries):
            if entry.key is None:
                kept.append(entry)
            elif entry.key in seen:
                replaced.append(entry)
            else:
                seen.add(entry.key)
                newest, older = entry.conflated()
                kept.append(newest)
                if older is not None:
                    replaced.append(older)
        kept.reverse()
        replaced.reverse()
        return kept, replaced

    def _drop(self, entries: Sequence[Waiting]) -> None:
        self.dropped += _records(entries)
        self.leave_out(entries)

    def leave_out(self, entries: Sequence[Waiting]) -> None:
        """The reader doesn't get these, and is told so."""
        self.left_out.update(_tally(entries))
        self._widen_gap(first_offsets(entries))

    def _widen_gap(self, firsts: Mapping[int, int]) -> None:
        for partition, offset in firsts.items():
            self.gap[partition] = min(offset, self.gap.get(partition, offset))

    def _first(self, records: int) -> int:
        """How many of the oldest entries have no more records than that together."""
        for count, entry in enumerate(self.entries):
            records -= entry.count
            if records < 0:
                return count
        return len(self.entries)

    def _whole(self, count: int) -> int:
        """How many entries, one at the least, are those of which the last belongs to the same intake as `count`'s."""
        entries = self.entries
        count = max(count, 1)
        while count < len(entries) and entries[count].intake and entries[count].intake == entries[count - 1].intake:
            count += 1
        return count

    def _within(self, size: int) -> int:
        """How many of the oldest entries have no more bytes than that together."""
        for count, entry in enumerate(self.entries):
            size -= len(entry.body)
            if size < 0:
                return count
        return len(self.entries)

    def _replace(self, entries: list[Waiting]) -> None:
        self.entries[:] = entries
        self._weigh_anew()

    def _unweigh(self, entry: Waiting) -> None:
        """What was weighed goes."""
        if entry.key is None:
            self.fixed.remove(entry)
        elif not self.latest:
            self.loose.remove(entry)
        left = self._partitions[entry.partition] - 1
        if left:
            self._partitions[entry.partition] = left
        else:
            del self._partitions[entry.partition]

    def _weigh_anew(self) -> None:
        self._weighed = 0
        self._partitions = {}
        self.loose, self.fixed = Load(), Load()


def first_offsets(entries: Iterable[Waiting]) -> dict[int, int]:
    """The first offset of each partition."""
    first: dict[int, int] = {}
    for entry in entries:
        first[entry.partition] = min(entry.offset, first.get(entry.partition, entry.offset))
    return first


def _records(entries: Iterable[Waiting]) -> int:
    return sum(entry.count for entry in entries)


def _tally(entries: Iterable[Waiting]) -> Counter[str]:
    """How many records there are of each symbol."""
    tally: Counter[str] = Counter()
    for entry in entries:
        tally[entry.route[2]] += entry.count
    return tally
