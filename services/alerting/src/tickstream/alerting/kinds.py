"""Kinds of rules about markets, nearly all short for an expression; docs/alerting.md has their sources."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from tickstream.alerting.domain.rule import ByExpression, NearBand
from tickstream.alerting.language.parser import parse
from tickstream.alerting.strict import Margin, Pattern, Strict, Symbol
from tickstream.core.intervals import Interval
from tickstream.core.model import Activity, SessionName

WithinDay = Literal["1s", "1m", "5m", "15m", "1h"]
Sessions = Annotated[tuple[SessionName, ...], Field(min_length=1)]
Limit = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Bars = Annotated[int, Field(ge=2, le=2000)]
Minutes = Annotated[int, Field(ge=0, le=1440)]

_OPEN: Final[tuple[SessionName, ...]] = ("continuous", "regular")
_LEVELS: Final = {1: 0.93, 2: 0.87, 3: 0.8}
_LAST_HALT: Final = 35
"""Minutes before the close after which levels 1 and 2 halt nothing."""


def _short_for(text: str, interval: str, sessions: tuple[str, ...], label: str) -> ByExpression:
    during = ", ".join(sorted(set(sessions)))
    return ByExpression(parse(f"{text} on {interval} during {during}"), label=label)


def _minutes(interval: str) -> float:
    return Interval.named(interval).size / 60e9


def _not_before(minutes: float) -> str:
    """Leaves out the first minutes of sessions that have an opening."""
    return f"(session is continuous or minutes_since_open > {minutes:g})"


class PriceSpikeParameters(Strict):
    """A bar's return lies far from the usual ones, by the robust z-score."""

    z: Limit = 3.5
    bars: Bars = 60
    direction: Literal["up", "down", "either"] = "either"
    min_percent: Margin = 0.0
    hysteresis: Margin = 0.0
    interval: WithinDay = "1m"
    sessions: Sessions = _OPEN

    @model_validator(mode="after")
    def _check(self) -> PriceSpikeParameters:
        if self.hysteresis >= self.z:
            raise ValueError(f"hysteresis must be below z ({self.z:g}), was {self.hysteresis:g}")
        return self

    def condition(self) -> ByExpression:
        """The condition of a rule with these parameters, as the expression that it is short for."""
        form = {"up": "{}", "down": "-{}", "either": "abs({})"}[self.direction]
        score = form.format(f"robust_z(bar_return, {self.bars} bars)")
        text = f"{score} >= {self.z!r}"
        if self.min_percent:
            text += f" and {form.format('bar_return')} >= {self.min_percent!r}"
        if self.hysteresis:
            text += f" until {score} < {self.z - self.hysteresis!r}"
        return _short_for(text, self.interval, self.sessions, "robust z-score of the return")


class VolumeSurgeParameters(Strict):
    """Volume is a multiple of what it usually is: in the bars before, or on earlier days up to this time of the day."""

    factor: Limit = 3.0
    against: Literal["bars", "days"] = "bars"
    bars: Annotated[int, Field(ge=1, le=500)] = 5
    usual_bars: Bars = 60
    skip_minutes: Minutes = 30
    hysteresis: Margin = 0.0
    interval: WithinDay = "1m"
    sessions: Sessions = _OPEN

    @model_validator(mode="after")
    def _check(self) -> VolumeSurgeParameters:
        if self.hysteresis >= self.factor:
            raise ValueError(f"hysteresis must be below factor ({self.factor:g}), was {self.hysteresis:g}")
        return self

    def condition(self) -> ByExpression:
        """The condition of a rule with these parameters, as the expression that it is short for."""
        ratio = "analytics.relative_volume[1d].ratio"
        if self.against == "bars":
            before = f"previous(volume, {self.bars} bars)"
            ratio = f"mean(volume, {self.bars} bars) / median({before}, {self.usual_bars} bars)"
        text = f"{ratio} >= {self.factor!r}"
        if self.skip_minutes:
            text += f" and {_not_before(self.skip_minutes)}"
        if self.hysteresis:
            text += f" until {ratio} < {self.factor - self.hysteresis!r}"
        return _short_for(text, self.interval, self.sessions, "volume against the usual")


