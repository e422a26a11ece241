"""What clients ask when they test a rule over bars that they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated, Any, Final
from uuid import UUID

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tickstream.alerting.adapters.problems import problems_of
from tickstream.alerting.backtest.run import backtest
from tickstream.alerting.domain.expression import FIGURED, Expression, Series
from tickstream.alerting.domain.frame import FIGURES, clock_of, field_of
from tickstream.alerting.domain.lane import Row
from tickstream.alerting.domain.lifecycle import Transition
from tickstream.alerting.domain.rehearsal import Span, rehearse
from tickstream.alerting.domain.rule import ByExpression, Rule, RuleBook
from tickstream.alerting.rows import rows_of_bars
from tickstream.alerting.spec import InvalidRuleError, Problem, StoredRule, parse
from tickstream.core.clock import NANOS_PER_MILLI
from tickstream.core.intervals import Interval
from tickstream.core.model import Activity, Bar, SessionName
from tickstream.core.scopes import GROUP, MARKET
from tickstream.core.sessions import SESSION_NAMES, Sessions

MOST_BARS: Final = 2_000
_MOST_TRANSITIONS: Final = 500
_MOST_COLUMNS: Final = 50
"""Of indicators, and of figures, at most."""
_PRICES: Final = ("open", "high", "low", "close")

_Millis = Annotated[int, Field(ge=0, le=253_402_300_800_000)]
_Price = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Value = Annotated[float, Field(allow_inf_nan=False)]
_Values = Sequence[float | None]
_Column = Annotated[list[_Value | None], Field(max_length=MOST_BARS)]


class TooLongError(Exception):
    """It isn't done in time."""


class _Bars(BaseModel):
    """Bars by columns, in ascending order; times in milliseconds, what isn't given isn't known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start_ms: list[_Millis] = Field(min_length=1, max_length=MOST_BARS)
    end_ms: list[_Millis]
    open: list[_Price] | None = None
    high: list[_Price] | None = None
    low: list[_Price] | None = None
    close: list[_Price] | None = None
    volume: list[_Amount] | None = None
    vwap: list[_Price] | None = None
    trades: list[_Amount] | None = None
    session: list[SessionName] | None = None
    activity: list[Activity] | None = None
    indicators: dict[str, _Column] = Field(default_factory=dict, max_length=_MOST_COLUMNS)
    figures: dict[str, _Column] = Field(default_factory=dict, max_length=_MOST_COLUMNS)

    @model_validator(mode="after")
    def _check(self) -> _Bars:
        columns: list[list[Any] | None] = [self.end_ms, self.open, self.high, self.low, self.close, self.volume]
        columns += [self.vwap, self.trades, self.session, self.activity]
        columns += [*self.indicators.values(), *self.figures.values()]
        if any(column is not None and len(column) != len(self.start_ms) for column in columns):
            raise ValueError("all columns must have the same length")
        if any(end <= start for start, end in zip(self.start_ms, self.end_ms, strict=True)):
            raise ValueError("each bar must end after it starts")
        if any(after < before for before, after in pairwise(self.start_ms)):
            raise ValueError("the bars must be in ascending order")
        if any(low > high for low, high in zip(self.low or (), self.high or (), strict=False)):
            raise ValueError("a bar's low must not be above its high")
        return self

    def spans(self) -> list[Span]:
        """What the price has gone through."""
        prices = (getattr(self, name) or () for name in _PRICES)
        rows = zip(self.start_ms, self.end_ms, *prices, strict=False)
        return [Span(start * NANOS_PER_MILLI, end * NANOS_PER_MILLI, *of_bar) for start, end, *of_bar in rows]

    def rows(self, symbol: str, expression: Expression, calendar: str) -> Iterator[Row]:
        """What a rule about bars, or figures, looks at."""
        interval = expression.interval
        for row in rows_of_bars(list(self._bars(symbol, interval, calendar)), calendar, {interval}):
            if row is not None:
                yield row
        if self.indicators:
            yield from self._rows("indicators", interval, symbol, self.indicators)
        scopes: dict[str, dict[str, _Values]] = {}
        for series in expression.series():
            if series.source in FIGURED:
                scope = MARKET if series.source == "market" else series.symbol or symbol
                scopes.setdefault(scope, {})[field_of(series)] = self.figures[str(series)]
        for scope, figures in scopes.items():
            yield from self._rows(FIGURES.kind, "", scope, figures)

    def _rows(self, kind: str, interval: str, of: str, columns: Mapping[str, _Values]) -> Iterator[Row]:
        for at, end in enumerate(self.end_ms):
            values = {name: value for name, column in columns.items() if (value := column[at]) is not None}
            yield Row(kind, interval, of, end * NANOS_PER_MILLI, values)

    def _bars(self, symbol: str, interval: str, calendar: str) -> Iterator[Bar]:
        nothing = [0.0] * len(self.start_ms)
        sessions = self.session or self._sessions(calendar)
        counted = (self.volume or nothing, self.vwap or self.close or nothing, self.trades or nothing)
        for at, (span, volume, vwap, trades) in enumerate(zip(self.spans(), *counted, strict=False)):
            yield Bar(
                symbol=symbol,
                interval=interval,
                start=span.start,
                end=span.end,
                open=span.open,
                high=span.high,
                low=span.low,
                close=span.close,
                volume=volume,
                vwap=vwap,
                trades=int(trades),
                state="closed",
                revision=0,
                session=sessions[at],
                activity=self.activity[at] if self.activity else "traded",
            )

    def _sessions(self, calendar: str) -> list[SessionName]:
        starts = np.array(self.start_ms, dtype=np.int64) * NANOS_PER_MILLI
        return [SESSION_NAMES[kind] for kind in Sessions.of(calendar).classify(starts).tolist()]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: dict[str, Any]
    symbol: Annotated[str, Field(min_length=1, max_length=64)]
    bars: _Bars


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A rule, and the bars of one symbol that it is tried on; `calendar` says of which sessions they are."""

    rule: Rule
    symbol: str
    bars: _Bars
    calendar: str

    def run(self, check: Callable[[], None] = lambda: None) -> list[Transition]:
        """What the rule would have done; what `check` raises meanwhile ends it."""
        condition = self.rule.condition
        if not isinstance(condition, ByExpression):
            return rehearse(self.rule, self.symbol, self.bars.spans())
        rows = self.bars.rows(self.symbol, condition.expression, self.calendar)
        return backtest(RuleBook([self.rule]), rows, [], check=check)


