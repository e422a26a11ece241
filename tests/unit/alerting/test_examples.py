from __future__ import annotations

import uuid
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from tickstream.alerting.adapters.rules_file import read_rules
from tickstream.alerting.backtest.run import backtest
from tickstream.alerting.domain.rule import Rule, RuleBook
from tickstream.alerting.rows import rows_of_bars
from tickstream.alerting.spec import KINDS, StoredRule
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import Bar, SessionName, Tick
from tickstream.core.sessions import SESSION_NAMES, Sessions

ROOT = Path(__file__).parents[3]
MINUTE = 60 * 10**9
DAY = 24 * 60 * MINUTE
UNTIL = 1_381_242_900 * 10**9
FIRED = {
    "A return far from the usual": 1,
    "Volume stays high": 10,
    "A calm market wakes up": 1,
    "Opens away from the previous close": 3,
    "A new low of the day": 15,
    "Near a price band": 1,
}


def rules() -> list[Rule]:
    when: Any = None
    specs = read_rules(ROOT / "examples/market-rules.yaml")
    return [StoredRule(uuid.uuid5(uuid.NAMESPACE_OID, spec.name), spec, 1, when, when).rule() for spec in specs]


@cache
def trades() -> pd.DataFrame:
    """The recorded session, without suspicious prints."""
    recorded = pd.read_parquet(ROOT / "data/demo/2013-10-08.parquet")
    return recorded[recorded["flags"] == 0]


def minutes() -> list[Bar]:
    """Bars of the session as pandas resamples them, after one of the day before that closed 3 % higher."""
    found = []
    for symbol, own in trades().groupby("symbol"):
        groups = own.groupby(own.ts_event // MINUTE * MINUTE)
        ohlc, volumes = groups.price.ohlc(), groups.volume.sum()
        sessions = Sessions.of("XNYS").classify(ohlc.index.to_numpy()).tolist()
        first = float(own.price.iloc[0]) * 1.03
        before = int(ohlc.index[0]) // DAY * DAY - 4 * 60 * MINUTE
        found.append(_bar(str(symbol), before, (first, first, first, first), 1.0, "regular"))
        for row, volume, session in zip(ohlc.itertuples(), volumes.tolist(), sessions, strict=True):
            values = row.open, row.high, row.low, row.close
            found.append(_bar(str(symbol), row.Index, values, volume, SESSION_NAMES[session]))
    return found


def _bar(symbol: str, start: int, ohlc: tuple[float, float, float, float], volume: float, session: SessionName) -> Bar:
    return Bar(symbol, "1m", start, start + MINUTE, *ohlc, volume, ohlc[3], 1, "closed", 0, "traded", session)


def ticks() -> TickColumns:
    """BAC up to 10:35, with the one print of the day that lies far off."""
    chosen = trades()[(trades().symbol == "BAC") & (trades().ts_event < UNTIL)]
    rows = zip(chosen.price.tolist(), chosen.volume.tolist(), chosen.ts_event.tolist(), strict=True)
    made = [Tick("BAC", price, volume, ts, ts, seq, "demo") for seq, (price, volume, ts) in enumerate(rows, 1)]
    return TickColumns.of(made, TickInterners())


def test_there_is_an_example_of_each_kind_about_markets() -> None:
    kinds = {spec.kind for spec in read_rules(ROOT / "examples/market-rules.yaml")}
    assert set(KINDS) - kinds == {"price_level", "percent_move", "volume_spike"}


def test_the_examples_fire_on_the_recorded_session() -> None:
    names = {rule.id: rule.name for rule in rules()}
    rows = [row for row in rows_of_bars(minutes(), "XNYS", {"1m"}) if row is not None]
    found = [each for each in backtest(RuleBook(rules()), rows, [ticks()]) if each.state == "firing"]
    assert Counter(names[each.rule_id] for each in found) == FIRED
    (band,) = [each for each in found if names[each.rule_id] == "Near a price band"]
    assert band.summary == "BAC price 14.1, within 3.5 % of the price band 14.52 (upper, reference 13.83)"
