"""What an engine keeps of its indicators: restarts, other lists, intervals that lose and get them."""

from __future__ import annotations

import numpy as np
import pytest

from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.intervals import Interval
from tickstream.core.model import Tick
from tickstream.processor.domain.catalogue import ENTRIES, Catalogue
from tickstream.processor.domain.engine import Engine
from tickstream.processor.domain.functions import PAGE
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.rules import Rules
from tickstream.processor.domain.state import Loaded, Offsets
from tickstream.processor.domain.windows import Calendars

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
BEGIN = 1_381_190_400 * SECOND
LENGTH = 2 * PAGE + 400


def trades(length: int) -> list[Tick]:
    """One a minute, always open."""
    random = np.random.default_rng(8)
    prices = np.round(100 + np.cumsum(random.normal(0, 0.1, length)), 2).tolist()
    volumes = random.integers(0, 50, length).astype(float).tolist()
    return [
        Tick("S", price, volume, BEGIN + at * MINUTE, 0, at + 1, "src")
        for at, (price, volume) in enumerate(zip(prices, volumes, strict=True))
    ]


class Partition:
    """An engine that may be started again from its changelog."""

    def __init__(self) -> None:
        self.records: dict[bytes, bytes] = {}
        self.names = TickInterners()
        self.values: list[dict[str, float]] = []
        self.start(*ENTRIES)

    def start(self, *entries: str, indicated: bool = True) -> None:
        self.names = TickInterners()
        self.catalogue = Catalogue.of(entries, {})
        places = frozenset([0] if indicated else [])
        intervals = (Interval.named("1m"),)
        rules = Rules(
            intervals,
            places,
            places,
            grace=0,
            patience=60 * SECOND,
            quiet_limit=MINUTE,
            retention=MINUTE,
            include_suspicious=False,
            catalogue=self.catalogue,
        )
        symbols = Lanes(self.names.symbols)
        self.engine = Engine(rules, Calendars(symbols, "24/7"), symbols, Lanes(self.names.sources))
        loaded = Loaded()
        for key, value in self.records.items():
            loaded.take(key, value)
        self.engine.restore(0, loaded)

    def take(self, ticks: list[Tick]) -> None:
        self.engine.take(TickColumns.of(ticks, self.names), np.zeros(len(ticks), dtype=np.int64))
        output = self.engine.close()
        for row in output.values.tolist():
            self.values.append(dict(zip(self.catalogue.names, row, strict=True)))
        for key, value in self.engine.changes({0: Offsets(0, 0)})[0]:
            if value is None:
                self.records.pop(key, None)
            else:
                self.records[key] = value

    @property
    def blocks(self) -> int:
        return sum(key[:1] == b"b" for key in self.records)


@pytest.fixture(scope="module")
def undisturbed() -> list[dict[str, float]]:
    partition = Partition()
    partition.start(*ENTRIES, "ad", "ema:30")
    partition.take(trades(LENGTH))
    return partition.values


@pytest.mark.parametrize("cut", [64, 65, PAGE, 2 * PAGE, 2 * PAGE + 1, 2 * PAGE + 64, 2 * PAGE + 65, 2 * PAGE + 130])
def test_another_list_after_a_restart_gives_what_it_would_have_given_all_along(
    cut: int, undisturbed: list[dict[str, float]]
) -> None:
    partition, ticks = Partition(), trades(LENGTH)
    partition.take(ticks[: cut + 1])
    partition.start("ema:30", "obv", "ad")
    partition.take(ticks[cut + 1 :])
    assert len(partition.values) == len(undisturbed)
    for found, expected in zip(partition.values[cut:], undisturbed[cut:], strict=True):
        assert found == pytest.approx({name: expected[name] for name in found}, abs=0, rel=0, nan_ok=True)


def test_a_restart_after_each_few_bars_changes_nothing_and_what_is_let_go_is_deleted(
    undisturbed: list[dict[str, float]],
) -> None:
    partition, ticks = Partition(), trades(LENGTH)
    for at in range(0, LENGTH, 91):
        partition.start(*ENTRIES, "ad", "ema:30")
        partition.take(ticks[at : at + 91])
    np.testing.assert_array_equal(
        [list(row.values()) for row in partition.values], [list(row.values()) for row in undisturbed]
    )
    assert partition.blocks <= (PAGE + 400) // 64 + 1


def test_an_interval_without_indicators_for_a_while_begins_anew() -> None:
    partition, ticks = Partition(), trades(LENGTH)
    partition.take(ticks[:200])
    partition.start(*ENTRIES, indicated=False)
    partition.take(ticks[200:500])
    partition.start("sma:20", "obv")
    partition.values.clear()
    partition.take(ticks[500:700])
    partition.start("sma:20", "obv")
    partition.take(ticks[700:])
    closes = np.array([tick.price for tick in ticks])
    found = np.array([row["sma_20"] for row in partition.values])
    first = 499
    assert np.isnan(found[:19]).all()
    np.testing.assert_allclose(found[19:50], [closes[first + at - 19 : first + at + 1].mean() for at in range(19, 50)])
    np.testing.assert_allclose(found[-1], closes[LENGTH - 21 : LENGTH - 1].mean())
    assert partition.blocks <= 2 * PAGE // 64 + 1
