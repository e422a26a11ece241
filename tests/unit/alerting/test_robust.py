from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.alerting.expressions import MINUTE
from tests.unit.alerting.test_compute import BARS
from tickstream.alerting.domain.compute import Computer
from tickstream.alerting.domain.expression import Call
from tickstream.alerting.domain.frame import Frame
from tickstream.alerting.domain.tape import Tape
from tickstream.alerting.language.parser import parse

SPAN = 15


def computed(text: str, closes: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    tape = Tape(["close"], len(closes) + 2 * SPAN)
    for minute, close in enumerate(closes.tolist(), 1):
        tape.put("A", minute * MINUTE, {"close": close})
    node = next(node for node in parse(f"{text} > 0").nodes() if isinstance(node, Call))
    found: list[float] = Computer(Frame(BARS, {BARS: tape}, ["A"])).value(node, len(closes))[0].tolist()
    return found


@pytest.mark.parametrize("extent", [f"{SPAN} bars", f"{SPAN}m"])
def test_median_deviation_and_score_are_those_of_pandas(extent: str) -> None:
    closes = np.random.default_rng(5).standard_t(3, 200)
    windows = pd.Series(closes).rolling(SPAN)
    medians = windows.median()
    deviations = windows.apply(lambda window: np.median(np.abs(window - np.median(window))), raw=True)
    assert computed(f"median(close, {extent})", closes) == pytest.approx(medians.tolist(), nan_ok=True)
    assert computed(f"mad(close, {extent})", closes) == pytest.approx(deviations.tolist(), nan_ok=True)
    scores = 0.6745 * (closes - medians) / deviations
    assert computed(f"robust_z(close, {extent})", closes) == pytest.approx(scores.tolist(), nan_ok=True)


def test_the_score_of_what_is_almost_always_the_same_is_not_known() -> None:
    closes = np.array([1.0] * 9 + [5.0] * 6 + [1.0])
    assert np.isnan(computed(f"robust_z(close, {SPAN} bars)", closes)).all()


def test_one_extreme_value_hides_no_other() -> None:
    """What the mean and the standard deviation would do: 1,000 makes 50 look usual."""
    usual = np.random.default_rng(1).normal(0, 1, SPAN - 2)
    scores = computed(f"robust_z(close, {SPAN} bars)", np.array([*usual, 1000.0, 50.0]))
    assert scores[-1] > 20
