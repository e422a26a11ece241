"""What the rules remember of one symbol."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tickstream.alerting.domain.luld import PriceBands
from tickstream.alerting.domain.windows import PriceWindow
from tickstream.core.columns import Ints, TickColumns

_SOURCES: Final = 64
"""Of how many sources the last sequence number is kept; the one unheard of for longest goes first."""


@dataclass(slots=True)
class TickMemory:
    """What was seen of a symbol's trades.

    Attributes:
        ts: the latest event time.
        seqs: the last sequence number of each source.
        windows: the price windows that rules ask for, by their length.
        heard: the event time of each source's latest trade.
        bands: the limit-up and limit-down bands that rules ask for, by tier and leverage.
    """

    ts: int = 0
    seqs: dict[str, int] = field(default_factory=dict)
    windows: dict[int, PriceWindow] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    bands: dict[str, PriceBands] = field(default_factory=dict)

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

    def hear(self, ticks: TickColumns) -> None:
        """Note of which sources trades have come, that were admitted."""
        latest = dict(zip(ticks.source.codes.tolist(), ticks.ts_event.tolist(), strict=True))
        self.heard |= {ticks.source.values[code]: ts for code, ts in latest.items()}
        if len(self.heard) > _SOURCES:
            self.heard = dict(sorted(self.heard.items(), key=lambda pair: pair[::-1])[-_SOURCES:])

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
        bands = {key: each.dump() for key, each in self.bands.items()}
        return {"ts": self.ts, "seqs": self.seqs, "windows": windows, "heard": self.heard, "bands": bands}

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> TickMemory:
        """The memory that was dumped."""
        windows = {int(span): PriceWindow.load(int(span), window) for span, window in dumped["windows"].items()}
        # What was dumped before sources were heard of had them by their sequence numbers alone.
        heard = dumped.get("heard") or dict.fromkeys(dumped["seqs"], dumped["ts"])
        bands = {key: PriceBands.load(each) for key, each in dumped.get("bands", {}).items()}
        return cls(dumped["ts"], dict(dumped["seqs"]), windows, dict(heard), bands)
