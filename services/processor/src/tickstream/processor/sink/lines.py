r"""Records as InfluxDB's line protocol.

A trade's point is at `point_time`: the trade's millisecond, and within it `seq` modulo a million in
nanoseconds. `seq` divided by a million is the tag `lap`, left out while it is 0. Time, lap and the
tags symbol and source give the trade's millisecond and seq back, so that two trades never share
a point, and the same trade always has the same one.

Tags and field names can't hold a line break or end in a backslash: the protocol has no way to
write them (https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeVar

import numpy as np

from tickstream.core.clock import NANOS_PER_MILLI
from tickstream.core.columns import Ints, Strings, TickColumns
from tickstream.core.errors import BadRecordError
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet
from tickstream.processor.sink.series import Refused

SEQS_PER_LAP: Final = NANOS_PER_MILLI
FIRST_TIME: Final = -(2**63) + NANOS_PER_MILLI
LAST_TIME: Final = 2**63 - 1 - NANOS_PER_MILLI
"""The event times whose whole millisecond InfluxDB can hold, in nanoseconds."""

_OWN_FIELDS: Final = frozenset({"time", "end", "revision"})

_Record = TypeVar("_Record")


@dataclass(slots=True)
class Lines:
    """Lines to be written, the row of the batch that each came from, and the rows that have none."""

    lines: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def point_time(ts_event: Ints, seq: Ints) -> Ints:
    """Where the points of trades lie, in nanoseconds."""
    return ts_event - ts_event % NANOS_PER_MILLI + seq % SEQS_PER_LAP


def trade_lines(trades: TickColumns) -> Lines:
    """Trades as points of the measurement `trades`."""
    refused = _unwritable_trades(trades)
    rows = np.arange(len(trades))
    if refused:
        rows = np.delete(rows, [row for row, _reason in refused])
        trades = trades.take(rows)
    lines = [
        f"{head}{price!r},volume={volume!r},seq={seq}i{extra} {time}"
        for head, price, volume, seq, extra, time in zip(
            _trade_heads(trades),
            trades.price.tolist(),
            trades.volume.tolist(),
            trades.seq.tolist(),
            _trade_extras(trades),
            point_time(trades.ts_event, trades.seq).tolist(),
            strict=True,
        )
    ]
    return Lines(lines, rows.tolist(), refused)


def _unwritable_trades(trades: TickColumns) -> list[Refused]:
    reasons: dict[int, str] = {}
    for row in np.flatnonzero((trades.ts_event < FIRST_TIME) | (trades.ts_event > LAST_TIME)).tolist():
        reasons[row] = _time_problem("ts_event", int(trades.ts_event[row]))
    for name, column in (("symbol", trades.symbol), ("source", trades.source)):
        for code in np.unique(column.codes).tolist():
            problem = _text_problem(name, column.values[code])
            if problem:
                reasons |= dict.fromkeys(np.flatnonzero(column.codes == code).tolist(), problem)
    return [Refused(row, reasons[row]) for row in sorted(reasons)]


def _trade_heads(trades: TickColumns) -> list[str]:
    """The start of each line, up to the price; few of them differ."""
    lap, lap_code = np.unique(trades.seq // SEQS_PER_LAP, return_inverse=True)
    symbols, sources = len(trades.symbol.values), len(trades.source.values)
    key = (lap_code * sources + trades.source.codes) * symbols + trades.symbol.codes
    distinct, code = np.unique(key, return_inverse=True)
    heads = [
        _trade_head(
            trades.symbol, trades.source, key % symbols, key // symbols % sources, lap[key // symbols // sources]
        )
        for key in distinct.tolist()
    ]
    return [heads[at] for at in code.tolist()]


def _trade_head(symbols: Strings, sources: Strings, symbol: int, source: int, lap: int) -> str:
    tags = f"symbol={_escaped(symbols.values[symbol])},source={_escaped(sources.values[source])}"
    return f"trades,{tags},lap={lap} price=" if lap else f"trades,{tags} price="


def _trade_extras(trades: TickColumns) -> list[str]:
    """What only some trades have: the exact time where it is finer than a millisecond, and flags."""
    extras = [""] * len(trades)
    exact = trades.ts_event.tolist()
    for row in np.flatnonzero(trades.ts_event % NANOS_PER_MILLI).tolist():
        extras[row] = f",ts_event={exact[row]}i"
    for row in np.flatnonzero(trades.flags).tolist():
        extras[row] += f",flags={trades.flags[row]}i"
    return extras


def bar_lines(bars: Sequence[Bar]) -> Lines:
    """Bars as points of the measurement `bars`."""
    return _record_lines(bars, _bar_line)


def indicator_lines(sets: Sequence[IndicatorSet]) -> Lines:
    """Indicators as points of the measurement `indicators`, a field each."""
    return _record_lines(sets, _indicator_line)


def analytics_lines(figures: Sequence[AnalyticsFigure]) -> Lines:
    """Figures as points of the measurement `analytics`, a field for each value; an empty one has no point."""
    return _record_lines(figures, _analytics_line)


def _record_lines(records: Iterable[_Record], line: Callable[[_Record], str]) -> Lines:
    made = Lines()
    for row, record in enumerate(records):
        try:
            text = line(record)
        except BadRecordError as error:
            made.refused.append(Refused(row, str(error)))
            continue
        if text:
            made.lines.append(text)
            made.rows.append(row)
    return made


def _bar_line(bar: Bar) -> str:
    return (
        f"bars,symbol={_tag('symbol', bar.symbol)},interval={_tag('interval', bar.interval)} "
        f"open={bar.open!r},high={bar.high!r},low={bar.low!r},close={bar.close!r},volume={bar.volume!r},"
        f"vwap={bar.vwap!r},trades={bar.trades}i,revision={bar.revision}i,end={bar.end}i,"
        f'activity="{bar.activity}",session="{bar.session}" {_time("start", bar.start)}'
    )


def _indicator_line(of: IndicatorSet) -> str:
    return (
        f"indicators,symbol={_tag('symbol', of.symbol)},interval={_tag('interval', of.interval)} "
        f"revision={of.revision}i,end={of.end}i{_values(of.values)} {_time('start', of.start)}"
    )


def _analytics_line(figure: AnalyticsFigure) -> str:
    if not figure.values:
        return ""
    window = f",window={_tag('window', figure.window)}" if figure.window else ""
    return (
        f"analytics,scope={_tag('scope', figure.scope)},name={_tag('name', figure.name)}{window} "
        f"{_values(figure.values)[1:]} {_time('ts_event', figure.ts_event)}"
    )


def _values(values: Mapping[str, float]) -> str:
    return "".join([f",{_field_name(name)}={value!r}" for name, value in values.items()])


def _time(name: str, time: int) -> int:
    if not FIRST_TIME <= time <= LAST_TIME:
        raise BadRecordError(_time_problem(name, time))
    return time


def _time_problem(name: str, time: int) -> str:
    return f"{name} must lie in [{FIRST_TIME}, {LAST_TIME}], was {time}"


@lru_cache(maxsize=16_384)
def _tag(name: str, text: str) -> str:
    problem = _text_problem(name, text)
    if problem:
        raise BadRecordError(problem)
    return _escaped(text)


@lru_cache(maxsize=4_096)
def _field_name(name: str) -> str:
    problem = _text_problem("a value's name", name)
    if problem or name in _OWN_FIELDS:
        raise BadRecordError(problem or f"a value's name must not be one of {sorted(_OWN_FIELDS)}, was {name!r}")
    return _escaped(name)


def _text_problem(name: str, text: str) -> str:
    """The rule that a tag or a field's name breaks; empty when it breaks none."""
    if not text:
        return f"{name} must not be empty"
    if "\n" in text or text.endswith("\\"):
        return f"{name} must not hold a line break or end in a backslash, was {text!r}"
    return ""


def _escaped(text: str) -> str:
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")
