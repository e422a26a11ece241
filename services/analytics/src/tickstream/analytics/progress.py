"""How far each partition of `bars` has come, and where a restart has to begin."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from tickstream.analytics.adapters.checkpoints import Checkpoint
from tickstream.core.partition import Partition


@dataclass(frozen=True, slots=True)
class OpenBar:
    """A bar that has yet to have its part in published figures."""

    offset: int
    end: int
    day: int


@dataclass(slots=True)
class _Log:
    """One partition.

    Attributes:
        checkpoint: as it was written last.
        next: the offset of the first record that isn't in the market yet.
        end: of the log when the partition came; None once it has been reached.
        begins: the first offset of each kept day.
        open: the open bars, in the order of the log.
    """

    checkpoint: Checkpoint
    next: int
    end: int | None
    begins: dict[int, int] = field(default_factory=dict)
    open: list[OpenBar] = field(default_factory=list)

    def next_checkpoint(self) -> Checkpoint:
        begin = min(self.begins.values()) if self.begins else self.next
        counted = self.open[0].offset if self.open else self.next
        return Checkpoint(begin, max(self.checkpoint.counted, counted))


class Progress:
    """Of all partitions of `bars` that are here."""

    def __init__(self) -> None:
        self._logs: dict[Partition, _Log] = {}

    def come(self, found: Mapping[Partition, Checkpoint], ends: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Take partitions up; gives the offsets to read from, 0 for the beginning.

        Args:
            found: the checkpoints of those that have one.
            ends: the ends of all their logs.
        """
        for partition, end in ends.items():
            checkpoint = found.get(partition, Checkpoint(0, 0))
            self._logs[partition] = _Log(checkpoint, checkpoint.begin, end)
        return {partition: self._logs[partition].next for partition in ends}

    def go(self, partitions: Sequence[Partition]) -> None:
        """Let go of partitions."""
        for partition in partitions:
            self._logs.pop(partition, None)

    def is_counted(self, partition: Partition, offset: int) -> bool:
        """Whether a bar had its part in published figures before."""
        log = self._logs.get(partition)
        return log is not None and offset < log.checkpoint.counted

    def taken(self, partition: Partition, bar: OpenBar, *, counted: bool) -> None:
        """A bar is in the market."""
        log = self._logs.get(partition)
        if log is not None:
            log.begins.setdefault(bar.day, bar.offset)
            if not counted:
                log.open.append(bar)

    def reached(self, partition: Partition, next_offset: int) -> None:
        """All before an offset is in the market, or was of no use."""
        if partition in self._logs:
            self._logs[partition].next = next_offset

    def forgotten(self, days: Collection[int]) -> None:
        """Days aren't kept any more."""
        for log in self._logs.values():
            log.begins = {day: offset for day, offset in log.begins.items() if day not in days}
            log.open = [bar for bar in log.open if bar.day not in days]

    def given(self, through: int) -> None:
        """All figures up to a time have been published."""
        for log in self._logs.values():
            log.open = [bar for bar in log.open if bar.end > through]

    @property
    def is_behind(self) -> bool:
        """Whether a log's end, as it was when the partition came, is still to be reached."""
        for log in self._logs.values():
            if log.end is not None and log.next >= log.end:
                log.end = None
        return any(log.end is not None for log in self._logs.values())

    def checkpoints(self) -> Mapping[Partition, Checkpoint]:
        """What to write down now."""
        for log in self._logs.values():
            log.checkpoint = log.next_checkpoint()
        return {partition: log.checkpoint for partition, log in self._logs.items()}
