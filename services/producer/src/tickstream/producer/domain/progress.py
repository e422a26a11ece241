"""What may be said about how far the sources have come."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tickstream.core.model import Progress

_MOST_NOTES: Final = 100


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark and the partition that it speaks of."""

    partition: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class _Note:
    until: int
    sources: Mapping[int, frozenset[str]]
    sent: Sequence[int]
    final: bool


class Marks:
    """Turns "sent up to here" into marks once the records are acknowledged.

    A partition's records are acknowledged in the order in which they were sent, so a note is
    true in a partition as soon as as many are acknowledged there as had been sent.
    """

    def __init__(self, partitions: int) -> None:
        self._notes: list[deque[_Note]] = [deque() for _ in range(partitions)]

    def note(
        self, until: int, sources: Mapping[int, frozenset[str]], sent: Sequence[int], *, final: bool = False
    ) -> None:
        """Everything due before `until` has been sent.

        Args:
            until: an event time.
            sources: for each partition the sources that are live there.
            sent: for each partition how many records have been sent.
            final: whether the sources publish nothing more.
        """
        note = _Note(until, sources, tuple(sent), final)
        for partition, notes in enumerate(self._notes):
            if not sources.get(partition):
                continue
            if len(notes) >= _MOST_NOTES and not notes[-1].final:
                notes.pop()
            notes.append(note)

    def ready(self, acknowledged: Sequence[int], offsets: Sequence[int]) -> list[Mark]:
        """The marks that have become true: for each partition and source the latest.

        Args:
            acknowledged: for each partition how many records have arrived.
            offsets: for each partition the offset behind the last of them.
        """
        marks = []
        for partition, notes in enumerate(self._notes):
            latest: dict[str, _Note] = {}
            while notes and notes[0].sent[partition] <= acknowledged[partition]:
                note = notes.popleft()
                latest |= dict.fromkeys(note.sources[partition], note)
            marks += [
                Mark(partition, Progress(source, note.until, offsets[partition], note.final))
                for source, note in sorted(latest.items(), key=lambda named: named[0])
            ]
        return marks
