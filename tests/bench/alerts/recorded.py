"""The same over recorded trades: their own prices, ties, and quiet minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from tests.bench.alerts.line import Line
from tickstream.alerting.domain.evaluate import observe_ticks
from tickstream.alerting.domain.lane import Lane, Row
from tickstream.alerting.domain.rule import ByExpression, PriceLevel, Rule, RuleBook
from tickstream.alerting.domain.shard import Shard
from tickstream.alerting.language.parser import parse
from tickstream.alerting.rows import rows_of_bars
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import Bar
from tickstream.core.sessions import SESSION_NAMES, Sessions
from tickstream.producer.adapters.recordings import Recordings
from tickstream.producer.adapters.rows import BadRows
from tickstream.producer.domain.merge import merge

MINUTE = 60 * 10**9
BATCH, AIM_TRADES = 2_000, 20_000
TICK_RULES, BAR_RULES, WARM = 10_000, 1_000, 25
TEMPLATES = (
    "close > {} * mean(close, 20 bars)",
    "close crosses_above {} * highest(previous(high), 20 bars) for 2 bars",
    "volume > 4 * {} * mean(previous(volume), 20 bars)",
    "close rises {}% within 10 bars and volume > 100",
    "stddev(close, 20 bars) > 0.002 * {} * close until close < mean(close, 20 bars)",
)


def batches(path: Path) -> list[TickColumns]:
    """All trades of a file or folder, in the order of their times, a few thousand at a time."""
    found: list[TickColumns] = []
    recordings = Recordings(path, None, None, (), TickInterners(), BadRows(quiet=True))
    for chunk in merge(recordings.streams()):
        rows = np.arange(len(chunk))
        found += [chunk.columns.take(rows[low : low + BATCH]) for low in range(0, len(rows), BATCH)]
    return found


def frame_of(trades: Sequence[TickColumns]) -> pl.DataFrame:
    """The trades that bars are made of."""
    counted = [each.take((each.flags & 1) == 0) for each in trades]
    return pl.concat(
        pl.DataFrame({"symbol": each.symbol.to_list(), "ts": each.ts_event, "price": each.price, "volume": each.volume})
        for each in counted
    )


def thresholds(frame: pl.DataFrame) -> list[Rule]:
    """Ten thousand around the prices of each symbol, up to a tenth away from what it traded at."""
    random = np.random.default_rng(3)
    ranges = frame.group_by("symbol").agg(low=pl.col("price").min(), high=pl.col("price").max()).sort("symbol").rows()
    rules = []
    for number, at in enumerate(random.uniform(0.9, 1.1, TICK_RULES).tolist()):
        symbol, low, high = ranges[number % len(ranges)]
        above = number // len(ranges) % 2 == 0
        level = (
            PriceLevel("above", round(high * at, 2), 0.05) if above else PriceLevel("below", round(low * at, 2), 0.05)
        )
        rules.append(Rule(str(number), "level", level, symbols=(symbol,)))
    return rules


def ticks(trades: Sequence[TickColumns], rules: Sequence[Rule]) -> Line:
    """CPU for as many trades as the aim has in a second."""
    book, shard = RuleBook(rules), Shard()
    before = time.process_time()
    for batch in trades:
        observe_ticks(book, shard, batch)
    count = sum(map(len, trades))
    spent = (time.process_time() - before) * AIM_TRADES / count
    what = f"{TICK_RULES} thresholds, {AIM_TRADES} of {count} recorded trades"
    return Line(what, spent, "< 1", len(shard.changes.transitions) * AIM_TRADES // count)


def plain_loop(trades: Sequence[TickColumns], rules: Sequence[Rule]) -> Line:
    """The thresholds once more, each trade against each rule of its symbol."""
    by_symbol: dict[str, list[PriceLevel]] = {}
    for rule in rules:
        if isinstance(rule.condition, PriceLevel):
            by_symbol.setdefault(rule.symbols[0], []).append(rule.condition)
    batch, crossed = trades[len(trades) // 2], 0
    before = time.process_time()
    for symbol, price in zip(batch.symbol.to_list(), batch.price.tolist(), strict=True):
        for level in by_symbol[symbol or ""]:
            crossed += price > level.level if level.direction == "above" else price < level.level
    spent = (time.process_time() - before) * AIM_TRADES / len(batch)
    return Line("the same, a plain loop of comparisons without any state", spent, "peer", crossed)


def minutes(frame: pl.DataFrame) -> Iterator[list[Row]]:
    """Rows of 1m bars, minute by minute; quiet ones have none."""
    price, start = pl.col("price"), pl.col("ts") // MINUTE * MINUTE
    made = frame.group_by(start.alias("start"), "symbol", maintain_order=True).agg(
        open=price.first(), high=price.max(), low=price.min(), close=price.last(), volume=pl.col("volume").sum(),
        trades=pl.len(),
    )  # fmt: skip
    sessions = Sessions.of("XNYS")
    for (begin,), bars in made.sort("start", "symbol").group_by("start", maintain_order=True):
        at = int(str(begin))
        session = SESSION_NAMES[int(sessions.classify(np.array([at], dtype=np.int64))[0])]
        records = [
            Bar(
                symbol,
                "1m",
                at,
                at + MINUTE,
                first,
                high,
                low,
                last,
                volume,
                last,
                count,
                "closed",
                0,
                "traded",
                session,
            )
            for _, symbol, first, high, low, last, volume, count in bars.rows()
        ]
        yield [row for row in rows_of_bars(records, "XNYS", {"1m"}) if row is not None]


def bars(frame: pl.DataFrame) -> Line:
    """CPU for a minute."""
    texts = [TEMPLATES[number % 5].format(1 + round(number / 100_000, 5)) for number in range(BAR_RULES)]
    rules = [Rule(str(number), text, ByExpression(parse(text))) for number, text in enumerate(texts)]
    lane, spent, measured, transitions = Lane(), 0.0, 0, 0
    lane.install(RuleBook(rules))
    for minute, rows in enumerate(minutes(frame)):
        before = time.process_time()
        lane.take(rows)
        if minute >= WARM:
            spent, measured = spent + time.process_time() - before, measured + 1
            transitions += len(lane.changes.transitions)
        lane.changes.transitions.clear()
    symbols = frame["symbol"].n_unique()
    what = f"{BAR_RULES} rules x {symbols} symbols, a minute of {measured} recorded ones"
    return Line(what, spent / max(1, measured), "< 1", transitions // max(1, measured))
