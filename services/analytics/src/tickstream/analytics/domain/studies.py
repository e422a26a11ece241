"""Which figures there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tickstream.analytics.domain.anomaly.study import Anomaly, EachSymbol, WholeMarket
from tickstream.analytics.domain.correlation.study import Correlation
from tickstream.analytics.domain.crowd import Crowd
from tickstream.analytics.domain.forecast.study import Forecasts
from tickstream.analytics.domain.levels import Levels
from tickstream.analytics.domain.profile import VolumeProfile
from tickstream.analytics.domain.study import Study
from tickstream.analytics.domain.trading import Liquidity, RelativeVolume, TradeFlow
from tickstream.analytics.domain.trend import Trend
from tickstream.analytics.domain.volatility import EwmaVolatility, GarmanKlass, RealisedVolatility
from tickstream.core.scopes import GROUP, MARKET


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen about the figures.

    Attributes:
        windows: lengths in minutes of what is looked at beside the day.
        history: how many trading days before its own a figure may look at.
        decay: the weight of what was known before each return, in the exponentially weighted volatility.
        groups: symbols by the group's name.
        correlated: lengths in minutes of the windows of correlations.
        compared: how many symbols are compared with each other.
        benchmark: the symbol that betas are given against.
    """

    windows: Sequence[int] = (30,)
    history: int = 5
    decay: float = 0.94
    groups: Mapping[str, Collection[str]] = field(default_factory=dict)
    correlated: Sequence[int] = (30, 60)
    compared: int = 200
    benchmark: str = "SPY"


def studies(chosen: Choices) -> list[Study[Any]]:
    """All of them, in the order in which their figures are given."""
    groups = [Crowd(GROUP + name, chosen.history, members) for name, members in sorted(chosen.groups.items())]
    windowed = [make(minutes) for minutes in chosen.windows for make in (GarmanKlass, Trend, TradeFlow, Liquidity)]
    return [
        Crowd(MARKET, chosen.history),
        *groups,
        RealisedVolatility(chosen.windows),
        EwmaVolatility(chosen.decay),
        *windowed,
        Levels(),
        VolumeProfile(),
        RelativeVolume(),
        Correlation(chosen.correlated, chosen.compared, chosen.benchmark),
        Anomaly(EachSymbol()),
        Anomaly(WholeMarket(), MARKET),
        Forecasts(chosen.decay),
    ]
