"""A part of a trading day through producer, processor and sink, as fast as each goes; then through their peers."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import orjson

from tickstream.cli.bench.peers import PEERS, Peer
from tickstream.cli.bench.programs import Cost
from tickstream.cli.bench.services import EMPTY, Recording, Services
from tickstream.cli.bench.table import Figure, Ratio, Start
from tickstream.core.errors import FatalError, TickstreamError

_AVRO: Final = "avro."
_MANY_MINUTES: Final = "longer."
_INDICATIONS: Final = "indicated."
_RESTARTS: Final = "restarts."
_LONGER: Final = 4
_TURNS: Final = 3
"""How often the longer runs are made, in turn; the median of each counts."""

_FEW: Final = 100
_MANY: Final = 10_000
_OFTEN: Final = 20
_SELDOM: Final = 6
"""Trades of a symbol in a minute."""

_AIMS: Final = {"Kafka Streams": ">= 3", "Quix Streams": ">= 10"}

_ALL: Final = {"PROCESSOR_ROLES": "bars"}
_INDICATED: Final = ("--intervals", "1m")
_MINUTES: Final = (*_INDICATED, "--indicator-intervals", "")  # an empty variable would count as none
_SINK: Final = {"PROCESSOR_ROLES": "sink", "TIMESERIES": "influxdb"}


class PipelineBench:
    """The benchmark.

    Args:
        environment: the servers' settings, with a topic prefix of the benchmark's own.
        ticks: how many trades.
        symbols: of how many symbols.

    Attributes:
        figures: the lines measured so far.
        ratios: how they compare.
        starts: how long it took to start with much state.
    """

    def __init__(self, environment: Mapping[str, str], ticks: int, symbols: int) -> None:
        self._environment = environment
        self._services = Services(environment)
        self._ticks = ticks
        self._symbols = symbols
        self._start = Cost(0, 0, 0, "")
        self.figures: list[Figure] = []
        self.ratios: list[Ratio] = []
        self.starts: list[Start] = []

    def run(self, *, wide: bool = False) -> None:
        """Measure everything, many symbols too where `wide` is wanted."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            recording = self._record(folder, self._ticks, self._symbols)
            self._start = self._services.process(EMPTY, _ALL)
            self._ours(recording)
            self._services.publish(recording, _AVRO)
            minutes = self._process(recording, _AVRO, "1m bars only, exactly once", _MINUTES)
            longer = self._minutes(folder)
            for peer in self._peers():
                self._guarded(peer, recording, minutes, longer)
            if wide:
                self._many_symbols(folder)

    def _ours(self, recording: Recording) -> None:
        """Every service, with all that it does by default."""
        published = self._services.publish(recording, "all.")
        self._note("tickstream-producer", "replay, Avro, acks=all, idempotent", recording.ticks, published)
        self._process(recording, "all.", "bars of 6 intervals, indicators, exactly once")
        start = self._services.process(EMPTY, _SINK)
        self._services.publish(recording, "trades.")
        cost = self._services.process("trades.", _SINK).less(start)
        self._note("tickstream-processor, sink", "trades to InfluxDB", recording.ticks, cost)

    def _minutes(self, folder: Path) -> Figure:
        """The work that the peers do over a longer run, without and with indicators; gives the line without."""
        recording = self._record(folder, _LONGER * self._ticks, self._symbols)
        costs: dict[str, list[Cost]] = {_MANY_MINUTES: [], _INDICATIONS: []}
        for turn in range(_TURNS):
            for kind, flags in ((_MANY_MINUTES, _MINUTES), (_INDICATIONS, _INDICATED)):
                place = f"{kind}{turn}." if turn else kind
                self._services.publish(recording, place)
                costs[kind].append(self._services.process(place, _ALL, flags).less(self._start))
        minutes, indicated = (
            self._note("tickstream-processor", does, recording.ticks, _median(costs[kind]))
            for kind, does in (
                (_MANY_MINUTES, "1m bars only, exactly once, longer run"),
                (_INDICATIONS, "1m bars, all indicators, exactly once, longer run"),
            )
        )
        self.ratios.append(Ratio.dearer(indicated, minutes, "< 1.20"))
        return minutes

    def _peers(self) -> Iterator[Peer]:
        for make in PEERS:
            try:
                yield make()
            except TickstreamError as error:
                sys.stderr.write(f"{error}\n")

    def _guarded(self, peer: Peer, recording: Recording, minutes: Figure, longer: Figure) -> None:
        """Measure a peer; one that fails is told of, and the benchmark goes on."""
        try:
            self._beside(peer, recording, minutes, longer)
        except FatalError as error:
            sys.stderr.write(f"{peer.name} could not run here: {error}\n")

    def _beside(self, peer: Peer, recording: Recording, minutes: Figure, longer: Figure) -> None:
        place = _AVRO
        if peer.encoding != "avro":
            place = f"{peer.encoding}."
            self._services.publish(recording, place, {"PRODUCER_FORMAT": peer.encoding})
        start = peer.run(0, self._services.at(EMPTY))
        cost = peer.run(recording.ticks, self._services.at(place)).less(start)
        figure = self._note(peer.name, peer.does, recording.ticks, cost)
        self.ratios.append(Ratio.faster(minutes, figure, _AIMS.get(peer.name, "")))
        if peer.warms_up:
            self._beside_warm(peer, start, longer)

    def _beside_warm(self, peer: Peer, start: Cost, ours: Figure) -> None:
        """Over the longer run, and over the second half of it alone, when what is hot is compiled."""
        cost = peer.run(ours.ticks, self._services.at(_MANY_MINUTES)).less(start)
        whole = self._note(peer.name, f"{peer.does}, longer run", ours.ticks, cost)
        half = orjson.loads(cost.output.splitlines()[-1])["second_half"]
        warm = Cost(half["seconds"], half["cpu_seconds"], cost.peak, cost.output)
        second = self._note(peer.name, f"{peer.does}, second half of it", half["ticks"], warm)
        self.ratios += [Ratio.faster(ours, figure, _AIMS.get(peer.name, "")) for figure in (whole, second)]

    def _many_symbols(self, folder: Path) -> None:
        """As many trades of few symbols and of many, which trade as often; then of many that trade seldom."""
        ticks = _LONGER * self._ticks
        few, many, seldom = (
            self._spread(folder, ticks, symbols, each)
            for symbols, each in ((_FEW, _OFTEN), (_MANY, _OFTEN), (_MANY, _SELDOM))
        )
        self.ratios += [Ratio.dearer(many, few, "<= 1.30"), Ratio.dearer(seldom, few, "")]
        for peer in self._peers():
            if peer.warms_up:
                start = peer.run(0, self._services.at(EMPTY))
                cost = peer.run(ticks, self._services.at(_place(_MANY, _SELDOM))).less(start)
                theirs = self._note(peer.name, f"{peer.does}, {_spread_of(_MANY, _SELDOM)}", ticks, cost)
                self.ratios.append(Ratio.faster(seldom, theirs, _AIMS.get(peer.name, "")))
        self._restart(self._record(folder, ticks, _MANY))

    def _restart(self, recording: Recording) -> None:
        """Start with the state that many symbols come to with all that the processor does by default."""
        self._services.publish(recording, _RESTARTS)
        does = f"bars of 6 intervals, indicators, exactly once, {recording.symbols:,} symbols"
        self._process(recording, _RESTARTS, does)
        self.starts.append(Start(f"tickstream-processor, {does}", self._services.start(_RESTARTS, _ALL), "< 10 s"))

    def _spread(self, folder: Path, ticks: int, symbols: int, each: int) -> Figure:
        recording = self._record(folder, ticks, symbols, max(1, symbols * each // 60))
        self._services.publish(recording, _place(symbols, each))
        return self._process(recording, _place(symbols, each), f"1m bars only, {_spread_of(symbols, each)}", _MINUTES)

    def _record(self, folder: Path, ticks: int, symbols: int, per_second: int = 1_000) -> Recording:
        return Recording.write(folder, ticks, symbols, self._environment, per_second)

    def _process(self, recording: Recording, place: str, does: str, flags: Sequence[str] = ()) -> Figure:
        cost = self._services.process(place, _ALL, flags).less(self._start)
        return self._note("tickstream-processor", does, recording.ticks, cost)

    def _note(self, who: str, does: str, ticks: int, cost: Cost) -> Figure:
        figure = Figure.of(who, does, ticks, cost)
        sys.stderr.write(f"{who}, {does}: {figure.per_cpu_second:,.0f} ticks per CPU-second\n")
        self.figures.append(figure)
        return figure


def _median(costs: Sequence[Cost]) -> Cost:
    return sorted(costs, key=lambda cost: cost.cpu)[len(costs) // 2]


def _place(symbols: int, each: int) -> str:
    return f"of-{symbols}-{each}."


def _spread_of(symbols: int, each: int) -> str:
    return f"{symbols:,} symbols, {each} trades a minute each"
