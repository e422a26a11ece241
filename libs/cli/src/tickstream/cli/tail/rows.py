"""Records as flat rows, and rows as lines of text."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Protocol

import orjson

from tickstream.core.kafka import Message
from tickstream.core.model import Record

Row = dict[str, object]

_TIMES = ("ts_event", "start")
_SYMBOLS = ("symbol", "scope")
_ASIDE = frozenset({"symbol", "scope", "ts_event", "ts_ingest", "start", "end"})


def row_of(record: Record) -> Row:
    """The record's fields by name."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def dead_letter_row(message: Message) -> Row:
    """A rejected record: its place, the reason, and its own bytes in base64."""
    headers = {name: _text(value) for name, value in dict(message.headers() or ()).items()}
    return {
        "symbol": _text(message.key()),
        **headers,
        "value_base64": base64.b64encode(message.value() or b"").decode(),
    }


def symbol_of(row: Row) -> str | None:
    """Whom the row is about."""
    for name in _SYMBOLS:
        value = row.get(name)
        if isinstance(value, str):
            return value
    return None


def event_time_of(row: Row) -> int | None:
    """The row's event time in nanoseconds: a bar's is its start."""
    for name in _TIMES:
        value = row.get(name)
        if isinstance(value, int):
            return value
    return None


class Lines(Protocol):
    """Turns rows into lines of one format."""

    def head(self, row: Row) -> Iterator[str]:
        """What comes before the first row."""
        ...

    def line(self, row: Row) -> str:
        """One row, line end included."""
        ...


class JsonLines:
    """One JSON object a line."""

    def head(self, row: Row) -> Iterator[str]:  # noqa: ARG002 - the protocol's
        return iter(())

    def line(self, row: Row) -> str:
        return orjson.dumps(row, default=dict).decode() + "\n"


class CsvLines:
    """Comma-separated, with a header; maps and lists as JSON."""

    def head(self, row: Row) -> Iterator[str]:
        yield self._joined(row)

    def line(self, row: Row) -> str:
        return self._joined("" if value is None else _cell(value) for value in row.values())

    @staticmethod
    def _joined(cells: Iterator[str] | Row) -> str:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        return text.getvalue()


class PrettyLines:
    """For eyes: the time, the symbol, then name=value."""

    def head(self, row: Row) -> Iterator[str]:  # noqa: ARG002 - the protocol's
        return iter(())

    def line(self, row: Row) -> str:
        ts = event_time_of(row)
        rest = " ".join(
            f"{name}={_cell(value)}" for name, value in row.items() if name not in _ASIDE and value not in (None, "")
        )
        return f"{_clock(ts)}  {symbol_of(row) or '-':<8} {_printable(rest)}\n"


def lines_for(shape: str) -> Lines:
    """The format of that name: pretty, json or csv."""
    formats: dict[str, type[Lines]] = {"pretty": PrettyLines, "json": JsonLines, "csv": CsvLines}
    return formats[shape]()


def _text(value: str | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""


def _cell(value: object) -> str:
    if isinstance(value, Mapping | tuple | list):
        return orjson.dumps(value, default=dict).decode()
    return f"{value:.10g}" if isinstance(value, float) and value == round(value, 6) else str(value)


def _clock(ts: int | None) -> str:
    if ts is None:
        return " " * 23
    seconds, nanos = divmod(ts, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{nanos // 1_000_000:03d}"


def _printable(text: str) -> str:
    """Nothing that a record holds may steer the terminal."""
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)
