"""What a rule would have done over bars that have been: the production code over a course through each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tickstream.alerting.domain.evaluate import observe_ticks
from tickstream.alerting.domain.lifecycle import Transition
from tickstream.alerting.domain.rule import Rule, RuleBook
from tickstream.alerting.domain.shard import Changes, Shard
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import Tick

_SOURCE: Final = "rehearsal"
_STOPS: Final = 4


@dataclass(frozen=True, slots=True)
class Span:
    """A bar's prices over [start, end), in nanoseconds."""

    start: int
    end: int
    open: float
    high: float
    low: float
    close: float


def rehearse(rule: Rule, symbol: str, spans: Sequence[Span]) -> list[Transition]:
    """The transitions of one symbol's alerts, had its price gone through these bars.

    A bar doesn't tell in which order its extremes came: the price goes from the open to the one nearer to it, to the
    other, to the close, at even distances of time.

    Args:
        rule: one on ticks.
        symbol: whose bars they are.
        spans: in ascending order.
    """
    ticks = [
        Tick(symbol, price, 0.0, at, at, seq, _SOURCE)
        for seq, (at, price) in enumerate((stop for span in spans for stop in _course(span)), start=1)
    ]
    changes = Changes()
    if ticks:
        observe_ticks(RuleBook([rule]), Shard(changes=changes), TickColumns.of(ticks, TickInterners()))
    return sorted(changes.transitions, key=lambda one: (one.ts_event, one.revision))


def _course(span: Span) -> list[tuple[int, float]]:
    near, far = (span.high, span.low) if span.high - span.open < span.open - span.low else (span.low, span.high)
    moments = np.linspace(span.start, span.end - 1, _STOPS).astype(np.int64).tolist()
    return list(zip(moments, (span.open, near, far, span.close), strict=True))
