"""Which rows of a batch a store refuses, found by writing ever smaller parts of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tickstream.processor.sink.series import Refused

MAX_TRIES: Final = 1_000


class PartRefusedError(Exception):
    """A store's refusal of a part of a batch.

    Args:
        reason: the store's own words.
        wholly: every row of the part was refused, not just some.
    """

    def __init__(self, reason: str, *, wholly: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wholly = wholly


def write_in_parts(rows: int, write: Callable[[int, int], None], max_tries: int = MAX_TRIES) -> list[Refused]:
    """Write rows [0, rows), halving what is refused until the bad rows stand alone.

    Args:
        rows: how many there are.
        write: writes rows [first, last), raises PartRefusedError when the store refuses some of them.
        max_tries: calls of `write` at most; after them a refused part is given up as a whole, with
            the good rows in it, so that a batch of nothing but bad rows can't hold everything up.

    Returns:
        The refused rows, in order.
    """
    refused: list[Refused] = []
    parts = [(0, rows)] if rows else []
    tries = 0
    while parts:
        first, last = parts.pop()
        tries += 1
        try:
            write(first, last)
        except PartRefusedError as error:
            if last - first == 1 or error.wholly or tries >= max_tries:
                refused.extend(Refused(row, error.reason) for row in range(first, last))
            else:
                middle = (first + last) // 2
                parts += [(middle, last), (first, middle)]
    return refused
