"""Avro bodies read field by field across many records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.codec import varints
from tickstream.core.codec.varints import WORD_BYTES, Words
from tickstream.core.columns import Floats, Ints

MAX_TEXT: Final = 64
"""Longer texts, in bytes, are left to the record-by-record way."""

_PADDING: Final = bytes(2048)
_MASKS: Final = np.array([(1 << 8 * count) - 1 for count in range(WORD_BYTES + 1)], dtype=np.uint64)
# What a text of each length (the last one: null) has in its first word, its second …
_TEXT_MASKS: Final = tuple(
    _MASKS[np.append(np.clip(np.arange(MAX_TEXT + 1) - skip, 0, WORD_BYTES), 0)]
    for skip in range(0, MAX_TEXT, WORD_BYTES)
)
_HIGH_BITS: Final = np.uint64(0x8080808080808080)
_CONTINUES: Final = 0x80


@dataclass(frozen=True, slots=True)
class Spans:
    """Where the text of each record lies among the bytes; a length of -1 is null."""

    start: Ints
    length: Ints

    def take(self, rows: NDArray[np.intp]) -> Spans:
        """The spans of the chosen rows."""
        return Spans(self.start[rows], self.length[rows])


class Cursor:
    """A place in each of many records, which every read moves on.

    A read beyond a record's end sees the next one's bytes or padding: places only grow, so the
    caller finds out by comparing them with the ends. `ok` is False where a record can't be read
    this way.
    """

    __slots__ = ("_bytes", "_words", "at", "data", "ok")

    def __init__(self, values: Sequence[bytes], starts: Ints) -> None:
        self.data = b"".join((*values, _PADDING))
        self._bytes = np.frombuffer(self.data, dtype=np.uint8)
        self._words: Words = np.ndarray((len(self.data) - WORD_BYTES + 1,), "<u8", self.data, strides=(1,))
        self.at = starts
        self.ok = np.ones(len(starts), dtype=np.bool_)

    def words(self, count: int) -> Words:
        """The next `count` bytes as a number, 8 at most."""
        word: Words = self._words[self.at] & _MASKS[count]
        self.at = self.at + count
        return word

    def doubles(self) -> Floats:
        """A double of each record."""
        words = self._words[self.at]
        self.at = self.at + WORD_BYTES
        return words.view(np.float64)

    def longs(self) -> Ints:
        """A long or an int of each record."""
        head = self._bytes.take(self.at)
        if not (head & _CONTINUES).any():
            self.at = self.at + 1
            return varints.unzigzag_bytes(head)
        value, size = varints.gather(self._words[self.at])
        over = size > WORD_BYTES
        if over.any():
            last = self._words[self.at + WORD_BYTES] * over
            more = (last >> 7) & 1
            value |= (last & 0x7F) << 56
            value |= (last >> 8) * more << 63
            size += more.view(np.int64)
            self.ok &= (more & (last >> 15)) == 0
        self.at = self.at + size
        return varints.unzigzag(value)

    def texts(self) -> Spans:
        """A text of each record."""
        length = self.longs()
        fits = length.view(np.uint64) <= MAX_TEXT
        if not fits.all():
            self.ok &= fits
            length = length * fits
        spans = Spans(self.at, length)
        self.at = self.at + length
        return spans

    def optional_texts(self) -> Spans:
        """A text or null of each record."""
        branch = self.longs()
        present = branch == 1
        self.ok &= present | (branch == 0)
        if not present.any():
            return Spans(self.at, np.full(len(branch), -1))
        after_branch = self.at
        texts = self.texts()
        if present.all():
            return texts
        self.at = np.where(present, self.at, after_branch)
        return Spans(texts.start, np.where(present, texts.length, -1))

    def text_words(self, spans: Spans) -> list[Words]:
        """The texts' bytes as words, zeros after the end."""
        longest = int(spans.length.max(initial=0))
        return [
            self._words[spans.start + skip] & masks.take(spans.length)
            for skip, masks in zip(range(0, longest, WORD_BYTES), _TEXT_MASKS, strict=False)
        ]

    def ascii(self, spans: Spans) -> NDArray[np.bool_]:
        """Whether each text has nothing but ASCII in it."""
        high = np.zeros(len(spans.start), dtype=np.uint64)
        for words in self.text_words(spans):
            high |= words
        clean: NDArray[np.bool_] = (high & _HIGH_BITS) == 0
        return clean

    def ascii_texts(self, spans: Spans) -> list[str | None]:
        """The texts themselves, which must be ASCII."""
        if spans.length.max(initial=-1) < 0:
            return [None] * len(spans.length)
        text = str(self.data, "latin-1")
        ends = (spans.start + spans.length).tolist()
        return [
            text[start:end] if end >= start else None for start, end in zip(spans.start.tolist(), ends, strict=True)
        ]
