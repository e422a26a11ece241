"""The life of an alert: inactive, pending, firing, resolved, and unknown while there is no data.

Time is event time alone, so that live, replay and restart go through the same transitions.

A condition begins to hold when its signal says so and goes on until its signal says that it has
ended; between the two limits (hysteresis) it stays as it was. An alert is pending from the
beginning and fires once the condition has held for the rule's hold time, at exactly that
moment, whenever the next observation comes. Where a rule counts bars instead, it fires with the
last of them. Once fired, it outlasts the end of its condition by the rule's keep time, unless
the condition begins anew. After a fired alert has resolved, no other begins before the cooldown
has passed, nor ever at the very moment of the last one's end.

Outside of its schedule a rule isn't looked at. What is present when the schedule ends, ends with it,
at exactly that moment, whenever the next observation comes.

An observation made of no data (stale) makes a present alert unknown: it neither fires nor ends
before there is data again. Then it is what it was, or resolved; a hold time starts anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tickstream.alerting.domain.rule import BEGINS, ENDS, STALE, Rule, Signals
from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.columns import Floats, Ints
from tickstream.core.model import AlertState

Against = Callable[[int], tuple[float, str]]
Phase = Literal["inactive", "pending", "firing", "unknown"]

_ALERTS: Final = uuid.UUID("6f3f7a5e-2a43-5d0c-9b8e-7d5f0c1e4a90")
"""The namespace of alert ids; changing it would give every alert another id."""

_STATED: Final = {"resolved": "no longer ", "unknown": "not known to be "}


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of a symbol at one moment of event time.

    Attributes:
        threshold: what it was held against; None is the condition's own.
        note: what there is to say of that.
    """

    ts: int
    value: float
    signal: int
    threshold: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rule stands for a symbol.

    Attributes:
        armed: the condition was seen not to hold since it last began; what a crossing needs.
        began: event time at which the present alert began.
        revision: number of the present alert's last transition.
        value: while pending the last one beyond the limit, afterwards that of the last transition.
        quiet_until: event time before which no alert begins.
        held_since: event time from which the hold time counts, 0 for the beginning.
        rows: observations for which the condition has held, while pending.
        ended: event time at which the condition of a firing alert ended, 0 while it goes on.
        before: what an unknown alert was.
        note: of the observation that `value` is of.
    """

    phase: Phase = "inactive"
    armed: bool = False
    alert_id: str = ""
    began: int = 0
    revision: int = 0
    value: float = 0.0
    threshold: float = 0.0
    quiet_until: int = 0
    held_since: int = 0
    rows: int = 0
    ended: int = 0
    before: Phase = "inactive"
    note: str = ""


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
    standing, looked_at = _on_schedule(rule, symbol, standing, seen.ts, transitions)
    if not looked_at:
        return standing, transitions
    if seen.signal == STALE:
        return _lose(rule, symbol, standing, seen.ts, transitions), transitions
    standing = _fall_due(rule, symbol, standing, seen.ts, transitions)
    standing = _return(rule, symbol, standing, seen, transitions)
    if seen.signal == BEGINS:
        if standing.phase == "inactive" and _may_begin(rule, standing, seen.ts):
            standing = _begin(rule, symbol, standing, seen, transitions)
        armed = False
    elif seen.signal == ENDS:
        if standing.phase == "firing" and rule.keep_ns:
            standing = replace(standing, ended=standing.ended or seen.ts)
        elif standing.phase != "inactive":
            standing = _end(rule, symbol, standing, seen, transitions)
        armed = rule.condition.crossing
    else:
        armed = standing.armed
    return _goes_on(rule, symbol, replace(standing, armed=armed), seen, transitions), transitions


def lose(rule: Rule, symbol: str, standing: Standing, ts: int) -> tuple[Standing, list[Transition]]:
    """Take into account that nothing is seen any more from a time on; up to it everything was."""
    transitions: list[Transition] = []
    standing, looked_at = _on_schedule(rule, symbol, standing, ts, transitions)
    if looked_at:
        standing = _fall_due(rule, symbol, standing, ts, transitions)
        standing = _lose(rule, symbol, standing, ts, transitions)
    return standing, transitions


def wait(rule: Rule, symbol: str, standing: Standing, ts: int) -> tuple[Standing, list[Transition]]:
    """Take into account that time has come as far as this, and that everything was seen until then."""
    transitions: list[Transition] = []
    standing, looked_at = _on_schedule(rule, symbol, standing, ts, transitions)
    if looked_at:
        standing = _fall_due(rule, symbol, standing, ts, transitions)
    return standing, transitions


def follow(
    rule: Rule,
    symbol: str,
    standing: Standing,
    ts: Ints,
    values: Floats,
    signals: Signals,
    against: Against | None = None,
) -> tuple[Standing, list[Transition]]:
    """`step` through a batch of observations, looking only at those that can change something.

    Args:
        rule: whose condition gave the signals.
        symbol: what was observed.
        standing: before the batch.
        ts: event times in ascending order.
        values: the values observed.
        signals: what the condition says of each of them.
        against: the threshold and the note of each, where the condition has none of its own.
    """
    transitions: list[Transition] = []
    turns = _turns(rule, ts, signals)
    at, length = 0, len(ts)
    while at < length:
        seen = Observation(int(ts[at]), float(values[at]), int(signals[at]), *(against(at) if against else ()))
        standing, more = step(rule, symbol, standing, seen)
        transitions += more
        turn = int(np.searchsorted(turns, at, side="right"))
        stop = int(turns[turn]) if turn < len(turns) else length
        at = _next(rule, standing, ts, seen, at, stop)
    return standing, transitions


def _turns(rule: Rule, ts: Ints, signals: Signals) -> NDArray[np.intp]:
    """Where the signal changes, or the schedule begins or ends."""
    changes = np.diff(signals) != 0
    if rule.schedule is not None:
        changes |= np.diff(rule.schedule.places(ts - rule.lag_ns)) != 0
    return np.flatnonzero(changes) + 1


def _next(rule: Rule, standing: Standing, ts: Ints, seen: Observation, at: int, stop: int) -> int:
    """The next observation to look at, when the signal stays what it is before `stop`."""
    if standing.phase == "unknown" or standing.ended or (standing.phase == "pending" and rule.hold_rows):
        return at + 1
    if standing.phase == "pending":
        due = int(np.searchsorted(ts, (standing.held_since or standing.began) + rule.hold_ns))
        return max(at + 1, min(due, stop) - 1)
    if standing.phase == "inactive" and seen.signal == BEGINS and not rule.condition.crossing:
        return min(stop, max(at + 1, int(np.searchsorted(ts, standing.quiet_until, side="left"))))
    return stop


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


def _on_schedule(
    rule: Rule, symbol: str, standing: Standing, ts: int, transitions: list[Transition]
) -> tuple[Standing, bool]:
    """End what the schedule's end has ended by now; says whether the rule is looked at then."""
    if rule.schedule is None:
        return standing, True
    moment = ts - rule.lag_ns
    end = rule.schedule.end(standing.began - rule.lag_ns)
    if standing.phase != "inactive" and moment >= end:
        standing = _fall_due(rule, symbol, standing, end - 1 + rule.lag_ns, transitions)
        fired = "firing" in (standing.phase, standing.before)
        ending = abandon(symbol, rule.id, standing, end, "the rule's schedule has ended")
        if ending is not None:
            transitions.append(ending)
            quiet_until = end + max(rule.cooldown_ns if fired else 0, 1)
            standing = Standing(value=standing.value, threshold=standing.threshold, quiet_until=quiet_until)
    return standing, rule.schedule.end(moment) > moment


