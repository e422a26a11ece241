"""State as the changelog's records hold it.

One record for each of these, written when it has changed:

- how far a partition's input is counted in,
- how far market events have been heard,
- a source's progress,
- a symbol: its watermark, live sources, seen numbers, open windows, waiting late trades and where its series stand,
- a closed bar of a series with indicators, in one of `BLOCK` places that are used in turn,
- up to `BLOCK` closed bars together, taken back when the series lets them go,
- where a series' bars begin, and what indicators had come to there,
- a segment of what late trades may still change.

All numbers are little-endian. A record without a value takes an earlier one back.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tickstream.core.columns import Floats, Ints
from tickstream.core.errors import FatalError
from tickstream.processor.domain.bars import WINDOW, Table
from tickstream.processor.domain.closing import CURSOR
from tickstream.processor.domain.dedupe import Range
from tickstream.processor.domain.functions import BEGINNING, ENDLESS, PRICES
from tickstream.processor.domain.revisions import LATE, REVISION
from tickstream.processor.domain.series import Held

BLOCK: Final = 64

Record = tuple[bytes, bytes | None]
"""A key and a value."""

SEGMENTS: Final = {b"w": WINDOW, b"v": REVISION}
"""The kinds of segments: closed windows, and how often bars have been revised."""

_VERSION: Final = 2
_SEPARATOR: Final = b"\x00"
_OFFSETS_KEY: Final = b"o"
_EVENTS_KEY: Final = b"e"
_EVENTS: Final = struct.Struct("<qq")
_OFFSETS: Final = struct.Struct("<Bqq")
_SOURCE: Final = struct.Struct("<BqB")
_SYMBOL: Final = struct.Struct("<BqHHHI")
_STREAM: Final = struct.Struct("<BHH")
_RANGE: Final = struct.Struct("<qq")
_BARS: Final = struct.Struct("<Bq")
_ONE_BAR: Final = struct.Struct(f"<Bq{len(PRICES)}d")
_ANCHOR: Final = struct.Struct(f"<Bq{len(ENDLESS)}d")
_SEGMENT: Final = struct.Struct("<BII")
_NAME: Final = struct.Struct("<H")


@dataclass(frozen=True, slots=True)
class Offsets:
    """The next offsets of a partition's trades and marks."""

    ticks: int
    marks: int


FROM_THE_BEGINNING: Final = Offsets(-1, -1)


@dataclass(frozen=True, slots=True)
class StreamState:
    """The trades of one symbol from one source."""

    source: str
    live: bool
    seen: list[Range]


@dataclass(frozen=True, slots=True)
class SymbolState:
    """What is known of a symbol; `windows` and `cursors` name intervals by their seconds."""

    watermark: int
    windows: Table
    cursors: Table
    waiting: Table
    streams: list[StreamState]


def offsets_record(offsets: Offsets) -> Record:
    """How far the input is counted in."""
    return _OFFSETS_KEY, _OFFSETS.pack(_VERSION, offsets.ticks, offsets.marks)


def events_record(heard: Mapping[int, int]) -> Record:
    """How far each partition of market_events has been heard."""
    return _EVENTS_KEY, bytes([_VERSION]) + b"".join(_EVENTS.pack(*item) for item in sorted(heard.items()))


def source_record(source: str, progress: int, *, over: bool) -> Record:
    """A source's progress."""
    return b"s" + source.encode(), _SOURCE.pack(_VERSION, progress, over)


