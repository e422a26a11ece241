"""What rules would have said of recorded bars and trades: the code of the service, without its servers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from tickstream.alerting.domain.evaluate import end_feeds, observe_ticks
from tickstream.alerting.domain.feeds import Feeds
from tickstream.alerting.domain.lane import Lane, Row
from tickstream.alerting.domain.lifecycle import Transition
from tickstream.alerting.domain.rule import RuleBook
from tickstream.alerting.domain.shard import Shard
from tickstream.core.columns import TickColumns


def backtest(
    rules: RuleBook,
    rows: Iterable[Row],
    ticks: Sequence[TickColumns],
    since: int = 0,
    feeds: Feeds | None = None,
    check: Callable[[], None] = lambda: None,
) -> list[Transition]:
    """The transitions of rules made at `since`, in the order of their event times.

    Args:
        rules: what to look for.
        rows: bars, indicators and figures; those of before `since` are what the rules look back at.
        ticks: trades in the order of the log; those of before `since` are left out.
        since: event time, nanoseconds.
        feeds: what is known of the trades' sources; None is that they are never down.
        check: is called again and again meanwhile; what it raises ends it.
    """
    lane, shard = Lane(), Shard()
    lane.install(rules)
    ordered = sorted(rows, key=lambda row: row.end)
    lane.warm(row for row in ordered if row.end <= since)
    lane.take(_checked((row for row in ordered if row.end > since), check))
    for batch in ticks:
        observe_ticks(rules, shard, batch.take(np.flatnonzero(batch.ts_event >= since)), feeds)
    if feeds is not None:
        end_feeds(rules, shard, feeds)
    found = [*lane.changes.transitions, *shard.changes.transitions]
    return sorted(found, key=lambda t: (t.ts_event, t.symbol, t.rule_id, t.alert_id, t.revision))


def _checked(rows: Iterable[Row], check: Callable[[], None]) -> Iterator[Row]:
    for row in rows:
        check()
        yield row
