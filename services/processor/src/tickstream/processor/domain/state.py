"""State as the changelog's records hold it.

One record for each of these, written when it has changed:

- how far a partition's input is counted in,
- how far market events have been heard,
- how far a source has come, by its trades and by its marks,
- which numbers stand for which symbols and sources,
- a segment of a table: open and closed windows, revisions, where series, symbols and streams stand,
- the late trades that wait,
- the numbers that were seen of a stream that misses some,
- when a stream's source counted before it was left behind,
- a closed bar of a series with indicators, in one of `BLOCK` places that are used in turn,
- up to `BLOCK` closed bars together, taken back when the series lets them go,
- where a series' bars begin, and what indicators had come to there.

All numbers are little-endian. A record without a value takes an earlier one back.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Floats
from tickstream.core.errors import FatalError
from tickstream.processor.domain.dedupe import Range
from tickstream.processor.domain.functions import BEGINNING, ENDLESS, PRICES
from tickstream.processor.domain.presence import Span
from tickstream.processor.domain.series import Held

BLOCK: Final = 64

Record = tuple[bytes, bytes | None]
"""A key and a value."""

_VERSION: Final = 4
_SEPARATOR: Final = b"\x00"
_OFFSETS_KEY: Final = b"o"
_EVENTS_KEY: Final = b"e"
_WAITING_KEY: Final = b"l"
_NAMES: Final = (b"n", b"m")
_OF_SERIES: Final = (b"a", b"t", b"b")
_SEGMENTS: Final = (b"w", b"v", b"p", b"c", b"y", b"q")
_EVENTS: Final = struct.Struct("<qq")
_OFFSETS: Final = struct.Struct("<Bqq")
_SOURCE: Final = struct.Struct("<Bqqq")
_RANGE: Final = struct.Struct("<qq")
_BARS: Final = struct.Struct("<Bq")
_ONE_BAR: Final = struct.Struct(f"<Bq{len(PRICES)}d")
_ALONE: Final = np.dtype([("version", "u1"), ("number", "<i8"), ("bar", "<f8", len(PRICES))])
"""The same as a table's row."""

_ANCHOR: Final = struct.Struct(f"<Bq{len(ENDLESS)}d")
_NAME: Final = struct.Struct("<H")


@dataclass(frozen=True, slots=True)
class Offsets:
    """The next offsets of a partition's trades and marks."""

    ticks: int
    marks: int


FROM_THE_BEGINNING: Final = Offsets(-1, -1)


def offsets_record(offsets: Offsets) -> Record:
    """How far the input is counted in."""
    return _OFFSETS_KEY, _OFFSETS.pack(_VERSION, offsets.ticks, offsets.marks)


def events_record(heard: Mapping[int, int]) -> Record:
    """How far each partition of market_events has been heard."""
    return _EVENTS_KEY, bytes([_VERSION]) + b"".join(_EVENTS.pack(*item) for item in sorted(heard.items()))


def source_record(source: str, latest: int, promised: int, ended: int) -> Record:
    """How far a source has come by its trades, what its marks have promised, and when it has ended."""
    return b"s" + source.encode(), _SOURCE.pack(_VERSION, latest, promised, ended)


def names_record(kind: bytes, first: int, names: Sequence[str]) -> Record:
    """The texts of the numbers from `first` on."""
    encoded = [name.encode() for name in names]
    return kind + b"%d" % first, bytes([_VERSION]) + b"".join(_NAME.pack(len(name)) + name for name in encoded)


def waiting_record(late: bytes) -> Record:
    """The late trades that wait."""
    return _WAITING_KEY, bytes([_VERSION]) + late


def ranges_record(stream: int, ranges: Sequence[Range] | None) -> Record:
    """The numbers that were seen of a stream, by its key in its segment; None when none is missing any more."""
    value = None if ranges is None else b"".join([bytes([_VERSION]), *(_RANGE.pack(*numbers) for numbers in ranges)])
    return b"h%d" % stream, value


def spans_record(stream: int, spans: Sequence[Span]) -> Record:
    """When the source of a stream counted but for the last time, by the stream's key in its segment."""
    return b"g%d" % stream, b"".join([bytes([_VERSION]), *(_RANGE.pack(*span) for span in spans)])


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


def segment_record(kind: bytes, number: int, rows: bytes | None) -> Record:
    """A segment of a table; None takes it back."""
    return kind + b"%d" % number, None if rows is None else bytes([_VERSION]) + rows


def _series_key(kind: bytes, symbol: bytes, seconds: int, place: int) -> bytes:
    return _SEPARATOR.join((kind + symbol, b"%d" % seconds, b"%d" % place))


