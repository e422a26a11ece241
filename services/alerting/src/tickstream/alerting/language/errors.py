"""What is wrong with an expression, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from tickstream.core.errors import TickstreamError


@dataclass(frozen=True, slots=True)
class At:
    """A part of a text, by its offsets."""

    start: int
    end: int

    def to(self, other: At) -> At:
        """From the beginning of this to the end of the other."""
        return At(self.start, other.end)


class ExpressionError(TickstreamError):
    """An expression that can't be taken.

    Attributes:
        reason: what is wrong, in a sentence.
        line, column: where, from 1.
        excerpt: the line, and below it a mark under the place.
    """

    def __init__(self, text: str, at: At, reason: str) -> None:
        before = text[: at.start]
        self.reason = reason
        self.line = before.count("\n") + 1
        begin = before.rfind("\n") + 1
        self.column = at.start - begin + 1
        line = text[begin:].split("\n", 1)[0]
        width = max(1, min(at.end, begin + len(line)) - at.start)
        lead = "".join("\t" if each == "\t" else " " for each in line[: self.column - 1])
        self.excerpt = f"{line}\n{lead}{'^' * width}"
        super().__init__(f"line {self.line}, column {self.column}: {reason}\n{self.excerpt}")


def meant(given: str, known: Iterable[str]) -> str:
    """What the writer may have meant, as the end of a sentence; empty when nothing is like it."""
    found = get_close_matches(given, known, n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""
