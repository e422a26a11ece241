"""What the rules remember of one symbol."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tickstream.alerting.domain.rule import VolumeSpike
from tickstream.alerting.domain.windows import PriceWindow
from tickstream.core.columns import Ints, TickColumns
from tickstream.core.model import Bar

_SOURCES: Final = 64
"""Of how many sources the last sequence number is kept; the one unheard of for longest goes first."""


@dataclass(slots=True)
class TickMemory:
    """What was seen of a symbol's trades.

    Attributes:
        ts: the latest event time.
        seqs: the last sequence number of each source.
        windows: the price windows that rules ask for, by their length.
    """

    ts: int = 0
    seqs: dict[str, int] = field(default_factory=dict)
    windows: dict[int, PriceWindow] = field(default_factory=dict)

    def window(self, span: int) -> PriceWindow:
        """The window of one length, empty when no rule asked for it before."""
        return self.windows.setdefault(span, PriceWindow(span))

    def admit(self, ticks: TickColumns) -> TickColumns:
        """The trades that are new and no older than any before them, in their order."""
        new = np.zeros(len(ticks), dtype=np.bool_)
        for code in np.unique(ticks.source.codes):
            rows = np.flatnonzero(ticks.source.codes == code)
            new[rows] = self._unseen(ticks.source.values[code], ticks.seq[rows])
        ticks = ticks.take(new)
        latest = np.maximum.accumulate(np.concatenate([[self.ts], ticks.ts_event]))
        self.ts = int(latest[-1])
        return ticks.take(ticks.ts_event >= latest[:-1])

    def _unseen(self, source: str, seqs: Ints) -> NDArray[np.bool_]:
        highest = np.maximum.accumulate(np.concatenate([[self.seqs.pop(source, 0)], seqs]))
        self.seqs[source] = int(highest[-1])
        if len(self.seqs) > _SOURCES:
            del self.seqs[next(iter(self.seqs))]
        unseen: NDArray[np.bool_] = seqs > highest[:-1]
        return unseen

    def dump(self) -> dict[str, Any]:
        """What `load` needs to go on from here, as JSON has it."""
        windows = {str(span): window.dump() for span, window in self.windows.items()}
        return {"ts": self.ts, "seqs": self.seqs, "windows": windows}

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> TickMemory:
        """The memory that was dumped."""
        windows = {int(span): PriceWindow.load(int(span), window) for span, window in dumped["windows"].items()}
        return cls(dumped["ts"], dict(dumped["seqs"]), windows)


@dataclass(slots=True)
class Volumes:
    """The last closed bars' volumes, for the rules that ask for the same ones.

    Args:
        interval, sessions: of the bars that count.
        bars: how many are kept.
    """

    interval: str
    sessions: tuple[str, ...]
    bars: int
    _kept: deque[tuple[int, float]] = field(init=False)

    def __post_init__(self) -> None:
        self._kept = deque(maxlen=self.bars)

    @classmethod
    def of(cls, condition: VolumeSpike) -> Volumes:
        """No volumes yet, for one condition."""
        return cls(condition.interval, condition.sessions, condition.bars)

    @staticmethod
    def key(condition: VolumeSpike) -> str:
        """The same for conditions that ask for the same volumes."""
        return f"{condition.interval}/{condition.bars}/{'+'.join(condition.sessions)}"

    def take(self, bar: Bar) -> float | None:
        """Remember a closed bar, and give its volume over the mean of those before it.

        None for a bar that doesn't count, for a revision of one that was taken before, and while
        there is no mean: too few bars, or none with a volume.
        """
        if bar.interval != self.interval or bar.session not in self.sessions:
            return None
        if self._kept and bar.start <= self._kept[-1][0]:
            self._revise(bar)
            return None
        total = sum(volume for _, volume in self._kept)
        ratio = bar.volume * self.bars / total if len(self._kept) == self.bars and total > 0 else None
        self._kept.append((bar.start, bar.volume))
        return ratio

    def _revise(self, bar: Bar) -> None:
        for index, (start, _) in enumerate(self._kept):
            if start == bar.start:
                self._kept[index] = (start, bar.volume)

    def dump(self) -> dict[str, Any]:
        """What `load` needs to go on from here, as JSON has it."""
        return {
            "interval": self.interval,
            "sessions": list(self.sessions),
            "bars": self.bars,
            "kept": [list(pair) for pair in self._kept],
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> Volumes:
        """The volumes that were dumped."""
        volumes = cls(dumped["interval"], tuple(dumped["sessions"]), dumped["bars"])
        volumes._kept.extend((start, volume) for start, volume in dumped["kept"])
        return volumes


@dataclass(slots=True)
class BarMemory:
    """What was seen of a symbol's closed bars: the latest end, and the volumes that rules ask for."""

    ts: int = 0
    volumes: dict[str, Volumes] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        """What `load` needs to go on from here, as JSON has it."""
        return {"ts": self.ts, "volumes": {key: volumes.dump() for key, volumes in self.volumes.items()}}

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> BarMemory:
        """The memory that was dumped."""
        return cls(dumped["ts"], {key: Volumes.load(volumes) for key, volumes in dumped["volumes"].items()})


Memory = TickMemory | BarMemory
