"""What a bar is measured by, and what that is called."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Final, Literal

from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.topics import INTERVALS

Measure = Literal["time", "trades", "volume", "value"]

_NAME: Final = re.compile(r"([1-9][0-9]{0,11})([smhdtv])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600}
_LARGER: Final = {"s": "m", "m": "h"}
_COUNTED: Final[dict[str, Measure]] = {"t": "trades", "v": "volume", "d": "value"}
_DAY: Final = 86_400
_LEAST_VALUE: Final = 1000
_QUIET_FROM: Final = 60 * NANOS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Interval:
    """One kind of bars.

    Attributes:
        name: `30s`, `1m`, `4h`, `1d`: time; `100t`, `10000v`, `1000000d`: trades, volume, value traded.
        measure: what a bar is measured by.
        size: how much of it makes a bar; nanoseconds, of time.
        daily: whether bars run from midnight to midnight where the exchange is.
    """

    name: str
    measure: Measure
    size: int
    daily: bool = False

    @classmethod
    def named(cls, name: str) -> Interval:
        """The interval of a name.

        Raises:
            ValueError: there is none of that name.
        """
        found = _NAME.fullmatch(name)
        if found is None:
            raise ValueError(f"interval {name!r} must be like {', '.join(INTERVALS)}, 100t, 10000v or 1000000d")
        size, unit = int(found[1]), found[2]
        if name == "1d":
            return cls(name, "time", _DAY * NANOS_PER_SECOND, daily=True)
        if unit == "d" and size < _LEAST_VALUE:
            raise ValueError(f"interval {name!r} must be 1d, a day, or {_LEAST_VALUE}d and more of value traded")
        if unit in _COUNTED:
            return cls(name, _COUNTED[unit], size)
        if unit in _LARGER and size % 60 == 0:
            raise ValueError(f"interval {name!r} must be called {size // 60}{_LARGER[unit]}")
        seconds = size * _UNITS[unit]
        if seconds >= _DAY or _DAY % seconds:
            raise ValueError(f"interval {name!r} must go into a day without rest; a whole day is 1d")
        return cls(name, "time", seconds * NANOS_PER_SECOND)

    @property
    def counted(self) -> bool:
        """Whether bars end with a trade, not with time."""
        return self.measure != "time"

    @property
    def fills(self) -> bool:
        """Whether windows without a trade get a bar."""
        return not self.counted and self.size >= _QUIET_FROM

    @property
    def code(self) -> int:
        """What stored state calls it: the seconds of time, a negative number of other measures."""
        return -1 - (zlib.crc32(self.name.encode()) >> 1) if self.counted else self.size // NANOS_PER_SECOND

    @property
    def rank(self) -> tuple[bool, str, int]:
        """In the order of this, time comes first, and shorter before longer."""
        return self.counted, self.measure, self.size

    def most_within(self, time: int) -> int:
        """How many windows have something in common with so many nanoseconds, at most; 0 when none is known."""
        return 0 if self.counted else time // self.size + 2
