"""What a turn of the processor costs with Kafka left out: CPU time, so that a busy machine matters little.

    python -m tests.bench.turns [--rate 5000] [--turn 0.02] [--symbols 100] [--partitions 6] [--seconds 30]

Each turn has the trades of its time: they are decoded, counted, closed and encoded. Where a second of event time ends,
state is put into records as well, as a commit does.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence

import numpy as np

from tests.bench.processor import columns
from tickstream.core.clock import NANOS_PER_SECOND, SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.columns import TickInterners
from tickstream.core.kafka import Kafka
from tickstream.core.model import Tick
from tickstream.core.partition import partition_for
from tickstream.core.settings import load
from tickstream.processor.adapters.outputs import Outputs
from tickstream.processor.domain.engine import Engine
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.state import FROM_THE_BEGINNING, Loaded
from tickstream.processor.domain.windows import Calendars
from tickstream.processor.settings import ProcessorSettings


class _Nowhere:
    """Takes records and forgets them."""

    def send(
        self, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes | None], partition: int = -1
    ) -> None:
        pass

    def send_one(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes] | None = None
    ) -> None:
        pass


class _Turns:
    """An engine of some partitions, and what comes out of it.

    Args:
        partitions: how many.
    """

    def __init__(self, partitions: int) -> None:
        environment = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "PROCESSOR_CALENDAR": "24/7"}
        settings = load(ProcessorSettings, "PROCESSOR", [], environment)
        self._codecs = Codecs.from_settings(settings)
        self._names = TickInterners()
        symbols, sources = Lanes(self._names.symbols), Lanes(self._names.sources)
        self._engine = Engine(settings.rules, Calendars(symbols, settings.calendar), symbols, sources)
        self._offsets = dict.fromkeys(range(partitions), FROM_THE_BEGINNING)
        for partition in range(partitions):
            self._engine.restore(partition, Loaded())
        self._outputs = Outputs(
            Kafka(settings),
            self._codecs,
            _Nowhere(),
            SystemClock(),
            symbols,
            sources,
            settings.intervals,
            settings.rules.catalogue,
        )

    def turn(
        self, values: list[bytes], partitions: np.ndarray[tuple[int], np.dtype[np.int64]], *, commit: bool
    ) -> None:
        """Do the work of one turn."""
        decoded = self._codecs.of(Tick).decode_columns(values, self._names)
        self._engine.take(decoded.columns, partitions)
        self._outputs.send_bars(self._engine.close(), "closed")
        if commit:
            for partition, records in self._engine.changes(self._offsets).items():
                self._outputs.send_state(records, partition)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=5000.0, help="trades in a second of event time")
    parser.add_argument("--turn", type=float, default=0.02, help="seconds of event time in a turn")
    parser.add_argument("--symbols", type=int, default=100)
    parser.add_argument("--partitions", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=30, help="of event time; the first third doesn't count")
    given = parser.parse_args()
    trades = columns(int(given.seconds * given.rate), given.symbols, given.rate)
    values = Codecs.from_settings(load(ProcessorSettings, "PROCESSOR", [], {})).of(Tick).encode_columns(trades)
    where = np.array([partition_for(name, given.partitions) for name in trades.symbol.values])[trades.symbol.codes]
    turns, count = _Turns(given.partitions), max(int(given.rate * given.turn), 1)
    costs: dict[bool, list[float]] = {False: [], True: []}
    second = 0
    for low in range(0, len(trades), count):
        rows = slice(low, min(low + count, len(trades)))
        before, second = second, int(trades.ts_event[rows.stop - 1] // NANOS_PER_SECOND)
        began = time.process_time()
        turns.turn(values[rows], where[rows], commit=second > before)
        if low >= len(trades) // 3:
            costs[second > before].append((time.process_time() - began) * 1000)
    plain, closing = (float(np.median(costs[closes] or [np.nan])) for closes in (False, True))
    sys.stdout.write(f"a turn {plain:.2f} ms, one that closes a second's bars {closing:.2f} ms (medians, CPU)\n")


if __name__ == "__main__":
    main()