class Loaded:
    """State as it is read back, record by record; a later record of a key replaces an earlier one."""

    def __init__(self) -> None:
        self.offsets = FROM_THE_BEGINNING
        self.events: dict[int, int] = {}
        self.sources: dict[str, tuple[int, int, int]] = {}
        self.waiting = b""
        self.ranges: dict[int, list[Range]] = {}
        self.spans: dict[int, list[Span]] = {}
        self._names: dict[bytes, dict[int, list[str]]] = {kind: {} for kind in _NAMES}
        self._segments: dict[bytes, dict[int, bytes]] = {kind: {} for kind in _SEGMENTS}
        self._bars: dict[bytes, dict[bytes, bytes]] = {}
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
        if kind in self._names:
            self._names[kind][int(rest)] = _read_names(value)
        elif kind in self._segments:
            self._segments[kind][int(rest)] = value[1:]
        elif kind in _OF_SERIES:
            self._take_series(key, value)
        else:
            self._take_one(kind, rest, value)

    def _take_one(self, kind: bytes, rest: bytes, value: bytes) -> None:
        if kind == _OFFSETS_KEY:
            _, ticks, marks = _OFFSETS.unpack(value)
            self.offsets = Offsets(ticks, marks)
        elif kind == _EVENTS_KEY:
            self.events = dict(_EVENTS.iter_unpack(value[1:]))
        elif kind == b"s":
            _, *told = _SOURCE.unpack(value)
            self.sources[rest.decode()] = (told[0], told[1], told[2])
        elif kind == _WAITING_KEY:
            self.waiting = value[1:]
        elif kind == b"h":
            self.ranges[int(rest)] = list(_RANGE.iter_unpack(value[1:]))
        elif kind == b"g":
            self.spans[int(rest)] = list(_RANGE.iter_unpack(value[1:]))

    def _take_series(self, key: bytes, value: bytes) -> None:
        if key[:1] == b"a":
            symbol, seconds = key[1:].rsplit(_SEPARATOR, 1)
            _, anchor, *stands = _ANCHOR.unpack(value)
            self._anchors[symbol.decode(), int(seconds)] = (anchor, tuple(stands))
        else:
            self._bars.setdefault(_series_of(key), {})[key] = value

    def segments(self, kind: bytes) -> list[tuple[int, bytes]]:
        """(number, rows) of the segments of a table."""
        return sorted(self._segments[kind].items())

    def names(self, kind: bytes) -> list[str]:
        """The texts of the numbers from 0 on."""
        return [name for _, names in sorted(self._names[kind].items()) for name in names]

    def _forget(self, key: bytes) -> None:
        kind, rest = key[:1], key[1:]
        if kind in self._segments:
            self._segments[kind].pop(int(rest), None)
        elif kind == b"h":
            self.ranges.pop(int(rest), None)
        elif kind == b"b":
            self._bars.get(_series_of(key), {}).pop(key, None)

    def held(self, symbol: str, seconds: int, bars: int) -> Held:
        """What is kept of a series that has closed `bars`; nothing of one that had no indicators at the last of them.

        Raises:
            FatalError: bars are missing.
        """
        alone, blocks = self._stored(symbol, seconds)
        reached = max(first + len(rows) for first, rows in blocks) if blocks else 0
        if max(reached, int(alone["number"].max(initial=-1)) + 1) < bars:
            return Held(anchor=bars)
        anchor, stands = self._anchors.get((symbol, seconds), (0, BEGINNING))
        kept = bars - anchor
        found, known = np.empty((kept, len(PRICES))), np.zeros(kept, dtype=np.bool_)
        alone = alone[(alone["number"] >= anchor) & (alone["number"] < bars)]
        found[alone["number"] - anchor], known[alone["number"] - anchor] = alone["bar"], True
        # A bar that is in a block as well as alone may have been revised since it was alone.
        for first, rows in blocks:
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
        return sorted(first // BLOCK for first, _ in self._stored(symbol, seconds)[1])

    def _stored(self, symbol: str, seconds: int) -> tuple[NDArray[np.void], list[tuple[int, Floats]]]:
        """A series' bars that were stored alone, and (number of the first, rows) of its blocks."""
        stored = self._bars.get(_SEPARATOR.join((symbol.encode(), b"%d" % seconds)), {})
        alone = b"".join(value for key, value in stored.items() if key[:1] == b"t")
        blocks = [_read_block(value) for key, value in stored.items() if key[:1] == b"b"]
        return np.frombuffer(alone, dtype=_ALONE), blocks


def _read_names(value: bytes) -> list[str]:
    found, at = [], 1
    while at < len(value):
        (length,) = _NAME.unpack_from(value, at)
        at += _NAME.size
        found.append(value[at : at + length].decode())
        at += length
    return found


def _read_block(value: bytes) -> tuple[int, Floats]:
    _, first = _BARS.unpack_from(value)
    return first, np.frombuffer(value, dtype=np.float64, offset=_BARS.size).reshape(-1, len(PRICES))


def _series_of(key: bytes) -> bytes:
    return key[1 : key.rindex(_SEPARATOR)]
