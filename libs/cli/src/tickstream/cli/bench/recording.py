"""A made-up recording for benchmarks: the same one each time.

python -m tickstream.cli.bench.recording PATH TICKS SYMBOLS PER_SECOND
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_SEED: Final = 20131008
_OPEN: Final = 1_381_239_000_000_000_000  # 2013-10-08 09:30 in New York


def write_recording(path: Path, ticks: int, symbols: int, per_second: int) -> None:
    """Write `ticks` trades, `per_second` of event time spread over `symbols`, in time order, as Parquet."""
    random = np.random.default_rng(_SEED)
    names = np.array([f"S{number:05d}" for number in range(symbols)])
    chosen = random.integers(0, symbols, ticks)
    times = _OPEN + np.sort(random.integers(0, 1000 * ticks // per_second, ticks)) * 1_000_000
    steps = random.normal(0, 0.01, ticks)
    order = np.argsort(chosen, kind="stable")
    walked = np.empty(ticks)
    walked[order] = np.cumsum(steps[order])
    first = np.zeros(symbols)
    counts = np.bincount(chosen, minlength=symbols)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    filled = counts > 0
    first[filled] = np.cumsum(steps[order])[starts[filled]]
    price = np.round(np.maximum(100 + walked - first[chosen], 1.0), 2)
    table = pa.table(
        {
            "symbol": pa.array(names[chosen]).dictionary_encode(),
            "ts_event": pa.array(times, pa.int64()),
            "price": pa.array(price),
            "volume": pa.array(random.integers(1, 10, ticks) * 100.0),
        }
    )
    pq.write_table(table, path, compression="zstd")


if __name__ == "__main__":
    write_recording(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