def read_rehearsal(given: Any, calendar: str) -> Rehearsal:
    """What a client sent.

    Args:
        given: JSON.
        calendar: of bars that don't say of which session they are.

    Raises:
        InvalidRuleError: with everything that is wrong with it.
    """
    try:
        asked = _Asked.model_validate(given)
    except ValidationError as error:
        raise InvalidRuleError(problems_of(error)) from None
    now = datetime.now(tz=UTC)
    try:
        spec = parse(asked.rule)
    except InvalidRuleError as error:
        raise InvalidRuleError([Problem(f"/rule{one.pointer}", one.detail) for one in error.problems]) from None
    rule = StoredRule(UUID(int=0), spec, 1, now, now).rule()
    condition = rule.condition
    if isinstance(condition, ByExpression):
        problems = list(_lacking(condition.expression, asked.symbol, asked.bars))
    else:
        problems = list(_priceless(asked.bars))
    if problems:
        raise InvalidRuleError(problems)
    return Rehearsal(rule, asked.symbol, asked.bars, calendar)


def _priceless(bars: _Bars) -> Iterator[Problem]:
    """The prices that aren't given; only a rule about figures alone does without."""
    for name in _PRICES:
        if getattr(bars, name) is None:
            yield Problem(f"/bars/{name}", "must be given")


def _lacking(expression: Expression, symbol: str, bars: _Bars) -> Iterator[Problem]:
    """What an expression speaks of and bars of one symbol don't have."""
    if clock_of(expression) != FIGURES:
        yield from _priceless(bars)
    if expression.is_of_groups and not symbol.startswith(GROUP):
        yield Problem("/symbol", f"must be {GROUP}NAME, as the rule is about groups, was {symbol!r}")
    for series in expression.series():
        yield from _missing(series, symbol, bars)
    interval = Interval.named(expression.interval)
    lengths = {end - start for start, end in zip(bars.start_ms, bars.end_ms, strict=True)}
    other = min(lengths - {interval.size // NANOS_PER_MILLI}, default=None)
    if other is not None and not interval.counted and not interval.daily:
        yield Problem("/bars", f"must be of {interval.name}, as the rule looks at them, one is of {other / 1000:g} s")


def _missing(series: Series, symbol: str, bars: _Bars) -> Iterator[Problem]:
    spoken_of = "must be given, the rule speaks of it"
    if series.source in FIGURED:
        if str(series) not in bars.figures:
            name = str(series).replace("~", "~0").replace("/", "~1")
            yield Problem(f"/bars/figures/{name}", spoken_of)
    elif series.symbol not in (None, symbol):
        detail = f"{series} isn't in the bars of {symbol}: it takes tickstream alerts test"
        yield Problem("/rule/parameters/when", detail)
    elif series.source == "indicator" and series.name not in bars.indicators:
        yield Problem(f"/bars/indicators/{series.name}", spoken_of)
    elif series.source == "bar" and series.name not in _PRICES and getattr(bars, series.name) is None:
        yield Problem(f"/bars/{series.name}", spoken_of)


def rehearsal_json(rehearsal: Rehearsal, transitions: Sequence[Transition]) -> dict[str, Any]:
    """What a client gets: how often the rule would have fired, and the first transitions."""
    return {
        "bars": len(rehearsal.bars.start_ms),
        "fired": sum(one.state == "firing" for one in transitions),
        "transitions": [
            {
                "alert_id": one.alert_id,
                "state": one.state,
                "ts_event_ms": one.ts_event // NANOS_PER_MILLI,
                "value": one.value,
                "threshold": one.threshold,
                "summary": one.summary,
                "reason": one.reason,
            }
            for one in transitions[:_MOST_TRANSITIONS]
        ],
    }
