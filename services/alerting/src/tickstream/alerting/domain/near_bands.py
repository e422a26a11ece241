"""Rules about limit-up and limit-down bands over a batch of trades."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tickstream.alerting.domain.lifecycle import Against
from tickstream.alerting.domain.luld import Bands, PriceBands
from tickstream.alerting.domain.rule import NearBand, Rule
from tickstream.alerting.domain.shard import Shard
from tickstream.core.columns import Floats, TickColumns
from tickstream.core.outages import Stretch


def observe_bands(
    rules: Sequence[Rule], shard: Shard, symbol: str, ticks: TickColumns, halts: Sequence[Stretch]
) -> None:
    """Hold trades of a symbol, in ascending order of time, against its bands; `halts` are those declared."""
    memory, ts, prices = shard.memories[symbol], ticks.ts_event, ticks.price
    found: dict[str, Bands] = {}
    for rule in rules:
        condition = rule.condition
        if not isinstance(condition, NearBand):
            continue
        tier = condition.tier(symbol)
        key = f"{tier}/{condition.leverage:g}"
        if key not in found:
            found[key] = memory.bands.setdefault(key, PriceBands(tier, condition.leverage)).extend(ts, prices, halts)
        distances, against = _distances(prices, found[key])
        shard.follow(rule, symbol, ts, prices, condition.signals(distances), against)
    memory.bands = {key: memory.bands[key] for key in found}


def _distances(prices: Floats, bands: Bands) -> tuple[Floats, Against]:
    """How far each trade is from the nearer band, in percent of its price, and which one that is."""
    up, down = bands.upper / prices - 1.0, 1.0 - bands.lower / prices
    is_up = up <= down
    nearer = np.where(is_up, bands.upper, bands.lower)

    def against(at: int) -> tuple[float, str]:
        side = "upper" if is_up[at] else "lower"
        return float(nearer[at]), f"{side}, reference {bands.reference[at]:.10g}"

    return np.where(bands.apply, np.minimum(up, down) * 100.0, np.nan), against
