"""What the correlations of all pairs mean for the stores: records and bytes to Kafka, lines and series to InfluxDB.

    OPENBLAS_NUM_THREADS=1 python -m tests.bench.pairs [--symbols 200] [--minutes 90]

Nothing is written: figures of a session are made as the service makes them, encoded as it publishes them, and made into
lines as the sink does. Minutes count from the first on in which every figure has come.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field

from tests.bench.analytics import DAY, session
from tickstream.analytics.domain.market import Market
from tickstream.analytics.domain.studies import Choices, studies
from tickstream.core.codec import Codecs
from tickstream.core.model import AnalyticsFigure
from tickstream.processor.sink.lines import analytics_lines

_PAIRS = ("correlations", "betas")
_CYCLE = 15
"""Minutes after which figures of all pairs come again."""


@dataclass(slots=True)
class Share:
    """What figures of one kind come to."""

    records: int = 0
    values: int = 0
    bytes: int = 0
    lines: int = 0
    line_bytes: int = 0
    line_cpu: float = 0.0
    series: set[tuple[str, str, str, str]] = field(default_factory=set)

    def add(self, figures: list[AnalyticsFigure], codecs: Codecs) -> None:
        """Count these."""
        self.records += len(figures)
        self.values += sum(len(figure.values) for figure in figures)
        self.bytes += sum(map(len, codecs.of(AnalyticsFigure).encode_many(figures)))
        began = time.process_time()
        lines = analytics_lines(figures).lines
        self.line_cpu += time.process_time() - began
        self.lines += len(lines)
        self.line_bytes += sum(len(line) + 1 for line in lines)
        self.series |= {(f.scope, f.name, f.window, value) for f in figures for value in f.values}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--symbols", type=int, default=200)
    parser.add_argument("--minutes", type=int, default=90, help="at least 75, so that every window has come")
    given = parser.parse_args()
    market, codecs = Market(lambda bar: bar.start // DAY * DAY, studies(Choices(history=1)), 1), Codecs()
    shares: dict[str, Share] = defaultdict(Share)
    counted = given.minutes - given.minutes % _CYCLE - _CYCLE
    for minute, bars in enumerate(session(1, given.symbols, given.minutes)):
        for bar in bars:
            market.take(bar)
        found = list(market.figures(market.complete_through))
        if counted <= minute < counted + _CYCLE:
            for kind in (*_PAIRS, "all others"):
                own = [f for f in found if (f.name if f.name in _PAIRS else "all others") == kind]
                shares[kind].add(own, codecs)
    sys.stdout.write(f"{given.symbols} symbols, a minute on average over {_CYCLE}\n")
    sys.stdout.write("            records   values  KB to Kafka   lines  KB of lines  CPU ms of lines    series\n")
    for kind, share in shares.items():
        sys.stdout.write(
            f"{kind:<12}{share.records / _CYCLE:>7.0f}{share.values / _CYCLE:>9.0f}{share.bytes / _CYCLE / 1000:>13.0f}"
            f"{share.lines / _CYCLE:>8.0f}{share.line_bytes / _CYCLE / 1000:>13.0f}"
            f"{share.line_cpu / _CYCLE * 1000:>17.0f}{len(share.series):>10}\n"
        )


if __name__ == "__main__":
    main()
