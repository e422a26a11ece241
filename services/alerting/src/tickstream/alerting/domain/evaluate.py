"""Rules over a batch of trades."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from tickstream.alerting.domain.feeds import Feeds
from tickstream.alerting.domain.memory import TickMemory
from tickstream.alerting.domain.near_bands import observe_bands
from tickstream.alerting.domain.rule import ON_TICKS, NearBand, PercentMove, PriceLevel, Rule, RuleBook
from tickstream.alerting.domain.shard import Shard
from tickstream.core.columns import Floats, Ints, TickColumns
from tickstream.core.model import FLAG_SUSPICIOUS


def observe_ticks(rules: RuleBook, shard: Shard, ticks: TickColumns, feeds: Feeds | None = None) -> None:
    """Take trades of one partition into account, in the order of the log.

    Suspicious prints, repeats of a trade, and trades older than one that came before are left out.

    Args:
        rules: in force.
        shard: the partition's.
        ticks: the trades.
        feeds: what is known of their sources; None is that they are never down.
    """
    for symbol, own in _by_symbol(ticks.take((ticks.flags & FLAG_SUSPICIOUS) == 0)):
        if not any(rules.watching(symbol, kind) for kind in ON_TICKS):
            continue
        memory = shard.memories.setdefault(symbol, TickMemory())
        shard.changes.symbols.add(symbol)
        since, new = memory.ts, memory.admit(own)
        downs = feeds.went_down(since, memory.ts) if feeds is not None else []
        start = 0
        for down in downs:
            stop = int(np.searchsorted(new.ts_event, down, side="right"))
            _observe(rules, shard, symbol, new.take(np.arange(start, stop)), feeds)
            _lose(rules, shard, symbol, down, feeds)
            start = stop
        _observe(rules, shard, symbol, new.take(np.arange(start, len(new))) if start else new, feeds)


def end_feeds(rules: RuleBook, shard: Shard, feeds: Feeds) -> None:
    """Let go of symbols whose sources have gone down since their last trades; let time pass for halted ones.

    What was published before the feeds went down, or trading was halted, must have been observed.
    """
    for symbol, memory in shard.memories.items():
        for down in feeds.went_down(memory.ts):
            if _lose(rules, shard, symbol, down, feeds):
                # A trade of before that comes after all is out of date.
                memory.ts = down
                shard.changes.symbols.add(symbol)
        until = feeds.halted_until(symbol)
        if until > memory.ts and shard.wait(rules, symbol, until):
            memory.ts = until
            shard.changes.symbols.add(symbol)


def _lose(rules: RuleBook, shard: Shard, symbol: str, down: int, feeds: Feeds | None) -> bool:
    lost = feeds is not None and feeds.are_down(shard.memories[symbol].heard, down)
    return lost and shard.lose(rules, symbol, down)


def _observe(rules: RuleBook, shard: Shard, symbol: str, ticks: TickColumns, feeds: Feeds | None) -> None:
    if len(ticks):
        memory, ts, prices = shard.memories[symbol], ticks.ts_event, ticks.price
        memory.hear(ticks)
        _observe_levels(rules.watching(symbol, PriceLevel), shard, symbol, ts, prices)
        _observe_moves(rules.watching(symbol, PercentMove), shard, symbol, memory, ts, prices)
        halts = feeds.halts(symbol) if feeds is not None else ()
        observe_bands(rules.watching(symbol, NearBand), shard, symbol, ticks, halts)


def _by_symbol(ticks: TickColumns) -> Iterator[tuple[str, TickColumns]]:
    order = np.argsort(ticks.symbol.codes, kind="stable")
    codes = ticks.symbol.codes[order]
    bounds = np.flatnonzero(np.diff(codes)) + 1
    for rows in np.split(order, bounds):
        if len(rows):
            yield ticks.symbol.values[ticks.symbol.codes[rows[0]]], ticks.take(rows)


def _observe_levels(levels: Sequence[Rule], shard: Shard, symbol: str, ts: Ints, prices: Floats) -> None:
    index = shard.levels_of(symbol, levels)
    for at in index.woken(float(prices.min()), float(prices.max())):
        rule = levels[at]
        shard.follow(rule, symbol, ts, prices, rule.condition.signals(prices))
        index.stands(at, shard.standing(rule, symbol))


def _observe_moves(
    moves: Iterable[Rule], shard: Shard, symbol: str, memory: TickMemory, ts: Ints, prices: Floats
) -> None:
    extremes: dict[int, tuple[Floats, Floats]] = {}
    for rule in moves:
        condition = rule.condition
        if not isinstance(condition, PercentMove):
            continue
        span = condition.window_ns
        if span not in extremes:
            extremes[span] = memory.window(span).extend(ts, prices)
        values = condition.values(prices, *extremes[span])
        shard.follow(rule, symbol, ts, values, condition.signals(values))
    memory.windows = {span: memory.windows[span] for span in extremes}
