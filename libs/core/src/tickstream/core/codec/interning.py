"""The codes of texts that lie among bytes, found without making the texts."""

from __future__ import annotations

from typing import Final

import numpy as np

from tickstream.core.codec.reading import MAX_TEXT, Cursor, Spans
from tickstream.core.codec.varints import WORD_BYTES, Words
from tickstream.core.columns import NULL_CODE, Codes, Interner

NOT_A_TEXT: Final = -2
"""Stands for bytes that get no code: not UTF-8, or one distinct text too many."""

_LEAST_BITS: Final = 10
_MOST_BITS: Final = 16
_SLOTS_A_TEXT: Final = 32
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_FOLD: Final = np.uint64(32)
_EMPTY: Final = -1


class TextTable:
    """Remembers which bytes have which of an interner's codes.

    Each text has one slot that its hash chooses, so two texts can evict each other: that costs
    a look at the interner, and bounds the table's size whatever is read.
    """

    __slots__ = ("_bits", "_codes", "_interner", "_lengths", "_words")

    def __init__(self, interner: Interner) -> None:
        self._interner = interner
        self._clear(_LEAST_BITS)

    def _clear(self, bits: int) -> None:
        slots = 1 << bits
        self._bits = bits
        self._words = np.zeros((MAX_TEXT // WORD_BYTES, slots), dtype=np.uint64)
        self._lengths = np.full(slots, _EMPTY, dtype=np.int64)
        self._codes = np.zeros(slots, dtype=np.int32)

    def codes(self, cursor: Cursor, spans: Spans) -> Codes:
        """The code of each text, a new one for a text not seen before; -1 for null."""
        wanted = min((_SLOTS_A_TEXT * len(self._interner)).bit_length(), _MOST_BITS)
        if wanted > self._bits:
            self._clear(wanted)
        words = cursor.text_words(spans)
        slots = (_hashes(words, spans) >> np.uint64(64 - self._bits)).view(np.int64)
        same = self._lengths.take(slots) == spans.length
        for column, known in zip(words, self._words, strict=False):
            same &= known.take(slots) == column
        codes = self._codes.take(slots)
        null = spans.length < 0
        codes[null] = NULL_CODE
        missing = np.flatnonzero(~(same | null))
        if len(missing):
            codes[missing] = self._learn(cursor.data, spans.take(missing), slots[missing])
        return codes

    def _learn(self, data: bytes, spans: Spans, slots: np.ndarray) -> list[int]:
        seen: dict[bytes, int] = {}
        codes = []
        for start, length, slot in zip(spans.start.tolist(), spans.length.tolist(), slots.tolist(), strict=True):
            raw = data[start : start + length]
            code = seen.get(raw)
            if code is None:
                code = seen[raw] = self._code(raw)
                if code != NOT_A_TEXT:
                    self._keep(raw, slot, code)
            codes.append(code)
        return codes

    def _code(self, raw: bytes) -> int:
        try:
            return self._interner.code(raw.decode())
        except (UnicodeDecodeError, OverflowError):
            return NOT_A_TEXT

    def _keep(self, raw: bytes, slot: int, code: int) -> None:
        self._words[:, slot] = np.frombuffer(raw.ljust(MAX_TEXT, b"\0"), dtype="<u8")
        self._lengths[slot] = len(raw)
        self._codes[slot] = code


def _hashes(words: list[Words], spans: Spans) -> Words:
    mixed = spans.length.astype(np.uint64)
    for column in words:
        mixed = (mixed ^ column) * _FACTOR
        mixed ^= mixed >> _FOLD
    return mixed * _FACTOR
