"""Files of trades, against the standard library's own readers."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tickstream.core.columns import TickInterners
from tickstream.core.errors import FatalError
from tickstream.core.model import Tick
from tickstream.producer.adapters import rows
from tickstream.producer.adapters.recordings import Recordings
from tickstream.producer.adapters.rows import BadRows
from tickstream.producer.domain.merge import merge

SLICE = Path(__file__).parents[2] / "data" / "equities" / "tick"
NEW_YORK = ZoneInfo("America/New_York")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
T = 1_381_239_000


def read(path: Path, zone: ZoneInfo | None = None, bad: BadRows | None = None) -> list[Tick]:
    """All trades of a path, in the order in which they would be published."""
    report = BadRows() if bad is None else bad
    recordings = Recordings(path, zone, None, (), TickInterners(), report)
    return [tick for chunk in merge(recordings.streams()) for tick in chunk.columns.to_ticks()]


def lean_rows(path: Path) -> Iterator[tuple[int, float, float, str, str, int]]:
    """A LEAN zip by zipfile, csv, zoneinfo and Decimal."""
    midnight = datetime.strptime(path.name[:8], "%Y%m%d").replace(tzinfo=NEW_YORK)
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as member:
        for millis, price, volume, venue, conditions, suspicious in csv.reader(io.TextIOWrapper(member)):
            nanos = int(Decimal(millis) * 1_000_000)
            wall = midnight.replace(tzinfo=None) + timedelta(seconds=nanos // 10**9)
            utc = (wall.replace(tzinfo=NEW_YORK).astimezone(UTC) - EPOCH) // timedelta(seconds=1)
            yield (
                utc * 10**9 + nanos % 10**9,
                float(Decimal(price) / 10_000),
                float(volume),
                venue,
                conditions,
                int(suspicious),
            )


def write_lean(folder: Path, lines: str, symbol: str = "spy", day: str = "20131008") -> Path:
    path = folder / symbol / f"{day}_trade.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{day}_{symbol}_Trade_Tick.csv", lines)
    return path


@pytest.mark.parametrize("path", sorted(SLICE.rglob("*.zip")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_lean_zip_is_read_as_its_lines_say(path: Path) -> None:
    ticks, day, symbol = read(path), path.name[:8], path.parent.name
    assert {(tick.symbol, tick.source) for tick in ticks} == {(symbol.upper(), f"replay-{day}-{symbol}")}
    assert [tick.seq for tick in ticks] == list(range(1, len(ticks) + 1))
    found = [(tick.ts_event, tick.price, tick.volume, tick.venue, tick.conditions, tick.flags) for tick in ticks]
    assert found == list(lean_rows(path))


def test_fractions_of_a_millisecond_prices_and_suspicious_prints_are_exact(tmp_path: Path) -> None:
    path = write_lean(
        tmp_path, "14400009.367,137450,100,D,1,0\n14400009.000001,1,0,Z,20000020,1\n34200000,33333333,5,,,0\n"
    )
    first, second, third = read(path)
    assert (first.ts_event, first.price, first.flags) == (1_381_219_200 * 10**9 + 9_367_000, 13.745, 0)
    assert (second.ts_event, second.price, second.volume, second.flags) == (
        1_381_219_200 * 10**9 + 9_000_001,
        0.0001,
        0.0,
        1,
    )
    assert (third.price, third.venue, third.conditions) == (3333.3333, None, None)


@pytest.mark.parametrize(("day", "hour_ms", "utc"), [("20240308", 9, 14), ("20240311", 9, 13), ("20241104", 9, 14)])
def test_new_york_keeps_its_daylight_saving(tmp_path: Path, day: str, hour_ms: int, utc: int) -> None:
    (tick,) = read(write_lean(tmp_path, f"{hour_ms * 3_600_000},10000,1,P,1,0\n", day=day))
    assert datetime.fromtimestamp(tick.ts_event / 1e9, UTC).hour == utc


def test_quotes_and_bars_are_left_alone(tmp_path: Path) -> None:
    write_lean(tmp_path, "34200000,10000,1,P,1,0\n")
    with zipfile.ZipFile(tmp_path / "spy" / "20131008_quote.zip", "w") as archive:
        archive.writestr("20131008_spy_Quote_Tick.csv", "34200000,1,1,0,0,P,1,0\n")
    with zipfile.ZipFile(tmp_path / "spy" / "20131009_trade.zip", "w") as archive:
        archive.writestr("20131009_spy_minute_trade.csv", "34200000,1,1,1,1,1\n")
    assert len(read(tmp_path)) == 1


BAD_LINES = {
    2: "what,10000,1,P,1,0",
    4: "34200001,ten,1,P,1,0",
    5: "34200001,-10000,1,P,1,0",
    7: "34200001,10000,-1,P,1,0",
    8: "34200001,10000",
    9: "99999999999,10000,1,P,1,0",
    11: "nan,10000,1,P,1,0",
    12: "34200001,inf,1,P,1,0",
}


def test_bad_lines_are_named_and_left_out_and_the_rest_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[int, str]] = []
    report = BadRows.report

    def hear(self: BadRows, path: Path, line: int, reason: str) -> None:
        said.append((line, reason))
        report(self, path, line, reason)

    monkeypatch.setattr(rows.BadRows, "report", hear)
    lines = [BAD_LINES.get(number, f"{34200000 + number},10000,{number},P,1,0") for number in range(1, 14)]
    bad = BadRows()
    ticks = read(write_lean(tmp_path, "\n".join(lines) + "\n"), bad=bad)
    assert [tick.volume for tick in ticks] == [1, 3, 6, 10, 13]
    assert [tick.seq for tick in ticks] == [1, 2, 3, 4, 5]
    assert bad.total == len(BAD_LINES)
    assert sorted(line for line, _ in said) == sorted(BAD_LINES)


def test_a_file_of_something_else_is_refused_soon(tmp_path: Path) -> None:
    path = write_lean(tmp_path, "a,b,c,d,e,f\n" * 20_000)
    with pytest.raises(FatalError, match="rows that are no trades"):
        read(path)


def test_csv_columns_are_found_by_their_usual_names(tmp_path: Path) -> None:
    (tmp_path / "My Ticks.csv").write_text(
        "Time,Ticker,Price,Size,Exchange,Cond,ID,Suspicious,extra\n"
        f"{T}.5,SPY,165.5,100,P,@,x1,true,1\n{T + 1}000,BRK.B,116.01,7,,,,0,2\n"
    )
    first, second = read(tmp_path)
    assert first == Tick("SPY", 165.5, 100.0, T * 10**9 + 500_000_000, 0, 1, "replay-my-ticks", "P", "x1", "@", 1)
    assert second == Tick("BRK.B", 116.01, 7.0, (T + 1) * 10**9, 0, 1, "replay-my-ticks", None, None, None, 0)


def test_bad_csv_lines_are_counted_whatever_is_wrong_with_them(tmp_path: Path) -> None:
    path = tmp_path / "ticks.csv"
    path.write_text(
        "symbol,ts_event,price,volume\n"
        f"SPY,{T},1,1\nspy,{T},1,1\n,{T},1,1\nSPY,2013-10-08T09:30:00,1,1\nSPY,soon,1,1\nSPY,{T},,1\n\nSPY,{T},2,1\r\n"
        f'SPY,{T},3,1,surplus\nSPY,2013-10-08T13:30:00Z,4,1\n"SPY",{T},5,1'
    )
    bad = BadRows()
    assert [tick.price for tick in read(path, bad=bad)] == [1, 2, 4, 5]
    assert bad.total == 6


def test_csv_parquet_and_gzip_of_the_same_trades_are_the_same(tmp_path: Path) -> None:
    lines = [f"{symbol},{T + n}.{n:09d},{10 + n / 7!r},{n}" for n in range(1000) for symbol in ("SPY", "AIG")]
    text = "symbol,ts_event,price,volume\n" + "\n".join(lines) + "\n"
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text.encode()))
    found = [row.split(",") for row in lines]
    table = pa.table(
        {
            "symbol": [row[0] for row in found],
            "ts_event": [int(Decimal(row[1]) * 10**9) for row in found],
            "price": [float(row[2]) for row in found],
            "volume": [int(row[3]) for row in found],
        }
    )
    pq.write_table(table, tmp_path / "c.parquet", row_group_size=300)
    expected = [(row[0], int(Decimal(row[1]) * 10**9), float(row[2]), float(row[3])) for row in found]
    for name in ("a.csv", "b.csv.gz", "c.parquet"):
        ticks = read(tmp_path / name)
        assert [(tick.symbol, tick.ts_event, tick.price, tick.volume) for tick in ticks] == expected
        assert [tick.seq for tick in ticks] == [n // 2 + 1 for n in range(2000)]


def test_parquet_rows_that_are_no_trades_are_counted(tmp_path: Path) -> None:
    table = pa.table(
        {"symbol": ["SPY", None, "SPY", "SPY"], "ts": [T, T, None, T], "price": [1.0, 2, 3, None], "qty": [1] * 4}
    )
    pq.write_table(table, tmp_path / "x.parquet")
    bad = BadRows()
    assert [tick.price for tick in read(tmp_path / "x.parquet", bad=bad)] == [1.0]
    assert bad.total == 3


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("symbol,price,volume\nSPY,1,1\n")
    with pytest.raises(FatalError, match=r"x.csv has no column ts_event \(or timestamp"):
        read(tmp_path)


def test_two_files_that_would_be_one_source_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "ticks.csv").write_text(f"symbol,ts_event,price,volume\nSPY,{T},1,1\n")
    with pytest.raises(FatalError, match=r"both be the source replay-ticks.*--source-name"):
        read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no zip at all"])
def test_a_broken_zip_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "20131008_trade.zip"
    path.write_bytes(content)
    with pytest.raises(FatalError, match=r"20131008_trade\.zip can't be read"):
        read(path)


def test_a_folder_is_merged_in_the_order_of_time_whatever_its_formats(tmp_path: Path) -> None:
    write_lean(tmp_path, "34200000,10000,1,P,1,0\n34200002,10000,1,P,1,0\n")
    (tmp_path / "other.csv").write_text(f"symbol,ts_event,price,volume\nAIG,{T}001,1,1\nAIG,{T}003,1,1\n")
    assert [tick.symbol for tick in read(tmp_path)] == ["SPY", "AIG", "SPY", "AIG"]
