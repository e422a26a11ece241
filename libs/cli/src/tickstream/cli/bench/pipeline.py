"""One trading day through producer, processor and sink, as fast as each goes; then the same through its peers."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import orjson

from tickstream.cli.bench.programs import Cost, run
from tickstream.cli.bench.recording import write_recording
from tickstream.cli.bench.table import Figure
from tickstream.core.errors import FatalError

_ROOT: Final = Path(__file__).resolve().parents[6]
_PEERS: Final = _ROOT / "tests" / "bench" / "peers"
_QUIX_IDLE: Final = 5.0
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
        cost = self._publish(recording, "")
        self._note("tickstream-producer", "replay, Avro, acks=all, idempotent", cost)
        self._publish(recording, "again.")

        bars = {"PROCESSOR_ROLES": "bars"}
        start = self._process("empty.", bars)
        cost = self._process("", bars).less(start)
        self._note("tickstream-processor", "bars of 6 intervals, indicators, exactly once", cost)
        cost = self._process("again.", bars | _NOTHING_ELSE).less(start)
        self._note("tickstream-processor", "1m bars only, exactly once", cost)

        sink = {"PROCESSOR_ROLES": "sink", "TIMESERIES": "influxdb"}
        start = self._process("empty.", sink)
        self._publish(recording, "trades.")
        cost = self._process("trades.", sink).less(start)
        self._note("tickstream-processor, sink", "trades to InfluxDB", cost)

    def _peers(self, recording: Path) -> None:
        loop = [sys.executable, str(_PEERS / "plain_loop.py")]
        if not _PEERS.exists():
            sys.stderr.write("the peers are in tests/bench/peers of a checkout, which is not here\n")
            return
        start = run([*loop, "0"], self._with("again."))
        cost = run([*loop, str(self._ticks)], self._with("again.")).less(start)
        self._note("plain confluent-kafka loop", "1m bars in a dict, no guarantee", cost)

        uv = shutil.which("uv")
        if uv is None:
            sys.stderr.write("Quix Streams runs in an environment of its own, which uv makes: uv is not on the PATH\n")
            return
        self._publish(recording, "json.", {"PRODUCER_FORMAT": "json"})
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
            cost = run([*quix, str(self._ticks)], self._with("json.")).less(start)
            cost = replace(cost, wall=cost.wall - _QUIX_IDLE)
        except FatalError as error:
            sys.stderr.write(f"Quix Streams could not run here: {error}\n")
            return
        self._note("Quix Streams", "1m bars, JSON, at least once", cost)

    def _with(self, suffix: str) -> dict[str, str]:
        return self._environment | {"KAFKA_TOPIC_PREFIX": self._prefix + suffix}

    def _publish(self, recording: Path, suffix: str, settings: Mapping[str, str] | None = None) -> Cost:
        """Replay the recording; the cost is what the producer itself gives, which leaves its start out."""
        program = str(Path(sys.executable).with_name("tickstream-producer"))
        # Counted, it is a part of a day: the hours after its last trade aren't filled with quiet bars.
        command = [
            program,
            "--source",
            "replay",
            "--path",
            str(recording),
            "--speed",
            "max",
            "--count",
            str(self._ticks),
        ]
        cost = run(command, self._with(suffix) | dict(settings or {}))
        account = orjson.loads(cost.output.splitlines()[-1])
        return Cost(account["seconds"], account["cpu_seconds"], cost.output)

    def _process(self, suffix: str, settings: Mapping[str, str]) -> Cost:
        program = str(Path(sys.executable).with_name("tickstream-processor"))
        return run([program, "--until-caught-up"], self._with(suffix) | dict(settings))

    def _note(self, who: str, does: str, cost: Cost) -> None:
        figure = Figure.of(who, does, self._ticks, cost)
        sys.stderr.write(f"{who}, {does}: {figure.per_cpu_second:,.0f} ticks per CPU-second\n")
        self.figures.append(figure)
