"""The values of an expression and of its parts, bar by bar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tickstream.alerting.domain.compute import Computer
from tickstream.alerting.domain.expression import Expression, Node, Number, Test
from tickstream.alerting.domain.frame import Frame
from tickstream.alerting.domain.lane import Row, put_row, shapes
from tickstream.alerting.domain.rule import ByExpression, Rule
from tickstream.alerting.domain.tape import Tape, TapeKey
from tickstream.alerting.domain.watch import Watch

Value = float | bool | None
_TRUTHS: tuple[Value, ...] = (False, None, True)


@dataclass(frozen=True, slots=True)
class Step:
    """One bar; the values are those of the parts, None where something isn't known."""

    ts: int
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an expression came to at each bar of a symbol.

    Attributes:
        parts: the condition, and everything that it is made of.
    """

    parts: tuple[str, ...]
    steps: tuple[Step, ...]


def explain(expression: Expression, symbol: str, rows: Iterable[Row], since: int, until: int) -> Explanation:
    """The values at the bars that end within (since, until]; rows of before are looked back at."""
    watch = Watch(Rule("explained", "explained", ByExpression(expression)))
    held = sorted((row for row in rows if row.end <= until), key=lambda row: row.end)
    tapes = _tapes(watch, held)
    clock = tapes[watch.clock]
    nodes = [node for node in dict.fromkeys(expression.nodes()) if not isinstance(node, Number)]
    if symbol not in clock.symbols:
        return Explanation(tuple(map(str, nodes)), ())
    frame = Frame(watch.clock, tapes, [symbol])
    length = int((clock.end[clock.symbols[symbol]] > since).sum())
    ends = frame.ends(length)[0].tolist()
    computer = Computer(frame)
    columns = [list(_values(computer, node, length)) for node in nodes]
    steps = (Step(end, values) for end, *values_of in zip(ends, *columns, strict=True) for values in [tuple(values_of)])
    return Explanation(tuple(map(str, nodes)), tuple(steps))


def _tapes(watch: Watch, rows: list[Row]) -> dict[TapeKey, Tape]:
    """Tapes that are deep enough for everything."""
    depth = watch.lookback + max(1, len(rows))
    tapes = {key: Tape(fields, depth) for key, (fields, _) in shapes([watch]).items()}
    for row in rows:
        for key, tape in tapes.items():
            wanted = not key.sessions or row.session in key.sessions
            if (key.kind, key.interval) == (row.kind, row.interval) and wanted:
                put_row(tape, key, row)
    return tapes


def _values(computer: Computer, node: Node, length: int) -> Iterator[Value]:
    if isinstance(node, Test):
        begins = np.broadcast_to(computer.held(node, length).begins, (1, length))[0]
        yield from (_TRUTHS[truth] for truth in begins.tolist())
        return
    values = np.broadcast_to(computer.value(node, length), (1, length))[0]
    yield from (value if value == value else None for value in values.tolist())  # noqa: PLR0124 - not NaN
