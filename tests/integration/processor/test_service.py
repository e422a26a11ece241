"""What the processor refuses, tells and answers."""

from __future__ import annotations

import dataclasses
import math
import struct
import time
import urllib.request
from pathlib import Path

import pytest

from tests.integration.processor.market import CODECS, bars_so_far, closed, publish, recorded
from tests.support.programs import must, run, service, until
from tests.support.topics import publish as publish_raw
from tests.support.topics import read_messages, read_rows
from tickstream.core.model import Tick

pytestmark = pytest.mark.integration

PROCESSOR = "tickstream-processor"
ROLE = {"PROCESSOR_ROLES": "bars", "KAFKA_TOPIC_PARTITIONS": "2"}
MINUTE = 60_000_000_000
DAY = 86_400_000_000_000


def test_bad_and_late_records_go_to_the_dlq_and_the_rest_flows_on(isolated_env: dict[str, str]) -> None:
    env = isolated_env | ROLE
    ticks = recorded()[:500]
    publish(env, ticks[:400], None)
    good = CODECS.of(Tick).encode(ticks[400])
    nan = good.replace(struct.pack("<d", ticks[400].price), struct.pack("<d", math.nan))
    negative = good.replace(struct.pack("<d", ticks[400].price), struct.pack("<d", -1.0))
    late = dataclasses.replace(ticks[400], ts_event=ticks[0].ts_event - MINUTE)
    bad = [
        b"",
        b"\x00",
        bytes(5_000_000),
        good[:-3],
        b"\x00\x00\x00\x99\x99" + good[5:],
        nan,
        negative,
        b'{"symbol": 5}',
    ]
    early = CODECS.of(Tick).encode(dataclasses.replace(ticks[400], ts_event=time.time_ns() + 31 * DAY))
    bad.append(early)
    publish_raw(env, "stock_ticks", [("AIG", value) for value in bad])
    publish(env, [late, *ticks[401:]], None)
    must(PROCESSOR, "--until-caught-up", env=env)
    letters = read_messages(env, "stock_ticks.dlq")
    reasons = [dict(letter.headers() or [])["error"] for letter in letters]
    assert [letter.value() for letter in letters] == [*bad, CODECS.of(Tick).encode(late)]
    assert reasons[-2:] == [b"too_early", b"too_late"]
    assert all(reason and b"too_" not in reason for reason in reasons[:-2])
    assert {dict(letter.headers() or [])["topic"] for letter in letters} == {b"stock_ticks"}
    seconds = sum(bar["trades"] for bar in closed(env, "bars")["AIG", "1s"])
    last = [tick for tick in ticks if tick.ts_event // 10**9 == ticks[-1].ts_event // 10**9]
    clean = [tick for tick in ticks if not tick.flags & 1 and tick not in last and tick != ticks[400]]
    assert seconds == len(clean)


def test_missing_numbers_are_a_gap_on_market_events(isolated_env: dict[str, str]) -> None:
    env = isolated_env | ROLE
    ticks = recorded()[:300]
    publish(env, [*ticks[10:100], *ticks[107:]], None)
    must(PROCESSOR, "--until-caught-up", env=env)
    [event] = read_rows(env, "market_events")
    assert (event["type"], event["symbol"], event["source"]) == ("gap", "AIG", ticks[0].source)
    assert event["detail"] == {"first_seq": "101", "last_seq": "107", "missing": "7"}
    assert event["ts_event"] == ticks[107].ts_event


def test_forming_bars_come_before_the_closed_one_and_never_after(isolated_env: dict[str, str], tmp_path: Path) -> None:
    env = isolated_env | ROLE | {"PROCESSOR_FORMING_SECONDS": "0.2"}
    ticks = recorded()[:3000]
    with service(PROCESSOR, env=env, log=tmp_path / "log") as running:
        for low in range(0, 3000, 1000):
            before = bars_so_far(env, "AIG") if low else 0
            publish(env, ticks[low : low + 1000], None)
            until(lambda before=before: bars_so_far(env, "AIG") > before, running.log)  # type: ignore[misc] # bound now
        assert running.end() == 0
    assert any(row["state"] == "partial" for row in read_rows(env, "bars"))
    for topic in ("bars", "indicators"):
        seen: set[tuple[str, int]] = set()
        for row in read_rows(env, topic):
            window = (row["interval"], row["start"])
            assert window not in seen
            if row["state"] == "closed":
                seen.add(window)
        assert seen


def test_it_is_ready_shows_its_figures_and_ends_with_0(isolated_env: dict[str, str], tmp_path: Path) -> None:
    env = isolated_env | ROLE
    publish(env, recorded()[:2000], None)
    with service(PROCESSOR, env=env, log=tmp_path / "log") as running:
        running.await_ready()

        def figures() -> str:
            with urllib.request.urlopen(f"{running.url}/metrics", timeout=30) as response:
                return str(response.read().decode())

        until(lambda: "tickstream_processor_ticks_total 2000.0" in figures(), running.log)
        assert 'tickstream_processor_bars_total{interval="1m"}' in figures()
        until(lambda: "tickstream_processor_symbols 1.0" in figures(), running.log)
        assert running.end() == 0
    assert {row["service"] for row in read_rows(env, "system_metrics")} == {"processor"}


def test_bad_settings_are_all_named() -> None:
    env = {
        "PROCESSOR_INTERVALS": "1m,7m",
        "PROCESSOR_CALENDAR": "MOON",
        "PROCESSOR_GRACE": "-1",
        "PROCESSOR_MAX_BATCH": "0",
        "PROCESSOR_INDICATOR_INTERVALS": "7s",
        "PROCESSOR_INDICATORS": "rsi:x",
    }
    done = run(PROCESSOR, env=env)
    assert done.returncode == 2
    for name in env:
        assert name in done.stderr
    assert done.stdout == ""
