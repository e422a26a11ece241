"""The life of an alert: inactive, pending, firing, resolved.

Time is event time alone, so that live, replay and restart go through the same transitions.

A condition begins to hold when its signal says so and goes on until its signal says that it has
ended; between the two limits (hysteresis) it stays as it was. An alert is pending from the
beginning and fires once the condition has held for the rule's hold time, at exactly that
moment, whenever the next observation comes. After a fired alert has resolved, no other begins
before the cooldown has passed, nor ever at the very moment of the last one's end.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from tickstream.alerting.domain.rule import BEGINS, ENDS, Rule, Signals
from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.columns import Floats, Ints
from tickstream.core.model import AlertState

Phase = Literal["inactive", "pending", "firing"]

_ALERTS: Final = uuid.UUID("6f3f7a5e-2a43-5d0c-9b8e-7d5f0c1e4a90")
"""The namespace of alert ids; changing it would give every alert another id."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of a symbol at one moment of event time."""

    ts: int
    value: float
    signal: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rule stands for a symbol.

    Attributes:
        armed: the condition was seen not to hold since it last began; what a crossing needs.
        began: event time at which the present alert began.
        revision: number of the present alert's last transition.
        value: while pending the last one beyond the limit, afterwards that of the last transition.
        quiet_until: event time before which no alert begins.
    """

    phase: Phase = "inactive"
    armed: bool = False
    alert_id: str = ""
    began: int = 0
    revision: int = 0
    value: float = 0.0
    threshold: float = 0.0
    quiet_until: int = 0


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of an alert's state; `(alert_id, revision)` is its identity."""

    alert_id: str
    rule_id: str
    symbol: str
    revision: int
    state: AlertState
    ts_event: int
    value: float
    threshold: float
    reason: str
    summary: str


def alert_id_of(rule: Rule, symbol: str, began: int) -> str:
    """The same id for the same beginning, however often it is found."""
    return str(uuid.uuid5(_ALERTS, f"{rule.id}|{rule.digest}|{symbol}|{began}"))


def step(rule: Rule, symbol: str, standing: Standing, seen: Observation) -> tuple[Standing, list[Transition]]:
    """Take one observation into account; observations come in the order of their event time."""
    transitions: list[Transition] = []
    if standing.phase == "pending" and seen.ts >= standing.began + rule.hold_ns:
        standing = _fire(rule, symbol, standing, transitions)
    if seen.signal == BEGINS:
        if standing.phase == "inactive" and _may_begin(rule, standing, seen.ts):
            standing = _begin(rule, symbol, standing, seen, transitions)
        armed = False
    elif seen.signal == ENDS:
        if standing.phase != "inactive":
            standing = _end(rule, symbol, standing, seen, transitions)
        armed = rule.condition.crossing
    else:
        armed = standing.armed
    value = seen.value if standing.phase == "pending" and seen.signal == BEGINS else standing.value
    return replace(standing, armed=armed, value=value), transitions


def follow(
    rule: Rule, symbol: str, standing: Standing, ts: Ints, values: Floats, signals: Signals
) -> tuple[Standing, list[Transition]]:
    """`step` through a batch of observations, looking only at those that can change something.

    Args:
        rule: whose condition gave the signals.
        symbol: what was observed.
        standing: before the batch.
        ts: event times in ascending order.
        values: the values observed.
        signals: what the condition says of each of them.
    """
    transitions: list[Transition] = []
    turns = np.flatnonzero(np.diff(signals)) + 1
    at, length = 0, len(ts)
    while at < length:
        seen = Observation(int(ts[at]), float(values[at]), int(signals[at]))
        standing, more = step(rule, symbol, standing, seen)
        transitions += more
        turn = int(np.searchsorted(turns, at, side="right"))
        stop = int(turns[turn]) if turn < len(turns) else length
        at = _next(rule, standing, ts, seen, at, stop)
    return standing, transitions


