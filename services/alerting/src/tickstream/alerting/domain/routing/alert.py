"""An alert as those see it who are told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tickstream.core.model import AlertState, Severity


@dataclass(frozen=True, slots=True)
class Change:
    """A transition of an alert, with all that may be told of it.

    Attributes:
        own_labels: those of the rule.
    """

    alert_id: str
    revision: int
    state: AlertState
    rule_id: str
    rule: str
    symbol: str
    severity: Severity
    own_labels: Mapping[str, str]
    ts_event: int
    value: float
    threshold: float
    summary: str
    reason: str

    @property
    def labels(self) -> dict[str, str]:
        """What routes, silences and inhibitions go by."""
        return {**self.own_labels, "rule": self.rule, "symbol": self.symbol, "severity": self.severity}

    @property
    def series(self) -> str:
        """The rule and the symbol: what the alert is one of many of."""
        return f"{self.rule_id}|{self.symbol}"
