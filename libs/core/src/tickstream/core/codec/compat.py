"""Whether what was written with one schema can be read with another."""

from __future__ import annotations

from typing import Any, Final

from tickstream.core.codec.schemas import Schema

_PROMOTIONS: Final = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}


def unreadable(writer: Schema, reader: Schema) -> list[str]:
    """Why a reader with schema `reader` can't take what `writer` wrote; empty when it can.

    The rules are those of the Avro specification's "Schema Resolution", for records of plain
    types, unions, maps and arrays.
    """
    if (writer.get("type"), writer.get("name")) != (reader["type"], reader["name"]):
        return [f"it is of {writer.get('name', writer.get('type'))}, not of {reader['name']}"]
    written = {field["name"]: field["type"] for field in writer.get("fields", ())}
    problems = []
    for field in reader["fields"]:
        name = field["name"]
        if name not in written:
            if "default" not in field:
                problems.append(f"field {name} is missing and has no default")
        elif not _fits(written[name], field["type"]):
            problems.append(f"field {name} is {written[name]}, not {field['type']}")
    return problems


def _fits(writer: Any, reader: Any) -> bool:
    if isinstance(writer, list):
        return all(_fits(branch, reader) for branch in writer)
    if isinstance(reader, list):
        return any(_fits(writer, branch) for branch in reader)
    if isinstance(writer, dict) and isinstance(reader, dict):
        inner = {"map": "values", "array": "items"}.get(writer["type"])
        return writer["type"] == reader["type"] and inner is not None and _fits(writer[inner], reader[inner])
    return _plain(writer) == _plain(reader) or _plain(reader) in _PROMOTIONS.get(_plain(writer), ())


def _plain(kind: Any) -> str:
    return str(kind["type"] if isinstance(kind, dict) else kind)
