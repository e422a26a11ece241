"""What a value of each field may be: its type and its size."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from tickstream.core.codec.schemas import Schema
from tickstream.core.errors import BadRecordError

SYMBOL_BYTES: Final = 64
TEXT_BYTES: Final = 256
LONG_TEXT_BYTES: Final = 4096
ENTRIES: Final = 10_000

_LIMITS: Final = {"symbol": SYMBOL_BYTES, "scope": SYMBOL_BYTES, "summary": LONG_TEXT_BYTES}
_NEVER_EMPTY: Final = ("symbol", "scope", "source")
INT32_MAX: Final = 2**31 - 1
_INT32: Final = range(-INT32_MAX - 1, INT32_MAX + 1)
_INT64: Final = range(-(2**63), 2**63)


class Field:
    """One field of a record, as its schema declares it.

    Attributes:
        read: gives the field's value in the model's form.
            Raises BadRecordError when it is of the wrong type or too large.
        default: what stands in where JSON lacks the field; absent when it is required.
    """

    __slots__ = ("default", "name", "read", "required")

    def __init__(self, declared: Schema) -> None:
        self.name: str = declared["name"]
        self.required = "default" not in declared
        self.default: object = declared.get("default")
        self.read: Callable[[Any], Any] = _reader(self.name, declared["type"])


def _reader(name: str, kind: Any) -> Callable[[Any], Any]:  # noqa: PLR0911 - one return a type
    match kind:
        case "string":
            return _text(name, _LIMITS.get(name, TEXT_BYTES), empty=name not in _NEVER_EMPTY)
        case ["null", inner]:
            read = _reader(name, inner)
            return lambda value: None if value is None else read(value)
        case "long":
            return _integer(name, _INT64)
        case "int":
            return _integer(name, _INT32)
        case "double":
            return _double(name)
        case "boolean":
            return _boolean(name)
        case {"type": "map", "values": "double"}:
            return _map(name, _double)
        case {"type": "map", "values": "string"}:
            return _map(name, lambda entry: _text(entry, LONG_TEXT_BYTES))
        case {"type": "array", "items": "string"}:
            return _texts(name)
        case _:
            raise ValueError(f"field {name} has the type {kind}, which no record of ours uses")


def _text(name: str, limit: int, *, empty: bool = True) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise BadRecordError(f"{name} must be a text, was {shown(value)}")
        if not value and not empty:
            raise BadRecordError(f"{name} must not be empty")
        if len(value) * 4 > limit or not value.isascii():
            _check_bytes(name, value, limit)
        return value

    return read


def _check_bytes(name: str, value: str, limit: int) -> None:
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise BadRecordError(f"{name} must be writable as UTF-8, was {shown(value)}") from None
    if size > limit:
        raise BadRecordError(f"{name} must be at most {limit} bytes long, was {size}")


def _integer(name: str, bounds: range) -> Callable[[Any], int]:
    low, high, bits = bounds.start, bounds.stop, bounds.stop.bit_length()

    def read(value: Any) -> int:
        number = int(value) if isinstance(value, np.integer) else value
        if type(number) is not int:
            raise BadRecordError(f"{name} must be an integer, was {shown(value)}")
        if not low <= number < high:
            raise BadRecordError(f"{name} must fit in {bits} bits, was {shown(number)}")
        return number

    return read


def _double(name: str) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if type(value) is float:
            return value
        if value is None:
            return math.nan
        if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
            return _as_double(name, value)
        raise BadRecordError(f"{name} must be a number, was {shown(value)}")

    return read


def _as_double(name: str, value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        raise BadRecordError(f"{name} must fit in a double, was {shown(value)}") from None


def _boolean(name: str) -> Callable[[Any], bool]:
    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise BadRecordError(f"{name} must be true or false, was {shown(value)}")
        return value

    return read


def _map(name: str, of: Callable[[str], Callable[[Any], Any]]) -> Callable[[Any], dict[str, Any]]:
    read_key = _text(f"a key of {name}", LONG_TEXT_BYTES)
    read_value = of(f"a value of {name}")

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise BadRecordError(f"{name} must be a map, was {shown(value)}")
        _check_entries(name, len(value))
        return {read_key(key): read_value(entry) for key, entry in value.items()}

    return read


def _texts(name: str) -> Callable[[Any], tuple[str, ...]]:
    read_text = _text(f"an item of {name}", TEXT_BYTES)

    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple):
            raise BadRecordError(f"{name} must be a list, was {shown(value)}")
        _check_entries(name, len(value))
        return tuple(read_text(text) for text in value)

    return read


def _check_entries(name: str, count: int) -> None:
    if count > ENTRIES:
        raise BadRecordError(f"{name} must have at most {ENTRIES} entries, had {count}")


def shown(value: object) -> str:
    """A value as an error message shows it: short."""
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."
