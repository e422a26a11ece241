"""Rules over a batch of trades."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from tickstream.alerting.domain.memory import TickMemory
from tickstream.alerting.domain.rule import PercentMove, PriceLevel, Rule, RuleBook
from tickstream.alerting.domain.shard import Shard
from tickstream.core.columns import Floats, Ints, TickColumns
from tickstream.core.model import FLAG_SUSPICIOUS


def observe_ticks(rules: RuleBook, shard: Shard, ticks: TickColumns) -> None:
    """Take trades of one partition into account, in the order of the log.

    Suspicious prints, repeats of a trade, and trades older than one that came before are left out.
    """
    for symbol, own in _by_symbol(ticks.take((ticks.flags & FLAG_SUSPICIOUS) == 0)):
        levels, moves = rules.watching(symbol, PriceLevel), rules.watching(symbol, PercentMove)
        if not levels and not moves:
            continue
        memory = shard.memories.setdefault(symbol, TickMemory())
        shard.changes.symbols.add(symbol)
        new = memory.admit(own)
        if len(new):
            _observe_levels(levels, shard, symbol, new.ts_event, new.price)
            _observe_moves(moves, shard, symbol, memory, new.ts_event, new.price)


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
