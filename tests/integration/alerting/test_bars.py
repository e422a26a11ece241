from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
import pytest

from tests.integration.alerting.conftest import Life, Market, select
from tests.support.programs import must, run, service, until
from tests.support.topics import kafka_of, publish
from tickstream.alerting.adapters.rules_file import read_rules
from tickstream.alerting.domain.lane import Lane, Row
from tickstream.alerting.rows import rows_of_bars, rows_of_indicators
from tickstream.core.codec import Codecs
from tickstream.core.model import Activity, AnalyticsFigure, Bar, IndicatorSet

pytestmark = pytest.mark.integration

MINUTE = 60 * 10**9
OPEN = 1_381_239_000 * 10**9
SYMBOLS = [f"S{number:02}" for number in range(8)]
RULES = """
rules:
  - {name: over the mean, kind: expression, parameters: {when: 'close crosses_above mean(close, 5 bars) for 2 bars'}}
  - {name: hot, kind: expression, parameters: {when: 'rsi_14 > 70 until rsi_14 < 60'}, keep_firing_for_seconds: 60}
  - {name: pair, kind: expression, parameters: {when: 'S00.close / S01.close > 1.01'}}
  - {name: spike, kind: volume_spike, parameters: {factor: 2, bars: 5}, cooldown_seconds: 120}
"""

GROUP_RULES = """
rules:
  - name: behind
    kind: expression
    symbols: ["group:*"]
    parameters: {when: 'group.returns[1d].equal_weighted < market.returns[1d].equal_weighted - 1 for 2 bars'}
  - name: against
    kind: expression
    symbols: [S00]
    parameters: {when: 'close > 0 and "group:Oil & Gas".returns[1d].equal_weighted < -2 until close < 0'}
"""


@pytest.fixture
def bars_market(market: Market) -> Market:
    market.rules_file.write_text(RULES)
    return market


def walks(minutes: int) -> list[tuple[Bar, IndicatorSet]]:
    """Bars of eight symbols with an indicator, in the order of their times; here and there without a feed."""
    rng = np.random.default_rng(3)
    closes = dict.fromkeys(SYMBOLS, 100.0)
    found = []
    for minute in range(minutes):
        start = OPEN + minute * MINUTE
        down = 40 <= minute % 100 < 43
        activity: Activity = "feed_down" if down else "traded"
        for symbol in SYMBOLS:
            close = closes[symbol] = round(closes[symbol] * (1 + float(rng.normal(0, 0.002))), 2)
            volume = 0.0 if down else float(rng.integers(1, 1000))
            bar = Bar(
                symbol, "1m", start, start + MINUTE, close, close, close, close, volume, close, 5, "closed", 0,
                activity, "regular",
            )  # fmt: skip
            rsi = IndicatorSet(symbol, "1m", start, start + MINUTE, "closed", 0, {"rsi_14": float(rng.uniform(40, 80))})
            found.append((bar, rsi))
    return found


def expected(market: Market, given: Sequence[tuple[Bar, IndicatorSet]]) -> list[Life]:
    """What the rules say when everything is taken in the order of event time."""
    lane = Lane()
    lane.install(market.book())
    for bar, indicators in given:
        rows: list[Row | None] = [
            *rows_of_bars([bar], "XNYS", {"1m"}),
            *rows_of_indicators([indicators], {"1m"}),
        ]
        lane.take(row for row in rows if row is not None)
    return sorted((t.alert_id, t.revision, t.state, t.ts_event, t.value) for t in lane.changes.transitions)


def publish_all(market: Market, given: Sequence[tuple[Bar, IndicatorSet]]) -> None:
    codecs = Codecs()
    kafka_of(market.env).ensure_topics()
    bars, sets = [bar for bar, _ in given], [indicators for _, indicators in given]
    pairs = zip(bars, codecs.of(Bar).encode_many(bars), strict=True)
    publish(market.env, "bars", [(bar.symbol, value) for bar, value in pairs])
    others = zip(sets, codecs.of(IndicatorSet).encode_many(sets), strict=True)
    publish(market.env, "indicators", [(each.symbol, value) for each, value in others])


def test_a_backlog_gives_each_transition_once_and_the_file_names_its_rules(bars_market: Market) -> None:
    given = walks(300)
    publish_all(bars_market, given)
    must("tickstream-alerting", "--until-caught-up", env=bars_market.env)
    lives = expected(bars_market, given)
    assert {life[2] for life in lives} == {"pending", "firing", "resolved", "unknown"}
    assert len(read_rules(bars_market.rules_file)) == len({rule for (rule,) in _rules(bars_market)})
    assert bars_market.stored() == lives
    assert bars_market.published() == lives


