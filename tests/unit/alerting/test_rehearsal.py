from __future__ import annotations

import pytest

from tickstream.alerting.adapters.rehearsals import read_rehearsal, rehearsal_json
from tickstream.alerting.spec import InvalidRuleError

MINUTE = 60_000
LEVEL = {"name": "level", "kind": "price_level", "parameters": {"direction": "above", "level": 110}}


def asked(rule: object = LEVEL, **columns: list[float]) -> dict[str, object]:
    bars = {
        "start_ms": [0, MINUTE, 2 * MINUTE],
        "end_ms": [MINUTE, 2 * MINUTE, 3 * MINUTE],
        "open": [100, 104, 109],
        "high": [105, 112, 109],
        "low": [99, 103, 101],
        "close": [104, 109, 102],
    }
    return {"rule": rule, "symbol": "SPY", "bars": bars | columns}


def test_a_level_fires_within_the_bar_that_goes_beyond_it() -> None:
    rehearsal = read_rehearsal(asked())
    answer = rehearsal_json(rehearsal, rehearsal.run())
    assert (answer["bars"], answer["fired"]) == (3, 1)
    states = [(one["state"], one["value"]) for one in answer["transitions"]]
    assert states == [("firing", 112.0), ("resolved", 109.0)]
    assert all(MINUTE <= one["ts_event_ms"] < 2 * MINUTE for one in answer["transitions"])


def test_a_move_is_measured_over_its_window_across_bars() -> None:
    move = {
        "name": "move",
        "kind": "percent_move",
        "parameters": {"direction": "up", "percent": 12, "window_seconds": 120},
    }
    rehearsal = read_rehearsal(asked(move))
    fired = [one for one in rehearsal.run() if one.state == "firing"]
    assert [round(one.value, 6) for one in fired] == [round((112 / 99 - 1) * 100, 6)]


def test_no_alert_is_made_for_what_is_only_touched() -> None:
    touched = {**LEVEL, "parameters": {"direction": "above", "level": 112}}
    assert read_rehearsal(asked(touched)).run() == []


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        (asked(open=[1, 2]), "/bars"),
        (asked(start_ms=[0, 2 * MINUTE, MINUTE]), "/bars"),
        (asked(end_ms=[0, 1, 2]), "/bars"),
        (asked(low=[999, 1, 1]), "/bars"),
        (asked({**LEVEL, "parameters": {"direction": "above", "level": -1}}), "/rule/parameters/level"),
        (asked({"name": "v", "kind": "volume_spike", "parameters": {"factor": 2}}), "/rule/kind"),
        ({"rule": LEVEL, "symbol": "SPY"}, "/bars"),
        (None, ""),
    ],
)
def test_what_makes_no_sense_is_said_with_its_place(given: object, pointer: str) -> None:
    with pytest.raises(InvalidRuleError) as raised:
        read_rehearsal(given)
    assert [problem.pointer for problem in raised.value.problems] == [pointer]
