"""Makes the demo's recording, and the small one of the tests, from a folder of LEAN equity data.

    uv run tools/make_demo_slice.py FOLDER

FOLDER holds `SYMBOL/YYYYMMDD_trade.zip`, as LEAN's `Data/equity/usa/tick`. The demo's
`data/demo/2013-10-08.parquet` keeps every trade of AIG, BAC and SPY from 09:00 to 16:30 New York,
each symbol's in the order of its file, exactly as they are. The tests' slice is zips in the same
format with the lines of a few minutes.
"""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tickstream.core.columns import Strings, TickColumns, TickInterners
from tickstream.producer.adapters.lean import LeanFile
from tickstream.producer.adapters.rows import BadRows
from tickstream.producer.domain.merge import Stream, merge

_ROOT: Final = Path(__file__).resolve().parent.parent
_SYMBOLS: Final = ("aig", "bac", "spy")
_DAY: Final = "20131008"
_HOUR_MS: Final = 3_600_000
_DEMO: Final = (9 * _HOUR_MS, int(16.5 * _HOUR_MS))
_TEST: Final = (int(9.5 * _HOUR_MS) - 60_000, int(9.5 * _HOUR_MS) + 60_000)
_TEST_DAYS: Final = ("20131008", "20131009")
_BEST_LEVEL: Final = 19


def main() -> None:
    """Write both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="LEAN's equity/usa/tick, or a copy of it")
    folder = parser.parse_args().folder
    write_parquet(folder, _ROOT / "data" / "demo" / "2013-10-08.parquet")
    for symbol in _SYMBOLS:
        for day in _TEST_DAYS:
            name = Path(symbol) / f"{day}_trade.zip"
            cut_zip(folder / name, _ROOT / "tests" / "data" / "equities" / "tick" / name, _TEST)


def write_parquet(folder: Path, target: Path) -> None:
    """The demo's recording: three symbols merged in the order of time."""
    interners, bad = TickInterners(), BadRows()
    files = [LeanFile.of(folder / symbol / f"{_DAY}_trade.zip") for symbol in _SYMBOLS]
    streams = [_stream(file, interners, bad) for file in files if file is not None]
    midnight = streams[0].first
    low, high = (midnight + bound * 1_000_000 for bound in _DEMO)
    batches = []
    for chunk in merge(streams):
        times = chunk.columns.ts_event
        batches.append(_batch(chunk.columns.take((times >= low) & (times < high))))
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        pa.Table.from_batches(batches).unify_dictionaries().combine_chunks(),
        target,
        compression="zstd",
        compression_level=_BEST_LEVEL,
        use_dictionary=["symbol", "venue", "conditions", "price", "volume", "flags"],
        column_encoding={"ts_event": "DELTA_BINARY_PACKED"},
    )


def cut_zip(source: Path, target: Path, bounds: tuple[int, int]) -> None:
    """A zip in the same format with the lines whose milliseconds lie within the bounds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(source) as archive:
        member = archive.namelist()[0]
        lines = archive.read(member).splitlines(keepends=True)
    kept = [line for line in lines if bounds[0] <= float(line.partition(b",")[0]) < bounds[1]]
    entry = zipfile.ZipInfo(member, date_time=(2013, 10, 8, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(entry, b"".join(kept), compresslevel=9)


def _stream(file: LeanFile, interners: TickInterners, bad: BadRows) -> Stream:
    return Stream(file.first, lambda: file.read("", interners, bad))


def _batch(columns: TickColumns) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "symbol": _text(columns.symbol),
            "ts_event": pa.array(columns.ts_event),
            "price": pa.array(columns.price),
            "volume": pa.array(columns.volume),
            "venue": _text(columns.venue),
            "conditions": _text(columns.conditions),
            "flags": pa.array(columns.flags.astype(np.int32)),
        }
    )


def _text(strings: Strings) -> pa.Array:
    codes = pa.array(strings.codes, mask=strings.codes < 0)
    return pa.DictionaryArray.from_arrays(codes, pa.array(strings.values, pa.string()))


if __name__ == "__main__":
    main()