def _next(rule: Rule, standing: Standing, ts: Ints, seen: Observation, at: int, stop: int) -> int:
    """The next observation to look at, when the signal stays what it is before `stop`."""
    if standing.phase == "pending":
        due = int(np.searchsorted(ts, standing.began + rule.hold_ns, side="left"))
        return max(at + 1, min(due, stop) - 1)
    if standing.phase == "inactive" and seen.signal == BEGINS and not rule.condition.crossing:
        return min(stop, max(at + 1, int(np.searchsorted(ts, standing.quiet_until, side="left"))))
    return stop


def idle(rule: Rule, standing: Standing, signal: int) -> bool:
    """Whether observations with this signal alone leave everything as it is."""
    if standing.phase == "inactive":
        return signal != BEGINS and (signal != ENDS or standing.armed or not rule.condition.crossing)
    return standing.phase == "firing" and signal != ENDS


def abandon(symbol: str, rule_id: str, standing: Standing, ts: int, reason: str) -> Transition | None:
    """What ends the present alert, when there is one and nobody watches for its end any more."""
    if standing.phase == "inactive":
        return None
    return Transition(
        alert_id=standing.alert_id,
        rule_id=rule_id,
        symbol=symbol,
        revision=standing.revision + 1,
        state="resolved",
        ts_event=max(ts, standing.began),
        value=standing.value,
        threshold=standing.threshold,
        reason=reason,
        summary=f"{symbol}: {reason}",
    )


def _may_begin(rule: Rule, standing: Standing, ts: int) -> bool:
    return ts >= standing.quiet_until and (standing.armed or not rule.condition.crossing)


def _begin(rule: Rule, symbol: str, standing: Standing, seen: Observation, transitions: list[Transition]) -> Standing:
    pending = replace(
        standing,
        phase="pending",
        alert_id=alert_id_of(rule, symbol, seen.ts),
        began=seen.ts,
        revision=-1,
        value=seen.value,
        threshold=rule.condition.threshold,
    )
    if rule.hold_ns == 0:
        return _fire(rule, symbol, pending, transitions)
    reason = f"the condition holds, for less than {_seconds(rule.hold_ns)} yet"
    transitions.append(_transition(rule, symbol, pending, "pending", seen.ts, reason))
    return replace(pending, revision=0)


def _fire(rule: Rule, symbol: str, standing: Standing, transitions: list[Transition]) -> Standing:
    reason = f"the condition has held for {_seconds(rule.hold_ns)}" if rule.hold_ns else "the condition holds"
    transitions.append(_transition(rule, symbol, standing, "firing", standing.began + rule.hold_ns, reason))
    return replace(standing, phase="firing", revision=standing.revision + 1)


def _end(rule: Rule, symbol: str, standing: Standing, seen: Observation, transitions: list[Transition]) -> Standing:
    fired = standing.phase == "firing"
    ended = replace(standing, value=seen.value)
    reason = "the condition has ended" if fired else "the condition ended before it had held long enough"
    transitions.append(_transition(rule, symbol, ended, "resolved", seen.ts, reason))
    quiet = max(rule.cooldown_ns if fired else 0, 1)
    return Standing(value=seen.value, threshold=standing.threshold, quiet_until=seen.ts + quiet)


def _transition(rule: Rule, symbol: str, standing: Standing, state: AlertState, ts: int, reason: str) -> Transition:
    measured, limit = rule.condition.measured(standing.value), rule.condition.limit
    return Transition(
        alert_id=standing.alert_id,
        rule_id=rule.id,
        symbol=symbol,
        revision=standing.revision + 1,
        state=state,
        ts_event=ts,
        value=standing.value,
        threshold=rule.condition.threshold,
        reason=reason,
        summary=f"{symbol} {measured}, {'no longer ' if state == 'resolved' else ''}{limit}",
    )


def _seconds(span_ns: int) -> str:
    return f"{span_ns / NANOS_PER_SECOND:.10g} s"
