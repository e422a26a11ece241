"""Records of every kind, as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from tickstream.core.model import (
    AlertEvent,
    AnalyticsFigure,
    Bar,
    IndicatorSet,
    MarketEvent,
    Progress,
    Record,
    SystemMetrics,
    Tick,
)

INT64 = st.integers(-(2**63), 2**63 - 1)
REVISION = st.integers(0, 2**31 - 1)
FINITE = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)
# Any text that UTF-8 can carry: up to 16 characters, so within 64 bytes.
TEXT = st.text(st.characters(codec="utf-8"), max_size=16)
NAME = st.text(st.characters(codec="utf-8"), min_size=1, max_size=16)

TICKS = st.builds(
    Tick,
    symbol=NAME,
    price=st.floats(min_value=0, exclude_min=True, allow_infinity=False, allow_subnormal=True),
    volume=st.floats(min_value=0, allow_infinity=False) | st.just(-0.0),
    ts_event=INT64,
    ts_ingest=INT64,
    seq=st.integers(1, 2**63 - 1),
    source=NAME,
    venue=st.none() | TEXT,
    trade_id=st.none() | TEXT,
    conditions=st.none() | TEXT,
    flags=REVISION,
)
BARS = st.builds(
    Bar,
    symbol=NAME,
    interval=TEXT,
    start=INT64,
    end=INT64,
    open=FINITE,
    high=FINITE,
    low=FINITE,
    close=FINITE,
    volume=FINITE,
    vwap=FINITE,
    trades=st.integers(0, 2**63 - 1),
    state=st.sampled_from(("partial", "closed")),
    revision=REVISION,
    activity=st.sampled_from(("traded", "quiet", "feed_down", "halted")),
    session=st.sampled_from(("pre", "regular", "post", "closed", "continuous")),
)
FIGURES = st.dictionaries(TEXT, FINITE, max_size=5)
INDICATORS = st.builds(
    IndicatorSet,
    symbol=NAME,
    interval=TEXT,
    start=INT64,
    end=INT64,
    state=st.sampled_from(("partial", "closed")),
    revision=REVISION,
    values=FIGURES,
    warming=st.lists(TEXT, max_size=4).map(tuple),
)
ANALYTICS = st.builds(AnalyticsFigure, scope=NAME, name=TEXT, ts_event=INT64, window=TEXT, values=FIGURES)
LABELS = st.dictionaries(TEXT, TEXT, max_size=4)
ALERTS = st.builds(
    AlertEvent,
    alert_id=TEXT,
    rule_id=TEXT,
    symbol=NAME,
    state=st.sampled_from(("pending", "firing", "resolved", "unknown")),
    severity=st.sampled_from(("info", "warning", "critical")),
    ts_event=INT64,
    value=FINITE,
    threshold=FINITE,
    summary=TEXT,
    revision=REVISION,
    labels=LABELS,
)
MARKET_EVENTS = st.builds(
    MarketEvent, type=TEXT, ts_event=INT64, symbol=st.none() | NAME, source=st.none() | NAME, detail=LABELS
)
SYSTEM_METRICS = st.builds(SystemMetrics, service=TEXT, instance=TEXT, ts_event=INT64, metrics=FIGURES)
PROGRESS = st.builds(Progress, source=NAME, ts_event=INT64, offset=INT64, final=st.booleans())

RECORDS: st.SearchStrategy[Record] = st.one_of(
    TICKS, BARS, INDICATORS, ANALYTICS, ALERTS, MARKET_EVENTS, SYSTEM_METRICS, PROGRESS
)