class VolatilityRegimeParameters(Strict):
    """The volatility of the last bars is a multiple, or a fraction, of that of many more."""

    regime: Literal["high", "low"] = "high"
    factor: Annotated[float, Field(gt=1, le=1000)] = 2.0
    short_bars: Bars = 20
    long_bars: Bars = 240
    hysteresis: Margin = 0.5
    skip_minutes: Minutes = 30
    interval: WithinDay = "1m"
    sessions: Sessions = _OPEN

    @model_validator(mode="after")
    def _check(self) -> VolatilityRegimeParameters:
        if self.short_bars >= self.long_bars:
            raise ValueError(f"short_bars must be below long_bars ({self.long_bars}), was {self.short_bars}")
        if self.hysteresis >= self.factor:
            raise ValueError(f"hysteresis must be below factor ({self.factor:g}), was {self.hysteresis:g}")
        return self

    def condition(self) -> ByExpression:
        """The condition of a rule with these parameters, as the expression that it is short for."""
        short, long = (f"mean(bar_return * bar_return, {n} bars)" for n in (self.short_bars, self.long_bars))
        high = self.regime == "high"
        ratio = f"sqrt({short} / {long})" if high else f"sqrt({long} / {short})"
        text = f"{ratio} >= {self.factor!r}"
        if self.skip_minutes:
            text += f" and {_not_before(self.skip_minutes)}"
        text += f" until {ratio} < {self.factor - self.hysteresis!r}"
        label = "short against long volatility" if high else "long against short volatility"
        return _short_for(text, self.interval, self.sessions, label)


class GapParameters(Strict):
    """The regular session opens away from the previous close, for as long as it isn't filled."""

    percent: Annotated[float, Field(gt=0, le=1000)] = 2.0
    direction: Literal["up", "down", "either"] = "either"
    interval: WithinDay = "1m"

    def condition(self) -> ByExpression:
        """The condition of a rule with these parameters, as the expression that it is short for."""
        move = "session_open / previous_close"
        size = {"up": f"({move} - 1)", "down": f"(1 - {move})", "either": f"abs({move} - 1)"}[self.direction]
        unfilled = (
            "(session_low > previous_close or session_high < previous_close"
            f" or minutes_since_open <= {_minutes(self.interval)!r})"
        )
        text = f"{size} * 100 >= {self.percent!r} and {unfilled} and minutes_to_close > 0"
        return _short_for(text, self.interval, ("regular",), "gap from the previous close in percent")


class _ExtremeParameters(Strict):
    of: Literal["bars", "session"] = "bars"
    bars: Bars = 20
    interval: Literal["1s", "1m", "5m", "15m", "1h", "1d"] | None = None
    after_minutes: Minutes = 30
    sessions: Sessions = _OPEN

    def _condition(self, side: str, extreme: str, relation: str) -> ByExpression:
        if self.of == "session":
            text = f"session_{side} {relation} previous(session_{side}) and minutes_since_open > {self.after_minutes}"
            return _short_for(text, self.interval or "1m", self.sessions, f"{side} of the session")
        text = f"{side} {relation} {extreme}(previous({side}), {self.bars} bars)"
        interval = self.interval or "1d"
        return _short_for(text, interval, self.sessions, f"{side} of {self.bars} bars")


class NewHighParameters(_ExtremeParameters):
    """A bar is higher than all of the bars, or of the session, before it."""

    def condition(self) -> ByExpression:
        """The condition of a rule with these parameters, as the expression that it is short for."""
        return self._condition("high", "highest", ">")


class NewLowParameters(_ExtremeParameters):
    """A bar is lower than all of the bars, or of the session, before it."""

    def condition(self) -> ByExpression:
        """The condition of a rule with these parameters, as the expression that it is short for."""
        return self._condition("low", "lowest", "<")


class CircuitBreakerParameters(Strict):
    """An index has fallen as far below the previous close as halts the whole market."""

    level: Literal[1, 2, 3]
    symbol: Symbol = "SPY"
    interval: WithinDay = "1m"

    def condition(self) -> ByExpression:
        """The condition of a rule with these parameters, as the expression that it is short for."""
        low, close, to_close = (
            f'"{self.symbol}".{name}' for name in ("session_low", "previous_close", "minutes_to_close")
        )
        level = f"{close} * {_LEVELS[self.level]}"
        text = f"{low} <= {level}"
        if self.level < 3:
            text += f" and {to_close} >= {_LAST_HALT} until {low} > {level} or {to_close} <= 0"
        return _short_for(text, self.interval, ("regular",), "low of the session")


class FeedStaleParameters(Strict):
    """Bars are made without data."""

    activities: Annotated[tuple[Activity, ...], Field(min_length=1)] = ("feed_down",)
    interval: Literal["1m", "5m", "15m", "1h"] = "1m"
    sessions: Sessions = _OPEN

    def condition(self) -> ByExpression:
        """The condition of a rule with these parameters, as the expression that it is short for."""
        text = f"activity is {', '.join(dict.fromkeys(self.activities))}"
        return _short_for(text, self.interval, self.sessions, text)


class LuldParameters(Strict):
    """A trade comes near a limit-up or limit-down band, or to it."""

    tier_1: Annotated[tuple[Pattern, ...], Field(max_length=5000)]
    within_percent: Annotated[float, Field(ge=0, le=50)] = 1.0
    hysteresis: Margin = 0.0
    leverage: Annotated[float, Field(ge=1, le=10)] = 1.0

    def condition(self) -> NearBand:
        """The condition of a rule with these parameters."""
        return NearBand(self.tier_1, self.within_percent, self.hysteresis, self.leverage)
