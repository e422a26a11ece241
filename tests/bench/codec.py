"""How fast trades, bars and indicators become bytes and back, beside fastavro in the same run.

    python -m tests.bench.codec [--json FILE]

Figures are records per second of CPU time, the best of several rounds, on one core.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import fastavro
import numpy as np

from tickstream.core.codec import Codecs, TickInterners
from tickstream.core.codec.schemas import current
from tickstream.core.columns import BarColumns, TickColumns
from tickstream.core.model import Bar, IndicatorSet, Tick

OPEN: Final = 1_381_239_000_000_000_000
BATCHES: Final = (10, 100, 1_000, 10_000, 50_000)
INDICATORS: Final = tuple(f"indicator_{index}" for index in range(19))
ROUND_SECONDS: Final = 0.4


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table; `peer` is fastavro's figure for the same records."""

    what: str
    batch: int
    per_second: float
    peer: float

    def line(self) -> str:
        """The line, with the microseconds that a batch takes."""
        micros = self.batch / self.per_second * 1e6
        return (
            f"{self.what:<24}{self.batch:>8,}{self.per_second:>14,.0f}{micros:>12,.0f}"
            f"{self.peer:>14,.0f}{self.per_second / self.peer:>8.1f}x"
        )


def ticks(count: int, *, full: bool) -> list[Tick]:
    """Trades of 200 symbols; `full` ones have an id, a venue and conditions."""
    rng = random.Random(7)  # noqa: S311 - made-up data
    symbols = [
        "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=rng.choice((1, 2, 3, 4, 4, 4, 5)))) for _ in range(200)
    ]
    return [
        Tick(
            symbol=rng.choice(symbols),
            price=round(rng.uniform(5, 500), 2),
            volume=float(rng.randint(1, 1000)),
            ts_event=OPEN + 1_000_003 * row,
            ts_ingest=OPEN + 1_000_003 * row + 5_000,
            seq=row // 200 + 1,
            source="replay-20131008-spy",
            venue=rng.choice("PQZ") if full else None,
            trade_id=str(52_983_525_000_000 + row) if full else None,
            conditions="@" if full else None,
        )
        for row in range(count)
    ]


def bars(count: int) -> list[Bar]:
    """One-minute bars of 100 symbols."""
    return [
        Bar(
            *(f"S{row % 100}", "1m", OPEN + row, OPEN + row + 60 * 10**9, 10.1, 10.2, 10.0, 10.15, 1200.0, 10.12, 45),
            *("closed", 0, "traded", "regular"),
        )
        for row in range(count)
    ]


def rate(count: int, work: Callable[[], object]) -> float:
    """Records per second of CPU time, in the best of the rounds that fit in the time."""
    best = float("inf")
    end = time.monotonic() + ROUND_SECONDS
    while time.monotonic() < end:
        start = time.process_time_ns()
        work()
        best = min(best, time.process_time_ns() - start)
    return count / best * 1e9


def fastavro_reads(topic: str, values: Sequence[bytes]) -> float:
    """Records per second that fastavro decodes, one by one."""
    schema: Any = fastavro.parse_schema(dict(current()[topic].schema))
    return rate(
        len(values), lambda: [fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None) for value in values]
    )


def fastavro_writes(topic: str, records: Sequence[object]) -> float:
    """Records per second that fastavro encodes, one by one, from dictionaries."""
    schema: Any = fastavro.parse_schema(dict(current()[topic].schema))
    header = b"\0" + current()[topic].id.to_bytes(4, "big")
    rows = [{name: getattr(record, name) for name in type(record).__slots__} for record in records]  # type: ignore[attr-defined] # records have slots

    def write() -> None:
        for row in rows:
            out = io.BytesIO()
            out.write(header)
            fastavro.schemaless_writer(out, schema, row)
            out.getvalue()

    return rate(len(rows), write)


def tick_results(kind: str, *, full: bool) -> list[Result]:
    """Decoding and encoding of trades, at each size of batch."""
    codec = Codecs().of(Tick)
    all_ticks = ticks(BATCHES[-1], full=full)
    columns = TickColumns.of(all_ticks, TickInterners())
    values = codec.encode_columns(columns)
    read, written = fastavro_reads("stock_ticks", values[:5_000]), fastavro_writes("stock_ticks", all_ticks[:5_000])
    interners = TickInterners()
    results = []
    for size in BATCHES:
        batch, part = values[:size], columns.take(np.arange(size))
        decoded = rate(size, lambda batch=batch: codec.decode_columns(batch, interners))  # type: ignore[misc] # bound now
        encoded = rate(size, lambda part=part: codec.encode_columns(part))  # type: ignore[misc] # bound now
        results += [
            Result(f"decode ticks, {kind}", size, decoded, read),
            Result(f"encode ticks, {kind}", size, encoded, written),
        ]
    return results


def bar_results() -> list[Result]:
    """Encoding of bars and of their indicators."""
    count = 10_000
    made = bars(count)
    columns = BarColumns.of(made)
    figures = np.random.default_rng(7).normal(50, 10, (count, len(INDICATORS)))
    figures[: count // 2, 5] = np.nan
    of_bar, of_indicators = Codecs().of(Bar), Codecs().of(IndicatorSet)
    keys = (columns.symbol, columns.interval, columns.start, columns.end, columns.state, columns.revision)
    sets = of_indicators.decode_many(of_indicators.encode_rows(*keys, INDICATORS, figures)).records
    return [
        Result(
            "encode bars",
            count,
            rate(count, lambda: of_bar.encode_columns(columns)),
            fastavro_writes("bars", made[:5_000]),
        ),
        Result(
            "encode indicators (19)",
            count,
            rate(count, lambda: of_indicators.encode_rows(*keys, INDICATORS, figures)),
            fastavro_writes("indicators", sets[:3_000]),
        ),
    ]


def main() -> int:
    """Measure, print the table, write it as JSON when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    results = [*tick_results("plain", full=False), *tick_results("full", full=True), *bar_results()]
    sys.stdout.write(f"{'':<24}{'batch':>8}{'records/s':>14}{'us/batch':>12}{'fastavro/s':>14}{'ratio':>9}\n")
    sys.stdout.writelines(result.line() + "\n" for result in results)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
