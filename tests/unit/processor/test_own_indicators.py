"""Indicators that another package brings, run from its sources as the processor would find it installed."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from tickstream.core.columns import Floats
from tickstream.core.errors import SettingsError
from tickstream.core.logging import logger
from tickstream.core.settings import load
from tickstream.processor.adapters import plugins
from tickstream.processor.adapters.plugins import Complaints
from tickstream.processor.domain.catalogue import Catalogue
from tickstream.processor.domain.functions import PAGE
from tickstream.processor.domain.series import Held, Series
from tickstream.processor.figures import Figures
from tickstream.processor.indicator import Factory, Indicator
from tickstream.processor.settings import ProcessorSettings

EXAMPLE = Path(__file__).parents[3] / "examples" / "choppiness"
Install = dict[str, str]


def install(place: Path, name: str, points: Install) -> None:
    """Write what an installed distribution says of itself."""
    info = place / f"{name}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    lines = [f"{point} = {target}" for point, target in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[tickstream.indicators]", *lines, ""]))


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    install(tmp_path, project["name"], project["entry-points"]["tickstream.indicators"])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLE / "src")
    return tmp_path


def told(indicators: str) -> ProcessorSettings:
    return load(ProcessorSettings, "PROCESSOR", [], {"PROCESSOR_INDICATORS": indicators})


def bars_of(length: int, seed: int = 1) -> Floats:
    random = np.random.default_rng(seed)
    prices = 100 + np.cumsum(random.normal(0, 0.1, (length, 4)).ravel()).reshape(length, 4)
    prices[random.random(length) < 0.2] = prices[0, 0]
    return np.array([prices[:, 0], prices.max(axis=1), prices.min(axis=1), prices[:, -1], np.ones(length)])


def closed(series: Series, bars: Floats) -> Floats:
    return np.array([series.close(tuple(bar)) for bar in bars.T.tolist()])


def choppiness(bars: Floats, at: int, n: int) -> float:
    """By the definition, with nothing but loops."""
    _, high, low, close, _ = bars
    ranges = sum(max(high[k], close[k - 1]) - min(low[k], close[k - 1]) for k in range(at - n + 1, at + 1))
    span = max(high[at - n + 1 : at + 1]) - min(low[at - n + 1 : at + 1])
    return float(100 * np.log10(ranges / span) / np.log10(n)) if span else float("nan")


def test_the_example_is_used_by_its_entry_points_name(example: Path) -> None:
    catalogue = told("rsi:14,choppiness:14,choppiness@1h").rules.catalogue
    assert catalogue.names == ("rsi_14", "choppiness_14", "choppiness", "vwap")
    bars = bars_of(60)
    found = closed(Series(catalogue.plan("1m")), bars)[:, 1]
    assert np.isnan(found[:14]).all()
    np.testing.assert_allclose(found[14:], [choppiness(bars, at, 14) for at in range(14, 60)], rtol=1e-9)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("choppiness:1", "its factory failed: n must be a whole number from 2 to 1000, was 1"),
        ("choppiness:1.5", "its factory failed: n must be a whole number"),
        ("choppiness:x", "parameters must be numbers, were x"),
        ("choppines:14", "the name must be that of a function of TA-Lib in lower case"),
    ],
)
def test_a_bad_entry_of_the_example_is_a_problem_of_the_setting(example: Path, entry: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        told(f"rsi:14,{entry}")
    (problem,) = refused.value.problems
    assert problem.name == "PROCESSOR_INDICATORS"
    assert f"{entry!r}: {words}" in problem.rule


def test_a_package_that_cannot_be_loaded_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "broken", {"mine": "no_such_module_of_mine:Mine"})
    monkeypatch.syspath_prepend(tmp_path)
    assert plugins.factories({"rsi"}) == {}
    with pytest.raises(SettingsError, match="'mine' of no_such_module_of_mine:Mine can't be loaded"):
        told("mine:3")


def test_a_name_that_two_packages_have_is_refused(example: Path) -> None:
    install(example, "another", {"choppiness": "choppiness:Choppiness"})
    with pytest.raises(SettingsError, match="must come from one package, two have it"):
        told("choppiness")


class Sum:
    """The sum of the last closes, and how many they were; it fails where the close is above a limit."""

    inputs: Sequence[str] = ("close",)
    outputs: Sequence[str] = ("", "count")

    def __init__(self, memory: int = 5, limit: float = 1e9) -> None:
        self.lookback, self.memory, self._limit = 2, memory, limit

    def compute(self, *columns: Floats) -> Sequence[float]:
        (close,) = columns
        if close[-1] > self._limit:
            raise RuntimeError("too much")
        return float(close.sum()), len(close)


def own(*entries: str, factory: Factory = Sum) -> Catalogue:
    return Catalogue.of(entries, {"total": factory})


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 1000), max_size=60), st.integers(3, 9), st.data())
def test_it_is_given_the_bars_it_looks_at_and_no_more(closes: list[int], memory: int, data: st.DataObject) -> None:
    series = Series(own(f"total:{memory}").plan("1m"))
    history: list[int] = []
    for close in closes:
        bar = (0.0, 0.0, 0.0, float(close), 0.0)
        if history and data.draw(st.integers(0, 5)) == 0:
            history.pop()
            (values,) = series.revise(1, [bar])
        else:
            seen = series.peek(bar)
            values = series.close(bar)
            if len(history) > 2:
                assert seen == values
        history.append(close)
        some = history[-memory:]
        assert values == pytest.approx([sum(some), len(some)] if len(history) > 2 else [np.nan] * 2, nan_ok=True)


def test_its_values_stay_when_old_bars_are_let_go_and_after_a_restart() -> None:
    plan = own("total:1500").plan("1m")
    assert plan.kept == 2 * PAGE
    bars = bars_of(4 * PAGE)
    series = Series(plan)
    found = closed(series, bars[:, :-50])
    assert series.anchor > 0
    np.testing.assert_allclose(found[-1], [bars[3, -1550:-50].sum(), 1500])
    again = Series(plan, Held(bars[:, series.anchor : -50], series.anchor, series.stands))
    np.testing.assert_array_equal(closed(again, bars[:, -50:]), closed(series, bars[:, -50:]))


class HandSetClock:
    now = 1000.0

    def now_ns(self) -> int:
        return int(self.now * 1e9)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_what_it_raises_stops_no_bar_and_is_counted_and_logged_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = own("total:5:100", "rsi:2")
    registry, clock = CollectorRegistry(), HandSetClock()
    monkeypatch.setattr(plugins, "_LOG", logger("test"))
    complaints = Complaints(catalogue, Figures(registry), clock)
    series = Series(catalogue.plan("1m"))
    rows = closed(series, np.array([[1.0, 2.0, 3.0, 400.0, 500.0, 4.0]] * 5))
    assert np.isnan(rows[3:5, :2]).all()
    assert np.isfinite(rows[3:, 2]).all()
    assert rows[5, 1] == 5
    with capture_logs() as logged:
        complaints.tell()
        complaints.tell()
        series.close((1.0, 1.0, 1.0, 600.0, 1.0))
        complaints.tell()
        clock.sleep(61)
        series.close((1.0, 1.0, 1.0, 700.0, 1.0))
        complaints.tell()
    assert [(line["event"], line["indicator"], line["last"]) for line in logged] == [
        ("indicator_failed", "total", "RuntimeError: too much")
    ] * 2
    assert registry.get_sample_value("tickstream_processor_indicator_errors_total", {"indicator": "total"}) == 4


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("inputs", ("bid",), "inputs must be some of open"),
        ("outputs", (), "outputs must be texts"),
        ("outputs", ("a", "a"), "outputs must be texts"),
        ("lookback", -1, "0 <= lookback < memory"),
        ("memory", 2, "0 <= lookback < memory"),
        ("memory", 100_000, "0 <= lookback < memory"),
    ],
)
def test_an_indicator_that_breaks_a_rule_is_refused(attribute: str, value: object, words: str) -> None:
    def factory() -> Indicator:
        made = Sum()
        setattr(made, attribute, value)
        return made

    with pytest.raises(ValueError, match=words):
        own("total", factory=factory)


def test_one_of_ones_own_cannot_take_the_name_of_one_of_talibs() -> None:
    with pytest.raises(ValueError, match="not be TA-Lib's"):
        Catalogue.of(["rsi"], {"rsi": Sum})