def _lose(rule: Rule, symbol: str, standing: Standing, ts: int, transitions: list[Transition]) -> Standing:
    """There is no data."""
    if standing.phase not in ("pending", "firing"):
        return standing
    transitions.append(_transition(rule, symbol, standing, "unknown", ts, "there is no data: the feed is down"))
    return replace(standing, phase="unknown", before=standing.phase, revision=standing.revision + 1)


def _fall_due(rule: Rule, symbol: str, standing: Standing, ts: int, transitions: list[Transition]) -> Standing:
    """What has happened between the last observation and the one at `ts`."""
    if standing.phase == "pending" and not rule.hold_rows:
        due = (standing.held_since or standing.began) + rule.hold_ns
        return _fire(rule, symbol, standing, due, transitions) if ts >= due else standing
    if standing.phase == "firing" and standing.ended and ts >= standing.ended + rule.keep_ns:
        end = Observation(standing.ended + rule.keep_ns, standing.value, ENDS, standing.threshold, standing.note)
        return _end(rule, symbol, standing, end, transitions)
    return standing


def _return(rule: Rule, symbol: str, standing: Standing, seen: Observation, transitions: list[Transition]) -> Standing:
    """There is data again; an alert whose condition has ended meanwhile is left to its end."""
    if standing.phase != "unknown":
        return standing
    ended = seen.ts if standing.ended else 0
    back = replace(standing, phase=standing.before, before="inactive", held_since=seen.ts, rows=0, ended=ended)
    if seen.signal == ENDS:
        return back
    reason = "there is data again, and the condition holds"
    transitions.append(_transition(rule, symbol, back, _named(back.phase), seen.ts, reason))
    return replace(back, revision=back.revision + 1)


