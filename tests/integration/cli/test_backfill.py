"""Recordings to bars and indicators, in topics of their own and in place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.programs import must
from tests.support.topics import Row, kafka_of, read_rows

pytestmark = pytest.mark.integration

OPEN = 1_381_239_000  # 2013-10-08 09:30 in New York
TRADES = [(OPEN + 20 * number, 100 + number % 7, 10 * number) for number in range(600)]


def recording(folder: Path, *more: tuple[int, float, float]) -> Path:
    """A day in a file."""
    rows = "".join(f"AAPL,{ts},{price},{volume}\n" for ts, price, volume in sorted([*TRADES, *more]))
    path = folder / "day.csv"
    path.write_text(f"symbol,ts_event,price,volume\n{rows}")
    return path


def closed(env: dict[str, str], prefix: str) -> list[Row]:
    """The minutes with trades."""
    rows = [row for row in read_rows({**env, "KAFKA_TOPIC_PREFIX": prefix}, "bars") if row["state"] == "closed"]
    return [row for row in rows if row["interval"] == "1m" and row["activity"] == "traded"]


def test_a_day_from_a_file_is_compared_and_put_in_place(isolated_env: dict[str, str], tmp_path: Path) -> None:
    env = isolated_env | {"PROCESSOR_ROLES": "bars", "KAFKA_TOPIC_PARTITIONS": "2", "PROCESSOR_INTERVALS": "1m,1h"}
    path, own = recording(tmp_path), env["KAFKA_TOPIC_PREFIX"]
    must("tickstream-producer", "--source", "replay", "--path", str(path), "--speed", "max", env=env)
    must("tickstream-processor", "--until-caught-up", env=env)

    beside = json.loads(must("tickstream", "backfill", "--path", str(path), "--to", f"{own}check.", "--json", env=env))
    assert beside["read"] == len(TRADES)
    assert closed(env, f"{own}check.") == closed(env, own)

    recording(tmp_path, (OPEN + 601, 500.0, 1.0))
    topics = set(kafka_of(env).existing())
    account = json.loads(must("tickstream", "backfill", "--path", str(path), "--in-place", "--json", env=env))
    assert set(kafka_of(env).existing()) == topics
    assert account["revised"] == account["published"] > 0
    revised = [row for row in closed(env, own) if row["revision"]]
    assert [(row["start"], row["high"], row["trades"]) for row in revised] == [((OPEN + 600) * 10**9, 500.0, 4)]
