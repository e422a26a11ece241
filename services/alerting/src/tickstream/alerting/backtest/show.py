"""What was found, for people and for programs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import orjson

from tickstream.alerting.backtest.explain import Explanation, Value
from tickstream.alerting.domain.lifecycle import Transition
from tickstream.core.clock import NANOS_PER_MILLI, NANOS_PER_SECOND


def show_transitions(names: Mapping[str, str], transitions: Sequence[Transition], *, as_json: bool) -> None:
    """One line a transition, and for people how many alerts there were."""
    for each in transitions:
        if as_json:
            _write_json(_json(names[each.rule_id], each))
            continue
        line = f"{_time(each.ts_event)}  {each.state:<8}  {each.symbol:<8} {names[each.rule_id]}: {each.summary}"
        sys.stdout.write(f"{line} ({each.reason})\n")
    if not as_json:
        fired = {each.alert_id for each in transitions if each.state == "firing"}
        began = {each.alert_id for each in transitions}
        sys.stdout.write(
            f"{len(fired)} alerts would have fired, {len(began) - len(fired)} would have begun and not fired\n"
        )


def show_explanation(name: str, symbol: str, found: Explanation, *, as_json: bool) -> None:
    """A line a bar, with the value of each part."""
    if as_json:
        for step in found.steps:
            values = dict(zip(found.parts, step.values, strict=True))
            _write_json({"rule": name, "symbol": symbol, "ts_event_ms": step.ts // NANOS_PER_MILLI, "values": values})
        return
    sys.stdout.write(f"{name}, {symbol}: {found.parts[0]}\n")
    widths = [max(len(part), 10) for part in found.parts]
    head = "  ".join(part.rjust(width) for part, width in zip(found.parts, widths, strict=True))
    sys.stdout.write(f"{'':<20}  {head}\n")
    for step in found.steps:
        line = "  ".join(_said(value).rjust(width) for value, width in zip(step.values, widths, strict=True))
        sys.stdout.write(f"{_time(step.ts):<20}  {line}\n")


def _json(name: str, each: Transition) -> dict[str, object]:
    return {
        "rule": name,
        "symbol": each.symbol,
        "state": each.state,
        "ts_event_ms": each.ts_event // NANOS_PER_MILLI,
        "value": each.value,
        "threshold": each.threshold,
        "alert_id": each.alert_id,
        "revision": each.revision,
        "reason": each.reason,
        "summary": each.summary,
    }


def _write_json(value: object) -> None:
    sys.stdout.write(orjson.dumps(value).decode() + "\n")


def _said(value: Value) -> str:
    if value is None:
        return "-"
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:.6g}"


def _time(ts: int) -> str:
    return datetime.fromtimestamp(ts / NANOS_PER_SECOND, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