def symbol_record(
    symbol: bytes, watermark: int, windows: bytes, cursors: bytes, waiting: bytes, streams: Sequence[StreamState]
) -> Record:
    """A symbol; windows, cursors and waiting late trades are the bytes of their tables."""
    counts = (len(windows) // WINDOW.itemsize, len(cursors) // CURSOR.itemsize, len(streams))
    parts = [_SYMBOL.pack(_VERSION, watermark, *counts, len(waiting) // LATE.itemsize), windows, cursors, waiting]
    for stream in streams:
        name = stream.source.encode()
        parts += [_STREAM.pack(stream.live, len(name), len(stream.seen)), name]
        parts += [_RANGE.pack(*numbers) for numbers in stream.seen]
    return b"y" + symbol, b"".join(parts)


def bar_record(symbol: bytes, seconds: int, number: int, bar: Iterable[float]) -> Record:
    """The closed bar `number` of a series, counted from 0."""
    key = _series_key(b"t", symbol, seconds, number % BLOCK)
    return key, _ONE_BAR.pack(_VERSION, number, *bar)


def block_record(symbol: bytes, seconds: int, first: int, bars: Floats) -> Record:
    """The closed bars of a series from `first` to the end of its block: a row for each of `PRICES`."""
    return _series_key(b"b", symbol, seconds, first // BLOCK), _BARS.pack(_VERSION, first) + bars.T.tobytes()


def block_gone(symbol: bytes, seconds: int, block: int) -> Record:
    """The block of that number isn't needed any more."""
    return _series_key(b"b", symbol, seconds, block), None


def anchor_record(symbol: bytes, seconds: int, anchor: int, stands: Sequence[float]) -> Record:
    """Where the bars of a series begin, and where the functions of `ENDLESS` stand there."""
    return b"a" + _SEPARATOR.join((symbol, b"%d" % seconds)), _ANCHOR.pack(_VERSION, anchor, *stands)


def segment_record(kind: bytes, number: int, rows: Table | None, symbols: Sequence[str], seconds: Ints) -> Record:
    """A segment of one of `SEGMENTS`; None takes it back.

    Args:
        kind: its kind.
        number: its number among its kind.
        rows: with codes of symbols and places of intervals.
        symbols: the symbols' names by their codes.
        seconds: the intervals' by their places.
    """
    key = kind + b"%d" % number
    if rows is None:
        return key, None
    codes, own = np.unique(rows["symbol"], return_inverse=True)
    stored = rows.copy()
    stored["symbol"], stored["interval"] = own, seconds[rows["interval"]]
    names = [symbols[code].encode() for code in codes.tolist()]
    parts = [_SEGMENT.pack(_VERSION, len(names), len(rows)), *(_NAME.pack(len(name)) + name for name in names)]
    return key, b"".join([*parts, stored.tobytes()])


def _series_key(kind: bytes, symbol: bytes, seconds: int, place: int) -> bytes:
    return _SEPARATOR.join((kind + symbol, b"%d" % seconds, b"%d" % place))


class Loaded:
    """State as it is read back, record by record; a later record of a key replaces an earlier one."""

    def __init__(self) -> None:
        self.offsets = FROM_THE_BEGINNING
        self.events: dict[int, int] = {}
        self.sources: dict[str, tuple[int, bool]] = {}
        self.symbols: dict[str, SymbolState] = {}
        self._segments: dict[bytes, bytes] = {}
        self._bars: dict[tuple[str, int], dict[bytes, tuple[int, Floats]]] = {}
        self._anchors: dict[tuple[str, int], tuple[int, tuple[float, ...]]] = {}

    def take(self, key: bytes, value: bytes | None) -> None:
        """Read one record.

        Raises:
            FatalError: another version of this program wrote it.
        """
        if value is None:
            self._forget(key)
            return
        if value[0] != _VERSION:
            raise FatalError(f"state {key!r} must be of version {_VERSION}, was {value[0]}")
        kind, rest = key[:1], key[1:]
        if kind == _OFFSETS_KEY:
            _, ticks, marks = _OFFSETS.unpack(value)
            self.offsets = Offsets(ticks, marks)
        elif kind == _EVENTS_KEY:
            self.events = dict(_EVENTS.iter_unpack(value[1:]))
        elif kind == b"s":
            _, progress, over = _SOURCE.unpack(value)
            self.sources[rest.decode()] = (progress, bool(over))
        elif kind == b"y":
            self.symbols[rest.decode()] = _read_symbol(value)
        elif kind in SEGMENTS:
            self._segments[key] = value
        elif kind == b"a":
            symbol, seconds = rest.rsplit(_SEPARATOR, 1)
            _, anchor, *stands = _ANCHOR.unpack(value)
            self._anchors[symbol.decode(), int(seconds)] = (anchor, tuple(stands))
        else:
            _, first = _BARS.unpack_from(value)
            bars = np.frombuffer(value, dtype=np.float64, offset=_BARS.size).reshape(-1, len(PRICES))
            self._bars.setdefault(_series(rest), {})[key] = (first, bars)

    def segments(self, kind: bytes) -> Iterator[tuple[int, list[str], Table]]:
        """(number, names, rows) of the segments of a kind; a row's symbol is a place in `names`."""
        for key, value in self._segments.items():
            if key[:1] == kind:
                yield (int(key[1:]), *_read_segment(value, SEGMENTS[kind]))

    def _forget(self, key: bytes) -> None:
        self._segments.pop(key, None)
        if key[:1] == b"b":
            self._bars.get(_series(key[1:]), {}).pop(key, None)

    def held(self, symbol: str, seconds: int, bars: int) -> Held:
        """What is kept of a series that has closed `bars`; nothing of one that had no indicators at the last of them.

        Raises:
            FatalError: bars are missing.
        """
        # A bar that is in a block as well as alone may have been revised since it was alone.
        stored = sorted(self._bars.get((symbol, seconds), {}).values(), key=lambda record: len(record[1]))
        if max((first + len(rows) for first, rows in stored), default=0) < bars:
            return Held(anchor=bars)
        anchor, stands = self._anchors.get((symbol, seconds), (0, BEGINNING))
        kept = bars - anchor
        found, known = np.empty((kept, len(PRICES))), np.zeros(kept, dtype=np.bool_)
        for first, rows in stored:
            low, high = max(first, anchor), min(first + len(rows), bars)
            if low < high:
                found[low - anchor : high - anchor] = rows[low - first : high - first]
                known[low - anchor : high - anchor] = True
        if not known.all():
            raise FatalError(
                f"the last {kept} of {bars} bars of {symbol} in {seconds} s must all be kept, some are gone"
            )
        return Held(found.T, anchor, stands)

    def blocks(self, symbol: str, seconds: int) -> list[int]:
        """The numbers of a series' stored blocks."""
        stored = self._bars.get((symbol, seconds), {})
        return sorted(first // BLOCK for key, (first, _) in stored.items() if key[:1] == b"b")


def _read_symbol(value: bytes) -> SymbolState:
    _, watermark, windows, cursors, streams, waiting = _SYMBOL.unpack_from(value)
    at = _SYMBOL.size
    window_rows = np.frombuffer(value, dtype=WINDOW, count=windows, offset=at).copy()
    at += windows * WINDOW.itemsize
    cursor_rows = np.frombuffer(value, dtype=CURSOR, count=cursors, offset=at).copy()
    at += cursors * CURSOR.itemsize
    late_rows = np.frombuffer(value, dtype=LATE, count=waiting, offset=at).copy()
    at += waiting * LATE.itemsize
    found = []
    for _ in range(streams):
        live, length, ranges = _STREAM.unpack_from(value, at)
        at += _STREAM.size
        source = value[at : at + length].decode()
        at += length
        seen: list[Range] = [_RANGE.unpack_from(value, at + _RANGE.size * place) for place in range(ranges)]
        at += _RANGE.size * ranges
        found.append(StreamState(source, bool(live), seen))
    return SymbolState(watermark, window_rows, cursor_rows, late_rows, found)


def _read_segment(value: bytes, dtype: np.dtype[np.void]) -> tuple[list[str], Table]:
    _, names, rows = _SEGMENT.unpack_from(value)
    at = _SEGMENT.size
    found = []
    for _ in range(names):
        (length,) = _NAME.unpack_from(value, at)
        at += _NAME.size
        found.append(value[at : at + length].decode())
        at += length
    return found, np.frombuffer(value, dtype=dtype, count=rows, offset=at).copy()


def _series(key: bytes) -> tuple[str, int]:
    symbol, seconds, _ = key.rsplit(_SEPARATOR, 2)
    return symbol.decode(), int(seconds)
