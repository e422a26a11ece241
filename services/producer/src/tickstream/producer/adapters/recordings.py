"""The recordings that a path holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.errors import FatalError
from tickstream.producer.adapters.csv_file import CsvFile
from tickstream.producer.adapters.lean import LeanFile
from tickstream.producer.adapters.parquet import ParquetFile
from tickstream.producer.adapters.rows import BadRows
from tickstream.producer.domain.counting import SeqCounter
from tickstream.producer.domain.merge import Stream
from tickstream.producer.domain.names import source_of

_CSV: Final = (".csv", ".csv.gz")
_PARQUET: Final = (".parquet", ".pq")
SUFFIXES: Final = (".zip", *_CSV, *_PARQUET)


class Recording(Protocol):
    """A file of trades."""

    def read(self, source: str, interners: TickInterners, bad: BadRows) -> Iterator[TickColumns]: ...


@dataclass(frozen=True, slots=True)
class Recordings:
    """The recordings in a file, or in a folder and those below it.

    Attributes:
        path: the file or folder.
        zone: of times that name none.
        source: the name of all trades' source, which are then not counted yet; None names and
            counts each file's own.
        symbols: only these are wanted, and files of others are left out. Empty wants all.
        interners: give the texts their codes.
        bad: told of the rows that are no trades.
    """

    path: Path
    zone: ZoneInfo | None
    source: str | None
    symbols: Collection[str]
    interners: TickInterners
    bad: BadRows

    def streams(self) -> list[Stream]:
        """One a recording, in the order of their paths.

        Raises:
            FatalError: there is nothing to replay, or two files would be the same source.
        """
        paths: dict[str, Path] = {}
        found: list[Stream] = []
        for path in _files(self.path):
            for recording, first, own in self._recording(path):
                if self.source is None and own in paths:
                    raise FatalError(
                        f"{paths[own]} and {path} would both be the source {own}; rename one, or make them one "
                        "recording with --source-name"
                    )
                paths[own] = path
                found.append(self._stream(recording, first, own))
        if not found:
            raise FatalError(f"{self.path} holds no recording of {', '.join(sorted(self.symbols)) or 'trades'}")
        return found

    def _recording(self, path: Path) -> Iterator[tuple[Recording, int, str]]:
        """The recording in a file, when its first trade was, and the source that the file's name makes."""
        name = path.name.lower()
        suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)
        if suffix is None:
            raise FatalError(f"{path} must end with one of {', '.join(SUFFIXES)}")
        if suffix == ".zip":
            lean = LeanFile.of(path)
            if lean is not None and (not self.symbols or lean.symbol in self.symbols):
                yield lean, lean.first, source_of(lean.day, lean.symbol)
        else:
            table = CsvFile(path, self.zone) if suffix in _CSV else ParquetFile(path, self.zone)
            yield table, _first(table), source_of(path.name[: -len(suffix)])

    def _stream(self, recording: Recording, first: int, own: str) -> Stream:
        if self.source is None:
            return Stream(first, lambda: _counted(recording.read(own, self.interners, self.bad)), own)
        name = self.source
        return Stream(first, lambda: recording.read(name, self.interners, self.bad))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.name.lower().endswith(SUFFIXES) and file.is_file())


def _first(recording: Recording) -> int:
    """When the first trade was; 0 when there is none."""
    batches = recording.read("", TickInterners(), BadRows(quiet=True))
    return next((int(batch.ts_event[0]) for batch in batches if len(batch)), 0)


def _counted(batches: Iterator[TickColumns]) -> Iterator[TickColumns]:
    counter = SeqCounter()
    return (counter.number(batch) for batch in batches)
