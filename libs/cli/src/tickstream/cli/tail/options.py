"""What a tail is asked for: where to begin, where to end, whom to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tickstream.core.clock import event_time
from tickstream.core.errors import SettingProblem, SettingsError

_A_TIME: Final = "a time such as 2013-10-08T14:30:00Z"
FORMATS: Final = ("pretty", "json", "csv")


@dataclass(frozen=True, slots=True)
class Beginning:
    """Everything that the topic still holds."""


@dataclass(frozen=True, slots=True)
class End:
    """Only what is published from now on."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last `count` matching records, and what follows."""

    count: int


@dataclass(frozen=True, slots=True)
class Since:
    """Records whose event time is `ts` (nanoseconds) or later."""

    ts: int


Start = Beginning | End | Last | Since


@dataclass(frozen=True, slots=True)
class TailOptions:
    """One tail; `until` is an event time in nanoseconds, not included."""

    topic: str
    symbols: frozenset[str]
    start: Start
    until: int | None
    count: int | None
    exit_at_end: bool
    format: str


def parse(
    topic: str,
    topics: tuple[str, ...],
    *,
    symbol: str | None,
    start: str,
    until: str | None,
    count: int | None,
    exit_at_end: bool,
    shape: str,
) -> TailOptions:
    """Check all of a tail's options together.

    Raises:
        SettingsError: one or more of them break a rule.
    """
    problems: list[SettingProblem] = []

    def checked(name: str, value: str, rule: str, *, good: bool) -> None:
        if not good:
            problems.append(SettingProblem(name, value, rule))

    checked("TOPIC", topic, f"must be one of {', '.join(topics)}", good=topic in topics)
    checked("--format", shape, f"must be one of {', '.join(FORMATS)}", good=shape in FORMATS)
    checked("-n", str(count), "must be at least 1", good=count is None or count >= 1)
    begin = _start(start)
    checked("--from", start, f"must be beginning, end, -N or {_A_TIME}", good=begin is not None)
    end = _time(until) if until is not None else None
    checked("--until", str(until), f"must be {_A_TIME}", good=until is None or end is not None)
    if problems or begin is None:
        raise SettingsError(tuple(problems))
    symbols = frozenset(part.strip() for part in (symbol or "").split(",") if part.strip())
    return TailOptions(topic, symbols, begin, end, count, exit_at_end, shape)


def _start(text: str) -> Start | None:
    match text:
        case "beginning":
            return Beginning()
        case "end":
            return End()
        case _ if text.startswith("-") and text[1:].isdigit():
            return Last(int(text[1:]))
        case _:
            ts = _time(text)
            return None if ts is None else Since(ts)


def _time(text: str) -> int | None:
    try:
        return event_time(text)
    except ValueError:
        return None
