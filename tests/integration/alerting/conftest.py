from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg.rows import dict_row

from tests.support.topics import kafka_of, publish, read_rows
from tickstream.alerting.adapters.rules_file import read_rules
from tickstream.alerting.adapters.rules_table import id_by_name
from tickstream.alerting.domain.evaluate import observe_ticks
from tickstream.alerting.domain.rule import Rule, RuleBook
from tickstream.alerting.domain.shard import Shard
from tickstream.alerting.spec import StoredRule
from tickstream.core.codec import Codecs, TickInterners
from tickstream.core.columns import TickColumns
from tickstream.core.model import Tick

SYMBOLS = [f"S{number:02}" for number in range(12)]
START = 1_700_000_000 * 10**9
RULES = """
rules:
  - {name: high, kind: price_level, for_seconds: 3, parameters: {direction: above, level: 101, hysteresis: 0.5}}
  - {name: low, kind: price_level, symbols: ["S0*"], parameters: {direction: below, level: 99, mode: crossing}}
  - {name: move, kind: percent_move, cooldown_seconds: 20, parameters: {percent: 1, window_seconds: 30}}
"""

Life = tuple[str, int, str, int, float]


@dataclass(frozen=True)
class Market:
    """An environment, and trades for it that make the rules fire."""

    env: dict[str, str]
    rules_file: Path
    ticks: list[Tick]

    def publish(self, ticks: Sequence[Tick]) -> None:
        kafka_of(self.env).ensure_topics()
        values = Codecs().of(Tick).encode_many(ticks)
        publish(self.env, "stock_ticks", [(tick.symbol, value) for tick, value in zip(ticks, values, strict=True)])

    def expected(self) -> list[Life]:
        """What the rules say of the trades, taken one symbol after the other."""
        shard = Shard()
        for symbol in SYMBOLS:
            own = [tick for tick in self.ticks if tick.symbol == symbol]
            observe_ticks(self.book(), shard, TickColumns.of(own, TickInterners()))
        found = shard.changes.transitions
        return sorted((t.alert_id, t.revision, t.state, t.ts_event, t.value) for t in found)

    def book(self) -> RuleBook:
        return RuleBook(self._rule(spec) for spec in read_rules(self.rules_file))

    @staticmethod
    def _rule(spec: Any) -> Rule:
        when: Any = None
        return StoredRule(id_by_name(spec.name), spec, 1, when, when).rule()

    def stored(self) -> list[Life]:
        rows = select(self.env, "SELECT alert_id, revision, state, ts_event, value FROM alert_transitions")
        return sorted((str(row["alert_id"]), *list(row.values())[1:]) for row in rows)

    def published(self) -> list[Life]:
        """What the topic says, identical repeats left out."""
        rows = read_rows(self.env, "alerts")
        names = ("alert_id", "revision", "state", "ts_event", "value")
        return sorted({tuple(row[name] for name in names) for row in rows})


def select(env: Mapping[str, str], statement: Any, *values: Any) -> list[dict[str, Any]]:
    with psycopg.connect(env["DATABASE_URL"], row_factory=dict_row) as connection:
        return connection.execute(statement, values or None).fetchall()


def random_walks(count: int) -> list[Tick]:
    """`count` trades of twelve symbols around 100, in the order of their times."""
    rng = np.random.default_rng(7)
    prices = dict.fromkeys(SYMBOLS, 100.0)
    seqs = dict.fromkeys(SYMBOLS, 0)
    ticks = []
    for number in range(count):
        symbol = SYMBOLS[int(rng.integers(len(SYMBOLS)))]
        prices[symbol] = round(prices[symbol] + 0.02 * (100 - prices[symbol]) + float(rng.normal(0, 0.15)), 2)
        seqs[symbol] += 1
        ts = START + number * 50_000_000
        ticks.append(Tick(symbol, prices[symbol], 100.0, ts, ts, seqs[symbol], "walk"))
    return ticks


@pytest.fixture
def market(isolated_env: dict[str, str], tmp_path: Path) -> Market:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return Market(isolated_env | {"ALERTING_RULES_FILE": str(path)}, path, random_walks(30_000))
