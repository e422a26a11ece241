"""What the bars of a session come to so far, and what is left of the session before it.

Each row of a tape of bars says it beside the bar's own values, made from the row before it: so rules
know the session's open however long ago that was, and nothing has to be looked back at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isnan, nan
from typing import Final

from tickstream.alerting.domain.names import ACTIVITIES, ACTIVITY, SESSION, SESSION_FIELDS, SESSIONS
from tickstream.alerting.domain.tape import Tape

_WHOLE: Final = "whole"
"""Whether a session was seen from its beginning."""
DAY_FIELDS: Final = (*SESSION_FIELDS, _WHOLE)
_MINUTE: Final = 60_000_000_000
_MAIN: Final = frozenset(float(SESSIONS.index(name)) for name in ("regular", "continuous"))
"""Sessions whose last close is the previous close of those after them."""
_TRADED: Final = float(ACTIVITIES.index("traded"))
_SO_FAR: Final = ("session_open", "session_high", "session_low", _WHOLE)

Values = Mapping[str, float]
Known = tuple[int, Values]
"""A row's end and its values."""


def put_bar(tape: Tape, symbol: str, end: int, values: Values, interval_ns: int) -> list[int]:
    """Take a bar, or the revision of one, and say anew what follows from it in the rows after it.

    Args:
        tape: of bars.
        symbol: whose bar it is.
        end: when it ended.
        values: the bar's own.
        interval_ns: how long bars last, 0 when they don't end with time.

    Returns:
        The ends of the rows that have changed.
    """
    if end > tape.newest(symbol):
        found = day_values(end, values, tape.before(symbol, end), interval_ns)
        tape.put(symbol, end, {**values, **found})
        return [end]
    if not tape.put(symbol, end, values):
        return []
    before = tape.before(symbol, end)
    for at in tape.ends_from(symbol, end):
        row = tape.row(symbol, at)
        found = day_values(at, row, before, interval_ns)
        if not tape.put(symbol, at, found) and at != end:
            return [each for each in tape.ends_from(symbol, end) if each < at]
        before = at, row | found
    return tape.ends_from(symbol, end)


def day_values(end: int, row: Values, before: Known | None, interval_ns: int) -> dict[str, float]:
    """The values of `DAY_FIELDS` of a bar, given the row before it.

    Bars without trades have no part in the session's open, high and low: they repeat an earlier close.
    """
    opened = _opened(end, row)
    known = before[1] if before is not None else {}
    if before is None:
        begins = opened is not None and end - opened <= interval_ns
    else:
        begins = opened is None or opened != _opened(*before)
    found = {name: known.get(name, nan) for name in DAY_FIELDS}
    if begins:
        found |= dict.fromkeys(_SO_FAR, nan)
        found[_WHOLE] = nan if opened is None else 1.0
        if known.get(SESSION) in _MAIN:
            found["previous_close"] = known["close"]
    if found[_WHOLE] == 1.0 and row.get(ACTIVITY) == _TRADED:
        found["session_open"] = row["open"] if isnan(found["session_open"]) else found["session_open"]
        found["session_high"] = _first(max, found["session_high"], row["high"])
        found["session_low"] = _first(min, found["session_low"], row["low"])
    base = row["open"] if begins else known.get("close", nan)
    found["bar_return"] = (row["close"] / base - 1.0) * 100.0 if base else nan
    return found


def _opened(end: int, row: Values) -> int | None:
    """When the bar's session opened, None outside all sessions."""
    minutes = row.get("minutes_since_open", nan)
    return None if isnan(minutes) else end - round(minutes * _MINUTE)


def _first(choose: Callable[[float, float], float], known: float, new: float) -> float:
    return new if isnan(known) else choose(known, new)