def test_kill_nine_repeats_and_loses_nothing_of_the_rules_about_bars(bars_market: Market, tmp_path: Path) -> None:
    given = walks(180)
    ten_minutes = 10 * len(SYMBOLS)
    for start in range(0, len(given), 6 * ten_minutes):
        before = _count(bars_market) if start else 0
        with service("tickstream-alerting", env=bars_market.env, log=tmp_path / "log") as running:
            running.await_ready()
            for low in range(start, start + 6 * ten_minutes, ten_minutes):
                publish_all(bars_market, given[low : low + ten_minutes])
            until(lambda: _count(bars_market) > before, running.log)  # noqa: B023 - called at once
            running.end(signal.SIGKILL)
    must("tickstream-alerting", "--until-caught-up", env=bars_market.env)
    lives = expected(bars_market, given)
    assert bars_market.stored() == lives
    assert bars_market.published() == lives


def _count(market: Market) -> int:
    return len(select(market.env, "SELECT 1 FROM alert_transitions"))


def _rules(market: Market) -> list[tuple[str]]:
    return [(row["rule_name"],) for row in select(market.env, "SELECT DISTINCT rule_name FROM alerts")]


def test_a_backtest_says_what_the_service_did(bars_market: Market) -> None:
    given = walks(120)
    publish_all(bars_market, given)
    printed = must("tickstream", "alerts", "test", str(bars_market.rules_file), "--json", env=bars_market.env)
    found = [orjson.loads(line) for line in printed.splitlines()]
    lives = sorted((each["revision"], each["state"], each["ts_event_ms"] * 10**6, each["value"]) for each in found)
    assert lives == sorted(life[1:] for life in expected(bars_market, given))

    half = OPEN + 60 * MINUTE
    printed = must(
        "tickstream", "alerts", "explain", "close > mean(close, 5 bars)", "--symbols", "S00", "--from", str(half),
        "--json", env=bars_market.env,
    )  # fmt: skip
    steps = [orjson.loads(line) for line in printed.splitlines()]
    closes = [bar.close for bar, _ in given if bar.symbol == "S00"]
    assert [step["values"]["close"] for step in steps] == closes[60:]
    means = [sum(closes[at - 4 : at + 1]) / 5 for at in range(60, 120)]
    assert [step["values"]["mean(close, 5 bars)"] for step in steps] == pytest.approx(means)
    truths = [step["values"]["close > mean(close, 5 bars)"] for step in steps]
    assert truths == [close > mean for close, mean in zip(closes[60:], means, strict=True)]


def test_a_bad_expression_is_shown_with_its_place() -> None:
    done = run("tickstream", "alerts", "test", "clse > 3", env={})
    assert done.returncode == 2
    assert "did you mean close?" in done.stderr
    assert "clse > 3\n^^^^" in done.stderr


def test_rules_about_groups_go_on_where_a_run_has_ended_and_a_backtest_says_the_same(market: Market) -> None:
    market.rules_file.write_text(GROUP_RULES)
    changes = {"group:Oil & Gas": [-0.5, -2.0, -2.5, 0.0], "group:banks": [0.5, 0.1, -3.0, -3.0], "market": [0.0] * 4}
    figures = [
        AnalyticsFigure(scope, "returns", OPEN + (minute + 1) * MINUTE, "1d", {"equal_weighted": values[minute]})
        for minute in range(4)
        for scope, values in changes.items()
    ]
    bars = [bar for bar, _ in walks(4) if bar.symbol == "S00"]
    kafka_of(market.env).ensure_topics()
    for half in (slice(0, 2), slice(2, 4)):
        chosen = [figure for figure in figures if figure.ts_event in {bar.end for bar in bars[half]}]
        for topic, records in (("analytics", chosen), ("bars", bars[half])):
            values = Codecs().of(type(records[0])).encode_many(records)
            keys = [record.scope if isinstance(record, AnalyticsFigure) else record.symbol for record in records]
            publish(market.env, topic, list(zip(keys, values, strict=True)))
        must("tickstream-alerting", "--until-caught-up", env=market.env)
    statement = (
        "SELECT rule_name, symbol, t.state, t.ts_event, t.value FROM alert_transitions t JOIN alerts USING (alert_id)"
    )
    found = sorted(
        (*list(row.values())[:3], row["ts_event"] - OPEN, row["value"]) for row in select(market.env, statement)
    )
    assert found == sorted([
        ("behind", "group:Oil & Gas", "pending", 2 * MINUTE, -2.0),
        ("behind", "group:Oil & Gas", "firing", 3 * MINUTE, -2.5),
        ("behind", "group:Oil & Gas", "resolved", 4 * MINUTE, 0.0),
        ("behind", "group:banks", "pending", 3 * MINUTE, -3.0),
        ("behind", "group:banks", "firing", 4 * MINUTE, -3.0),
        ("against", "S00", "firing", 3 * MINUTE, bars[2].close),
    ])  # fmt: skip
    assert market.published() == market.stored()
    printed = must("tickstream", "alerts", "test", str(market.rules_file), "--json", env=market.env)
    tried = [orjson.loads(line) for line in printed.splitlines()]
    said = sorted(
        (one["rule"], one["symbol"], one["state"], one["ts_event_ms"] * 10**6 - OPEN, one["value"]) for one in tried
    )
    assert said == found