def _goes_on(rule: Rule, symbol: str, standing: Standing, seen: Observation, transitions: list[Transition]) -> Standing:
    """What an observation adds to an alert whose condition holds."""
    if standing.phase == "firing" and standing.ended and seen.signal == BEGINS:
        return replace(standing, ended=0)
    if standing.phase != "pending":
        return standing
    if seen.signal == BEGINS:
        standing = replace(standing, value=seen.value, threshold=_threshold(rule, seen), note=seen.note)
    if not rule.hold_rows:
        return standing
    standing = replace(standing, rows=standing.rows + 1)
    return _fire(rule, symbol, standing, seen.ts, transitions) if standing.rows >= rule.hold_rows else standing


def _threshold(rule: Rule, seen: Observation) -> float:
    return rule.condition.threshold if seen.threshold is None else seen.threshold


def _named(phase: Phase) -> AlertState:
    return "resolved" if phase == "inactive" else phase


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
        threshold=_threshold(rule, seen),
        note=seen.note,
    )
    if rule.hold_ns == 0 and rule.hold_rows <= 1:
        return _fire(rule, symbol, pending, seen.ts, transitions)
    reason = f"the condition holds, for less than {_hold(rule)} yet"
    transitions.append(_transition(rule, symbol, pending, "pending", seen.ts, reason))
    return replace(pending, revision=0)


def _fire(rule: Rule, symbol: str, standing: Standing, ts: int, transitions: list[Transition]) -> Standing:
    held = rule.hold_ns or rule.hold_rows > 1
    reason = f"the condition has held for {_hold(rule)}" if held else "the condition holds"
    transitions.append(_transition(rule, symbol, standing, "firing", ts, reason))
    return replace(standing, phase="firing", revision=standing.revision + 1, rows=0, held_since=0)


def _end(rule: Rule, symbol: str, standing: Standing, seen: Observation, transitions: list[Transition]) -> Standing:
    fired = standing.phase == "firing"
    ended = replace(standing, value=seen.value, threshold=_threshold(rule, seen), note=seen.note)
    reason = "the condition has ended" if fired else "the condition ended before it had held long enough"
    transitions.append(_transition(rule, symbol, ended, "resolved", seen.ts, reason))
    quiet = max(rule.cooldown_ns if fired else 0, 1)
    return Standing(value=seen.value, threshold=ended.threshold, quiet_until=seen.ts + quiet)


def _transition(rule: Rule, symbol: str, standing: Standing, state: AlertState, ts: int, reason: str) -> Transition:
    measured, limit = rule.condition.measured(standing.value), rule.condition.limit(standing.threshold)
    note = f" ({standing.note})" if standing.note else ""
    return Transition(
        alert_id=standing.alert_id,
        rule_id=rule.id,
        symbol=symbol,
        revision=standing.revision + 1,
        state=state,
        ts_event=ts,
        value=standing.value,
        threshold=standing.threshold,
        reason=reason,
        summary=f"{symbol} {measured}, {_STATED.get(state, '')}{limit}{note}",
    )


def _hold(rule: Rule) -> str:
    return f"{rule.hold_rows} bars" if rule.hold_rows else _seconds(rule.hold_ns)


def _seconds(span_ns: int) -> str:
    return f"{span_ns / NANOS_PER_SECOND:.10g} s"
