"""Halts, feeds that are down, and news of them that come late."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.processor.bench import (
    BELL,
    CUTS,
    HOUR,
    MINUTE,
    PARTITION,
    QUICK,
    SECOND,
    Bench,
    Op,
    batches,
    logs,
)
from tickstream.core.model import MarketEvent, Progress, Tick


def activities(bench: Bench) -> list[tuple[int, str, int]]:
    """(minutes after the bell, activity, revision) of the one minute bars, as they were published."""
    bars = bench.bars["S1", "1m"]
    return [((bar["start"] - BELL) // MINUTE, bar["activity"], bar["revision"]) for bar in bars]


def test_a_halt_a_feed_that_is_down_and_a_quiet_market_are_told_apart() -> None:
    bench = Bench(("1s", "1m"))
    events = [
        MarketEvent("halt", BELL + 90 * SECOND, symbol="S1"),
        MarketEvent("resume", BELL + 170 * SECOND, symbol="S1"),
        MarketEvent("feed_down", BELL + 240 * SECOND, source="src"),
        MarketEvent("halt", BELL + 250 * SECOND, symbol="S1"),
        MarketEvent("halt", BELL, symbol="S2"),
        MarketEvent("feed_down", BELL, source="elsewhere"),
        MarketEvent("feed_up", BELL + 310 * SECOND, source="src"),
    ]
    for offset, event in enumerate(events):
        bench.engine.hear(event, 0, offset)
    bench.batch([Tick("S1", 10.0, 1.0, BELL, 0, 1, "src"), Tick("S1", 11.0, 1.0, BELL + 130 * SECOND, 0, 2, "src")])
    bench.batch([Progress("src", BELL + 420 * SECOND, 0)])
    kinds = ["traded", "halted", "traded", "quiet", "feed_down", "feed_down", "halted"]
    assert activities(bench) == [(minute, kind, 0) for minute, kind in enumerate(kinds)]
    assert [bar["close"] for bar in bench.bars["S1", "1m"]] == [10.0, 10.0] + [11.0] * 5


def test_a_feed_is_down_only_while_all_live_sources_are() -> None:
    bench = Bench(("1m",))
    bench.engine.hear(MarketEvent("feed_down", BELL + 60 * SECOND, source="one"), 0, 0)
    bench.engine.hear(MarketEvent("feed_down", BELL + 180 * SECOND, source="two"), 0, 1)
    bench.batch([Tick("S1", 10.0, 1.0, BELL, 0, 1, "one"), Tick("S1", 10.0, 1.0, BELL, 0, 1, "two")])
    bench.batch([Progress(source, BELL + 300 * SECOND, 0) for source in ("one", "two")])
    assert [kind for _, kind, _ in activities(bench)] == ["traded", "quiet", "quiet", "feed_down", "feed_down"]


def test_news_that_come_late_revise_closed_bars_and_once_only() -> None:
    bench = Bench(("1m",))
    bench.batch([Tick("S1", 10.0, 1.0, BELL, 0, 1, "src"), Progress("src", BELL + 240 * SECOND, 0)])
    bench.engine.hear(MarketEvent("halt", BELL + 130 * SECOND, symbol="S1"), 0, 7)
    bench.batch([])
    assert activities(bench) == [
        *((0, "traded", 0), (1, "quiet", 0), (2, "quiet", 0), (3, "quiet", 0)),
        *((2, "halted", 1), (3, "halted", 1)),
    ]
    assert len(bench.values["S1", "1m"]) == 4
    bench.restart()
    bench.engine.hear(MarketEvent("halt", BELL + 130 * SECOND, symbol="S1"), 0, 7)
    bench.engine.hear(MarketEvent("resume", BELL + 185 * SECOND, symbol="S1"), 0, 8)
    bench.batch([Progress("src", BELL + 360 * SECOND, 0)])
    assert activities(bench)[6:] == [(4, "quiet", 0), (5, "quiet", 0)]
    bench.engine.hear(MarketEvent("resume", BELL + 150 * SECOND, symbol="S1"), 0, 9)
    bench.batch([])
    assert activities(bench)[8:] == [(3, "quiet", 2)]


def test_after_a_restart_new_news_are_judged_by_all_that_was_known() -> None:
    bench = Bench(("1m",))
    halt = MarketEvent("halt", BELL + 60 * SECOND, symbol="S1")
    down = MarketEvent("feed_down", BELL + 60 * SECOND, source="src")
    bench.engine.hear(halt, 0, 0)
    bench.engine.hear(down, 1, 0)
    bench.batch([Tick("S1", 10.0, 1.0, BELL, 0, 1, "src"), Progress("src", BELL + 240 * SECOND, 0)])
    assert activities(bench) == [(0, "traded", 0), *((minute, "feed_down", 0) for minute in (1, 2, 3))]
    bench.restart()
    up = MarketEvent("feed_up", BELL + 180 * SECOND, source="src")
    bench.engine.hear_all(PARTITION, [(down, 1, 0), (up, 1, 1), (halt, 0, 0)])
    bench.batch([])
    assert activities(bench)[4:] == [(3, "halted", 1)]


@QUICK
@given(
    logs(symbols=2, disorder=True),
    CUTS,
    # Of two events of one time the one that is heard last counts, and that depends on when they are told.
    st.lists(st.tuples(st.integers(0, 9000), st.booleans(), st.integers(0, 40)), unique_by=lambda told: told[0]),
)
def test_news_of_any_time_leave_prices_as_they_are_and_end_in_the_same_bars(
    ops: list[Op], cuts: set[int], news: list[tuple[int, bool, int]]
) -> None:
    ts = min(op.ts_event for op in ops if isinstance(op, Tick))
    events = [MarketEvent("halt" if on else "resume", ts + at * SECOND, symbol="S1") for at, on, _ in news]
    plain, before, during = (Bench(retention=1000 * HOUR) for _ in range(3))
    for offset, event in enumerate(events):
        before.engine.hear(event, 0, offset)
    plain.run(ops, cuts)
    before.run(ops, cuts)
    parts = batches(ops, cuts)
    for number, batch in enumerate(parts):
        for offset, (event, (_, _, when)) in enumerate(zip(events, news, strict=True)):
            if when % len(parts) == number:
                during.engine.hear(event, offset, 0)
        during.batch(batch)
    for series in plain.bars:
        ends = [{bar["start"]: bar for bar in bench.bars[series]} for bench in (plain, before, during)]
        for start, bar in ends[0].items():
            assert [end[start]["close"] for end in ends] == [bar["close"]] * 3
            assert ends[1][start]["activity"] == ends[2][start]["activity"]
            assert (bar["activity"] == "traded") == (ends[1][start]["activity"] == "traded")
