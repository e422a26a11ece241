"""The indicators that the operator asks for, as they come out of the topic."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import talib

from tests.integration.processor.market import DAY_END, closed, publish, recorded
from tests.support.programs import must, run
from tickstream.core.columns import Floats

pytestmark = pytest.mark.integration

PROCESSOR = "tickstream-processor"
CHOSEN = "rsi:7@1m@5m,vwma:20@1m,cdlengulfing@5m,ema:200@1s,choppiness:14@5m,vwap@5m"
EXAMPLE = Path(__file__).parents[3] / "examples" / "choppiness"


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """The example's package, as if it were installed beside the processor."""
    info = tmp_path / "choppiness-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: choppiness\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[tickstream.indicators]\nchoppiness = choppiness:Choppiness\n")
    return f"{tmp_path}:{EXAMPLE / 'src'}"


def test_each_interval_has_the_indicators_that_were_chosen_for_it(isolated_env: dict[str, str], installed: str) -> None:
    env = isolated_env | {
        "PROCESSOR_ROLES": "bars",
        "KAFKA_TOPIC_PARTITIONS": "2",
        "PYTHONPATH": installed,
        "PROCESSOR_INTERVALS": "1s,1m,5m",
        "PROCESSOR_INDICATORS": CHOSEN,
    }
    publish(env, recorded(), DAY_END, final=True)
    must(PROCESSOR, "--until-caught-up", env=env)
    bars, found = closed(env, "bars"), closed(env, "indicators")
    expected = {
        "1s": {"ema_200"},
        "1m": {"rsi_7", "vwma_20"},
        "5m": {"rsi_7", "cdlengulfing", "choppiness_14", "vwap"},
    }
    for interval, names in expected.items():
        rows = found["AIG", interval]
        assert len(rows) == len(bars["AIG", interval])
        for row in rows:
            assert row["values"].keys() | set(row["warming"]) == names
            assert not row["values"].keys() & set(row["warming"])
            assert all(math.isfinite(value) for value in row["values"].values())
    close, volume = column(bars["AIG", "1m"], "close"), column(bars["AIG", "1m"], "volume")
    same(found["AIG", "1m"], "rsi_7", talib.RSI(close, 7))
    same(found["AIG", "1m"], "vwma_20", talib.VWMA(close, volume, 20))
    same(found["AIG", "1s"], "ema_200", talib.EMA(column(bars["AIG", "1s"], "close"), 200))


def test_a_bad_list_of_indicators_ends_it_with_2_and_names_each_bad_entry() -> None:
    ended = run(PROCESSOR, env={"PROCESSOR_INDICATORS": "rsi:14,rsi:x,foo,mavp", "PROCESSOR_ROLES": "bars"})
    assert ended.returncode == 2
    for words in ("PROCESSOR_INDICATORS", "'rsi:x': timeperiod must be a whole number", "'foo': the name", "'mavp':"):
        assert words in ended.stderr


def column(bars: list[dict[str, float]], name: str) -> Floats:
    return np.array([bar[name] for bar in bars])


def same(rows: list[dict[str, dict[str, float]]], name: str, expected: Floats) -> None:
    values = np.array([row["values"].get(name, math.nan) for row in rows])
    np.testing.assert_allclose(values, np.where(np.isfinite(expected), expected, np.nan), rtol=1e-9, atol=1e-9)
    assert np.isfinite(values).any()
