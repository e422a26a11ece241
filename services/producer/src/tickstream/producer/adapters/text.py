"""Comma-separated lines by the block: read fast as columns, and line by line only around a bad one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

import pyarrow as pa
from pyarrow import csv

from tickstream.core.columns import TickColumns
from tickstream.producer.adapters.rows import BadRows, Rows

_BLOCK: Final = 1 << 20
_LONGEST_LINE: Final = 1 << 16


def blocks(stream: IO[bytes], first_line: int) -> Iterator[tuple[int, bytes]]:
    """Pieces of whole lines, each with the number of its first line."""
    line, rest = first_line, b""
    while data := stream.read(_BLOCK):
        data = rest + data
        end = data.rfind(b"\n") + 1
        block, rest = data[:end], data[end:]
        if len(rest) > _BLOCK:
            block, rest = rest, b""
        if block:
            yield line, block
            line += block.count(b"\n")
    if rest:
        yield line, rest


def trades(
    block: bytes, first_line: int, parse: Callable[[bytes], Rows], path: Path, bad: BadRows
) -> Iterator[TickColumns]:
    """The trades of a block, in as few batches as the lines that `parse` refuses allow.

    Args:
        block: whole lines.
        first_line: the number of the first.
        parse: takes whole lines; raises ArrowInvalid when one of them can't be read.
        path: the file, for the report.
        bad: told of the lines that are no trades.
    """
    try:
        rows = _without_blanks(block, parse)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        lines = block.splitlines(keepends=True)
        if len(lines) > 1:
            half = len(lines) // 2
            yield from trades(b"".join(lines[:half]), first_line, parse, path, bad)
            yield from trades(b"".join(lines[half:]), first_line + half, parse, path, bad)
        elif block.strip():
            bad.report(path, first_line, _reason(block, error))
    else:
        yield rows.trades(path, first_line, bad)


def _without_blanks(block: bytes, parse: Callable[[bytes], Rows]) -> Rows:
    if b"\n\n" in block or b"\n\r\n" in block or block.startswith((b"\n", b"\r\n")):
        raise pa.ArrowInvalid("a line is empty")
    return parse(block)


def table(block: bytes, names: list[str], types: dict[str, pa.DataType]) -> pa.RecordBatch:
    """The columns that `types` names, of lines with the columns `names`.

    Raises:
        ArrowInvalid: a line has another number of columns, or a value is not of its type.
    """
    read = csv.read_csv(
        pa.BufferReader(block),
        csv.ReadOptions(column_names=names, use_threads=False, block_size=max(len(block), 1) + 1),
        csv.ParseOptions(ignore_empty_lines=False),
        csv.ConvertOptions(column_types=types, include_columns=list(types), strings_can_be_null=True, null_values=[""]),
    )
    return read.combine_chunks().to_batches()[0]


def _reason(line: bytes, error: Exception) -> str:
    if len(line) > _LONGEST_LINE:
        return f"the line is {len(line)} bytes long"
    said = str(error).removeprefix("In CSV column ").splitlines()[0]
    return f"{said} in {line.decode(errors='replace').strip()[:200]!r}"
