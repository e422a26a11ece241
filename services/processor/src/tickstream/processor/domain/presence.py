"""When a source counts among those of a symbol that would have told of trades.

A source counts for windows that end later than what had been closed by trades when it joined the
symbol, and later than the trade with which it joined; and at the latest at the event time that had
been reached when it was left behind. So a window is judged by the same sources whenever it closes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.processor.domain.arrays import grown

Span = tuple[int, int]
"""After the first and up to the second event time."""

EVER: Final = int(np.iinfo(np.int64).min)
FOREVER: Final = int(np.iinfo(np.int64).max)
MAX_SPANS: Final = 64
"""More spans than this are too many to keep: the oldest absence is then forgotten."""


class Presence:
    """The spans of the streams; the last one of each that is still there ends at `FOREVER`."""

    def __init__(self) -> None:
        self._since = np.zeros(0, dtype=np.int64)
        self._until = np.zeros(0, dtype=np.int64)
        self._earlier: dict[int, list[Span]] = {}

    def begin(self, streams: NDArray[np.intp], since: int) -> None:
        """Let sources count for windows that end after `since`, in addition to when they did before."""
        self._reserve(int(streams.max(initial=-1)) + 1)
        for stream in streams[(self._until[streams] > EVER) & (since > self._until[streams])].tolist():
            earlier = self._earlier.setdefault(stream, [])
            earlier.append((int(self._since[stream]), int(self._until[stream])))
            if len(earlier) > MAX_SPANS:
                earlier[:2] = [(earlier[0][0], earlier[1][1])]
            self._since[stream] = since
        fresh = streams[self._until[streams] == EVER]
        self._since[fresh] = since
        self._until[streams] = FOREVER

    def end(self, streams: NDArray[np.intp], until: int) -> None:
        """Let sources that count now count up to `until` only."""
        self._until[streams] = until

    def restore(self, streams: NDArray[np.intp], since: Ints, until: Ints) -> None:
        """Set the last spans of streams."""
        self._reserve(int(streams.max(initial=-1)) + 1)
        self._since[streams], self._until[streams] = since, until

    def restore_earlier(self, stream: int, spans: list[Span]) -> None:
        """Set the spans before the last one."""
        self._earlier[stream] = spans

    def forget(self, streams: NDArray[np.intp]) -> None:
        """Let the sources of streams never have counted."""
        self.restore(streams, np.full(len(streams), EVER), np.full(len(streams), EVER))
        for stream in streams.tolist():
            self._earlier.pop(stream, None)

    def last(self, streams: NDArray[np.intp]) -> tuple[Ints, Ints]:
        """The last span of each stream; one that never counted ends at `EVER`."""
        self._reserve(int(streams.max(initial=-1)) + 1)
        return self._since[streams], self._until[streams]

    def earlier(self, stream: int) -> list[Span]:
        """The spans before the last one."""
        return self._earlier.get(stream, [])

    def counts(self, streams: NDArray[np.intp], ends: Ints) -> NDArray[np.bool_]:
        """Whether each stream counts for a window that ends at the time beside it."""
        since, until = self.last(streams)
        counts: NDArray[np.bool_] = (since < ends) & (ends <= until)
        if self._earlier:
            for row in np.flatnonzero(~counts & np.isin(streams, list(self._earlier))).tolist():
                counts[row] = any(begin < ends[row] <= end for begin, end in self._earlier[int(streams[row])])
        return counts

    def _reserve(self, streams: int) -> None:
        self._since = grown(self._since, streams, EVER)
        self._until = grown(self._until, streams, EVER)
