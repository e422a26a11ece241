"""What alert rules cost, without servers: CPU for a minute of bars, and for a second of trades.

    python -m tests.bench.alerts.run [--path FILE_OR_FOLDER] [--json FILE]

Without recordings of trades they are made up. Beside it the same thresholds in a plain loop over
rules and symbols, as one would write it first.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from tests.bench.alerts import recorded
from tests.bench.alerts.line import Line
from tickstream.alerting.domain.evaluate import observe_ticks
from tickstream.alerting.domain.lane import Lane, Row
from tickstream.alerting.domain.rule import ByExpression, PriceLevel, Rule, RuleBook
from tickstream.alerting.domain.shard import Shard
from tickstream.alerting.language.parser import parse
from tickstream.alerting.rows import rows_of_bars, rows_of_indicators
from tickstream.core.columns import Strings, TickColumns, nulls
from tickstream.core.model import Bar, IndicatorSet

MINUTE = 60 * 10**9
OPEN = 1_381_239_000 * 10**9
SYMBOLS = [f"S{number:03}" for number in range(100)]
RULES = 1_000
MINUTES, WARM = 10, 25
TEMPLATES = (
    "close > {}",
    "rsi_14 > {} until rsi_14 < 40",
    "close crosses_above bbands_20_2_upper + {} for 2 bars",
    "volume > {} * mean(previous(volume), 20 bars)",
    "close rises {}% within 10 bars and volume > 100",
)
TICK_RULES, TICKS, SECONDS = 10_000, 20_000, 3


def minutes(count: int) -> Iterator[list[Row]]:
    """Rows of bars and their indicators, minute by minute."""
    rng = np.random.default_rng(1)
    closes = np.full(len(SYMBOLS), 100.0)
    for minute in range(count):
        closes *= 1 + rng.normal(0, 0.001, len(SYMBOLS))
        start = OPEN + minute * MINUTE
        bars, sets = [], []
        for symbol, close in zip(SYMBOLS, closes.tolist(), strict=True):
            volume = float(rng.integers(1, 1000))
            bars.append(
                Bar(
                    symbol,
                    "1m",
                    start,
                    start + MINUTE,
                    close,
                    close,
                    close,
                    close,
                    volume,
                    close,
                    9,
                    "closed",
                    0,
                    "traded",
                    "regular",
                )
            )
            values = {"rsi_14": float(rng.uniform(30, 70)), "bbands_20_2_upper": close * 1.002}
            sets.append(IndicatorSet(symbol, "1m", start, start + MINUTE, "closed", 0, values))
        rows = [*rows_of_bars(bars, "XNYS", {"1m"}), *rows_of_indicators(sets, {"1m"})]
        yield [row for row in rows if row is not None]


def bar_rules() -> list[Rule]:
    """A thousand of five shapes, each with a limit of its own."""
    limits = {0: 101.5, 1: 69.0, 2: 0.2, 3: 2.2, 4: 0.9}
    texts = [TEMPLATES[n % 5].format(limits[n % 5] + round(n / 1000, 3)) for n in range(RULES)]
    return [
        Rule(str(number), text, ByExpression(parse(text)), hold_rows=2 if "2 bars" in text else 0)
        for number, text in enumerate(texts)
    ]


def bars(batches: int) -> Line:
    """A minute whose bars come in so many batches."""
    lane, spent, measured, transitions = Lane(), 0.0, 0, 0
    lane.install(RuleBook(bar_rules()))
    for minute, rows in enumerate(minutes(WARM + MINUTES)):
        owner = {symbol: number * batches // len(SYMBOLS) for number, symbol in enumerate(SYMBOLS)}
        parts = [[row for row in rows if owner[row.symbol] == part] for part in range(batches)]
        before = time.process_time()
        for part in parts:
            lane.take(part)
        if minute >= WARM:
            spent, measured = spent + time.process_time() - before, measured + 1
            transitions += len(lane.changes.transitions)
        lane.changes.transitions.clear()
    what = (
        f"{RULES} rules x {len(SYMBOLS)} symbols, a minute of 1m bars in {batches} batch{'es' if batches > 1 else ''}"
    )
    return Line(what, spent / measured, "< 1", transitions // measured)


def trades(seconds: int) -> Iterator[TickColumns]:
    """Batches of a tenth of a second."""
    rng = np.random.default_rng(2)
    size, total = TICKS // 10, TICKS * seconds
    who = rng.integers(0, len(SYMBOLS), total).astype(np.int32)
    prices = np.round(100 + np.cumsum(rng.normal(0, 0.001, total)) + rng.normal(0, 0.02, total), 2)
    ts = OPEN + np.arange(total) * (10**9 // TICKS)
    for low in range(0, total, size):
        rows = slice(low, low + size)
        yield TickColumns(
            symbol=Strings(who[rows], SYMBOLS),
            price=prices[rows],
            volume=np.ones(size),
            ts_event=ts[rows],
            ts_ingest=ts[rows],
            seq=np.arange(low, low + size) + 1,
            source=Strings(np.zeros(size, dtype=np.int32), ["bench"]),
            venue=nulls(size),
            conditions=nulls(size),
            flags=np.zeros(size, dtype=np.int64),
        )


def levels() -> list[PriceLevel]:
    """Ten thousand around the price, most of them out of its reach."""
    rng = np.random.default_rng(3)
    sides = rng.integers(0, 2, TICK_RULES).tolist()
    return [
        PriceLevel("above", round(100 + distance, 2), 0.05)
        if side
        else PriceLevel("below", round(100 - distance, 2), 0.05)
        for side, distance in zip(sides, rng.uniform(0.05, 20, TICK_RULES).tolist(), strict=True)
    ]


def ticks(watching: Callable[[int], Sequence[str]], what: str) -> Line:
    """Thresholds over trades."""
    rules = [Rule(str(n), "level", level, symbols=tuple(watching(n))) for n, level in enumerate(levels())]
    book, shard, spent = RuleBook(rules), Shard(), 0.0
    for number, batch in enumerate(trades(SECONDS + 1)):
        before = time.process_time()
        observe_ticks(book, shard, batch)
        spent += time.process_time() - before if number >= 10 else 0.0
    return Line(
        f"{TICK_RULES} thresholds, {TICKS} trades/s, {what}", spent / SECONDS, "< 1", len(shard.changes.transitions)
    )


def plain_loop() -> Line:
    """The thresholds once more, each trade against each rule of its symbol."""
    by_symbol: dict[str, list[PriceLevel]] = {}
    for number, level in enumerate(levels()):
        by_symbol.setdefault(SYMBOLS[number % len(SYMBOLS)], []).append(level)
    spent, crossed = 0.0, 0
    for batch in [next(trades(1))]:
        before = time.process_time()
        for code, price in zip(batch.symbol.codes.tolist(), batch.price.tolist(), strict=True):
            for level in by_symbol[SYMBOLS[code]]:
                crossed += price > level.level if level.direction == "above" else price < level.level
        spent = (time.process_time() - before) * 10
    return Line("the same, a plain loop of comparisons without any state", spent, "peer", crossed)


def made_up() -> list[Callable[[], Line]]:
    """What is measured without recordings."""
    watching: Callable[[int], Sequence[str]] = lambda n: [SYMBOLS[n % len(SYMBOLS)]]  # noqa: E731 - an argument
    return [lambda: bars(1), lambda: bars(5), lambda: ticks(watching, "one symbol each"), plain_loop]


def of_recordings(path: Path) -> list[Callable[[], Line]]:
    """What is measured with them."""
    found = recorded.batches(path)
    frame = recorded.frame_of(found)
    rules = recorded.thresholds(frame)
    return [
        lambda: recorded.bars(frame),
        lambda: recorded.ticks(found, rules),
        lambda: recorded.plain_loop(found, rules),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="tickstream bench alerts")
    parser.add_argument("--path", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    lines = []
    for measure in made_up() if given.path is None else of_recordings(given.path):
        line = measure()
        lines.append(line)
        found = f"{line.cpu_seconds:>8.3f} s CPU  ({line.aim}), {line.transitions} transitions"
        sys.stdout.write(f"{line.what:<78} {found}\n")
        sys.stdout.flush()
    if given.json:
        given.json.write_text(json.dumps([asdict(line) for line in lines], indent=2) + "\n")


if __name__ == "__main__":
    main()
