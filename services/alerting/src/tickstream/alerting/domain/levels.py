"""The price levels that are watched of one symbol, indexed by what it takes to wake each rule."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nextafter

import numpy as np

from tickstream.alerting.domain.lifecycle import Standing
from tickstream.alerting.domain.rule import PriceLevel, Rule

Band = tuple[float, float]
"""Prices strictly between the two change nothing."""


class Levels:
    """For each rule the band of prices that leave it where it stands.

    However many rules there are, a batch of trades asks for its lowest and its highest price alone
    which of them to look at.

    Args:
        rules: all of price levels.
        standings: where each stands.
    """

    def __init__(self, rules: Sequence[Rule], standings: Sequence[Standing]) -> None:
        self.rules = rules
        bands = [band_of(rule, standing) for rule, standing in zip(rules, standings, strict=True)]
        self._lower = np.array([lower for lower, _ in bands])
        self._upper = np.array([upper for _, upper in bands])

    def woken(self, lowest: float, highest: float) -> list[int]:
        """Which rules trades between these prices can change."""
        return np.flatnonzero((self._lower >= lowest) | (self._upper <= highest)).tolist()

    def stands(self, index: int, standing: Standing) -> None:
        """Where a rule stands from now on."""
        self._lower[index], self._upper[index] = band_of(self.rules[index], standing)


def band_of(rule: Rule, standing: Standing) -> Band:
    """The prices that leave a rule where it stands; every trade wakes one that waits for time to pass."""
    condition = rule.condition
    if not isinstance(condition, PriceLevel) or standing.phase in ("pending", "unknown") or standing.ended:
        return inf, -inf
    if rule.schedule is not None and standing.phase != "inactive":
        return inf, -inf
    above, level = condition.direction == "above", condition.level
    waits_for_end = standing.phase == "firing" or (condition.crossing and not standing.armed)
    if waits_for_end:
        back = level - condition.hysteresis if above else level + condition.hysteresis
        return (back, inf) if above else (-inf, back)
    return (-inf, nextafter(level, inf)) if above else (nextafter(level, -inf), inf)
