"""Recorded sessions, once or again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from tickstream.core.columns import TickInterners
from tickstream.core.errors import FatalError
from tickstream.core.logging import logger
from tickstream.producer.adapters.recordings import Recordings
from tickstream.producer.adapters.rows import BadRows
from tickstream.producer.domain.chunks import Chunk
from tickstream.producer.domain.counting import SeqCounter
from tickstream.producer.domain.loop import Shift, Span, next_shift
from tickstream.producer.domain.merge import merge
from tickstream.producer.domain.selection import Selection
from tickstream.producer.parts import Parts

_LOG = logger(__name__)


@dataclass(slots=True)
class Replay:
    """Publishes the recordings of a path.

    Attributes:
        parts: what it works with.
        path: a file or folder.
        bad: told of the rows that are no trades.
    """

    parts: Parts
    path: Path
    bad: BadRows

    def run(self) -> None:
        """Replay once, or with `loop` as one trading day after another until told to stop.

        Raises:
            FatalError: there is nothing to replay, a trade did not arrive, or a row was bad and that counts.
        """
        settings, span = self.parts.settings, Span(self.parts.sessions)
        left, shift = settings.count, None
        while True:
            selection = Selection(self.parts.share, self._symbols(), settings.start, settings.end, left)
            through = self._pass(selection, span, shift)
            left = selection.left
            if settings.strict and self.bad.total:
                raise FatalError(f"{self.bad.total} rows were no trades, and PRODUCER_STRICT allows none")
            if not (through and settings.loop) or left == 0:
                return
            self.bad = BadRows(quiet=True)
            shift = next_shift(span, shift.days if shift else 0)
            _LOG.info("again", as_=shift.label)

    def _pass(self, selection: Selection, span: Span, shift: Shift | None) -> bool:
        """Replay once; says whether the recording's, or the selection's, end was reached."""
        outside = self.parts.outside
        outside.changed = lambda now: selection.want(now.symbols)
        feed = self.parts.feed()
        chunks = selection.of(span.watch(self._chunks()))
        through = feed.run(chunks if shift is None else shift.of(chunks))
        until = selection.until if through else None
        feed.finish(
            complete=through and not selection.cut, until=until if until is None or shift is None else shift.time(until)
        )
        return through

    def _chunks(self) -> Iterator[Chunk]:
        settings = self.parts.settings
        zone = ZoneInfo(settings.timezone) if settings.timezone else None
        # What a reload may ask for must be open already.
        symbols = () if settings.config_file else self._symbols()
        recordings = Recordings(self.path, zone, settings.source_name, symbols, TickInterners(), self.bad)
        merged = merge(recordings.streams())
        return merged if settings.source_name is None else _numbered(merged)

    def _symbols(self) -> tuple[str, ...]:
        return self.parts.outside.now.symbols


def _numbered(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    counter = SeqCounter()
    return (replace(chunk, columns=counter.number(chunk.columns)) for chunk in chunks)
