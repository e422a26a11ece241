from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import orjson
import pytest

from tests.integration.alerting.conftest import SYMBOLS, Life, Market, select
from tests.support.programs import must
from tests.support.topics import publish
from tests.unit.alerting.test_day import DAY, at
from tickstream.alerting.domain.lane import Lane
from tickstream.alerting.rows import rows_of_bars
from tickstream.core.codec import Codecs
from tickstream.core.model import Bar, Tick

pytestmark = pytest.mark.integration

SECOND = 10**9
OPEN = 1_381_239_000 * SECOND
RULES = """
rules:
  - {name: near, kind: luld, parameters: {tier_1: ["S0?"], within_percent: 1, hysteresis: 0.5}}
  - {name: pause, kind: luld, for_seconds: 15, parameters: {tier_1: ["*"], within_percent: 0}}
  - {name: spike, kind: price_spike, parameters: {bars: 20}}
  - {name: gap, kind: gap, parameters: {percent: 0.5}}
  - {name: low, kind: new_low, parameters: {of: session, after_minutes: 5}}
  - {name: stale, kind: feed_stale, for_seconds: 60}
  - {name: breaker, kind: circuit_breaker, parameters: {level: 1, symbol: S00}}
"""
BROKEN = "S00"


def trades(count: int) -> list[Tick]:
    """Walks with steps so large that bands are reached."""
    rng = np.random.default_rng(17)
    found = []
    for symbol in SYMBOLS:
        moments = OPEN + np.cumsum(rng.integers(0, 40, count)) * SECOND // 2
        prices = np.round(100 * np.cumprod(1 + rng.normal(0, 0.006, count)), 2)
        steps = enumerate(zip(moments.tolist(), prices.tolist(), strict=True), 1)
        found += [Tick(symbol, price, 100.0, ts, ts, seq, "walk") for seq, (ts, price) in steps]
    return sorted(found, key=lambda tick: tick.ts_event)


def bars() -> list[Bar]:
    """An hour of one day and two of the next, with a gap between them, a feed that is down, and a symbol that falls."""
    rng = np.random.default_rng(19)
    found = []
    for symbol in SYMBOLS:
        close = 100.0
        for minute in (*range(60), *range(DAY, DAY + 120)):
            before = close * 1.01 if minute == DAY else close
            fall = 0.92 if (symbol, minute) == (BROKEN, DAY + 30) else 1.0
            close = round(before * fall * (1 + float(rng.standard_t(3)) * 0.0005), 2)
            made = at(minute, close, symbol=symbol, open=before, high=max(before, close), low=min(before, close))
            down = DAY + 50 <= minute < DAY + 55
            found.append(replace(made, activity="feed_down", trades=0, volume=0.0) if down else made)
    return sorted(found, key=lambda bar: bar.start)


def publish_bars(market: Market, given: Sequence[Bar]) -> None:
    values = Codecs().of(Bar).encode_many(given)
    publish(market.env, "bars", [(bar.symbol, value) for bar, value in zip(given, values, strict=True)])


def lives_of(market: Market, given: Sequence[Bar]) -> list[Life]:
    lane = Lane()
    lane.install(market.book())
    lane.take(row for row in rows_of_bars(given, "XNYS", {"1m"}) if row is not None)
    return [(t.alert_id, t.revision, t.state, t.ts_event, t.value) for t in lane.changes.transitions]


def test_rules_about_markets_go_on_where_a_run_has_ended_and_a_backtest_says_the_same(market: Market) -> None:
    market.rules_file.write_text(RULES)
    whole = replace(market, ticks=trades(300))
    ticks, given = whole.ticks, bars()
    for part in (slice(None, len(ticks) // 2), slice(len(ticks) // 2, None)):
        market.publish(ticks[part])
        share = slice(*(None if each is None else each * len(given) // len(ticks) for each in (part.start, part.stop)))
        publish_bars(market, given[share])
        must("tickstream-alerting", "--until-caught-up", env=market.env)
    lives = sorted(whole.expected() + lives_of(market, given))
    assert market.stored() == lives
    assert market.published() == lives
    fired = select(market.env, "SELECT DISTINCT rule_name FROM alerts WHERE fired IS NOT NULL")
    assert {row["rule_name"] for row in fired} == {"near", "pause", "spike", "gap", "low", "stale", "breaker"}
    (broken,) = select(market.env, "SELECT DISTINCT symbol FROM alerts WHERE rule_name = 'breaker'")
    assert broken["symbol"] == BROKEN

    printed = must("tickstream", "alerts", "test", str(market.rules_file), "--json", env=market.env)
    found = [orjson.loads(line) for line in printed.splitlines()]
    said = sorted((each["revision"], each["state"], each["ts_event_ms"] * 10**6, each["value"]) for each in found)
    assert said == sorted((revision, state, ts, value) for _, revision, state, ts, value in lives)
