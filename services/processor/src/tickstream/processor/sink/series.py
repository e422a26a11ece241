"""The port to a time-series store: what the sink asks of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from tickstream.core.columns import TickColumns
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet


class Refused(NamedTuple):
    """A row of a batch that the store can't take, ever, and why."""

    row: int
    reason: str


class TimeSeries(Protocol):
    """A store of trades, closed bars, their indicators and analytics.

    Writing is idempotent: what is written twice is stored once, and a revision takes its
    predecessor's place. Each write returns once its rows are durable, with those that the store
    refuses for good.

    Raises:
        RetryableError: the store is away or can't take anything now; all rows are to be written again.
    """

    def prepare(self) -> None:
        """Make the bucket or the tables where they are missing."""
        ...

    def write_trades(self, trades: TickColumns) -> list[Refused]:
        """Store trades, each as a point of its own."""
        ...

    def write_bars(self, bars: Sequence[Bar]) -> list[Refused]:
        """Store bars at their start."""
        ...

    def write_indicators(self, sets: Sequence[IndicatorSet]) -> list[Refused]:
        """Store the indicators of bars at the bars' start."""
        ...

    def write_analytics(self, figures: Sequence[AnalyticsFigure]) -> list[Refused]:
        """Store figures at their event time."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
