"""One trading day through producer, processor and sink, as fast as each goes; then the same through its peers."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tickstream.cli.bench.programs import Cost, run
from tickstream.cli.bench.recording import write_recording
from tickstream.cli.bench.table import Figure
from tickstream.core.errors import FatalError

_ROOT: Final = Path(__file__).resolve().parents[6]
_PEERS: Final = _ROOT / "tests" / "bench" / "peers"
_NOTHING_ELSE: Final = {"PROCESSOR_INTERVALS": "1m", "PROCESSOR_INDICATOR_INTERVALS": ""}


class PipelineBench:
    """The benchmark.

    Args:
        environment: the servers' settings, with a topic prefix of the benchmark's own.
        ticks: how many trades.
        symbols: of how many symbols.
    """

    def __init__(self, environment: Mapping[str, str], ticks: int, symbols: int) -> None:
        self._environment = {**environment, "LOG_LEVEL": "WARNING", "HTTP_PORT": "0"}
        self._prefix = environment["KAFKA_TOPIC_PREFIX"]
        self._ticks = ticks
        self._symbols = symbols
        self.figures: list[Figure] = []

    def run(self) -> list[Figure]:
        """Measure everything."""
        with tempfile.TemporaryDirectory() as folder:
            recording = Path(folder) / "recording.parquet"
            write_recording(recording, self._ticks, self._symbols)
            self._ours(recording)
            self._peers(recording)
        return self.figures

    def _ours(self, recording: Path) -> None:
        empty = self._with("empty.")
        start = run(self._producer(recording, "--count", "1"), empty)
        cost = run(self._producer(recording), self._with(""))
        self._note("tickstream-producer", "replay, Avro, acks=all, idempotent", cost, start)

        start = run(self._processor(), empty | {"PROCESSOR_ROLES": "bars"})
        cost = run(self._processor(), self._with("") | {"PROCESSOR_ROLES": "bars"})
        self._note("tickstream-processor", "bars of 6 intervals, indicators, exactly once", cost, start)

        alone = {"PROCESSOR_ROLES": "bars", **_NOTHING_ELSE}
        self._copy(recording, "second.")
        cost = run(self._processor(), self._with("second.") | alone)
        self._note("tickstream-processor", "1m bars only, exactly once", cost, start)

        sink = {"PROCESSOR_ROLES": "sink", "TIMESERIES": "influxdb"}
        start = run(self._processor(), empty | sink)
        cost = run(self._processor(), self._with("") | sink)
        self._note("tickstream-processor, sink", "trades, bars, indicators to InfluxDB", cost, start)

    def _peers(self, recording: Path) -> None:
        loop = [sys.executable, str(_PEERS / "plain_loop.py")]
        if not _PEERS.exists():
            sys.stderr.write("the peers are in tests/bench/peers of a checkout, which is not here\n")
            return
        start = run([*loop, "0"], self._with("second."))
        cost = run([*loop, str(self._ticks)], self._with("second."))
        self._note("plain confluent-kafka loop", "1m bars in a dict, no guarantee", cost, start)

        uv = shutil.which("uv")
        if uv is None:
            sys.stderr.write("Quix Streams runs in an environment of its own, which uv makes: uv is not on the PATH\n")
            return
        self._copy(recording, "json.", {"PRODUCER_FORMAT": "json"})
        quix = [
            uv,
            "run",
            "--quiet",
            "--frozen",
            "--project",
            str(_PEERS / "quix"),
            "python",
            str(_PEERS / "quix" / "app.py"),
        ]
        try:
            start = run([*quix, "0"], self._with("json."))
            cost = run([*quix, str(self._ticks)], self._with("json."))
        except FatalError as error:
            sys.stderr.write(f"Quix Streams could not run here: {error}\n")
            return
        self._note("Quix Streams", "1m bars, JSON, at least once", cost, start)

    def _with(self, suffix: str) -> dict[str, str]:
        return self._environment | {"KAFKA_TOPIC_PREFIX": self._prefix + suffix}

    def _copy(self, recording: Path, suffix: str, settings: Mapping[str, str] | None = None) -> None:
        run(self._producer(recording), self._with(suffix) | dict(settings or {}))

    def _producer(self, recording: Path, *more: str) -> list[str]:
        program = str(Path(sys.executable).with_name("tickstream-producer"))
        return [program, "--source", "replay", "--path", str(recording), "--speed", "max", *more]

    def _processor(self) -> list[str]:
        return [str(Path(sys.executable).with_name("tickstream-processor")), "--until-caught-up"]

    def _note(self, who: str, does: str, cost: Cost, start: Cost) -> None:
        figure = Figure.of(who, does, self._ticks, cost.less(start))
        sys.stderr.write(f"{who}, {does}: {figure.per_cpu_second:,.0f} ticks per CPU-second\n")
        self.figures.append(figure)
