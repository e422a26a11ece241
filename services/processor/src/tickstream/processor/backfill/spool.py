"""Records that wait on disk until all of a partition's are known, so that their transaction is short."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Final, Self

from tickstream.core.errors import FatalError

_RECORD: Final = struct.Struct("<HII")
_CHUNK: Final = 5_000

Chunk = tuple[str, list[bytes | None], list[bytes | None]]
"""A topic, keys and values."""


class Spool:
    """Takes records as transactions do, and gives them back in their order; a context that ends with its file."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - this is its context manager
        self._topics: list[str] = []
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def send(
        self, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes | None], partition: int = -1
    ) -> None:
        """Keep records; they go where their keys belong.

        Raises:
            FatalError: the disk is full.
        """
        del partition
        if topic not in self._topics:
            self._topics.append(topic)
        number = self._topics.index(topic)
        try:
            for key, value in zip(keys, values, strict=True):
                own, body = key or b"", value or b""
                self._file.write(_RECORD.pack(number, len(own), len(body)) + own + body)
        except OSError as error:
            raise FatalError(f"{tempfile.gettempdir()} must have room for what is to be published: {error}") from error
        self.count += len(keys)

    def send_one(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes] | None = None
    ) -> None:
        """Keep one record."""
        del headers
        self.send(topic, [key], [value])

    def chunks(self) -> Iterator[Chunk]:
        """All of them, by the thousands."""
        self._file.seek(0)
        topic, keys, values = "", list[bytes | None](), list[bytes | None]()
        while head := self._file.read(_RECORD.size):
            number, key_length, value_length = _RECORD.unpack(head)
            if keys and (self._topics[number] != topic or len(keys) == _CHUNK):
                yield topic, keys, values
                keys, values = [], []
            topic = self._topics[number]
            keys.append(self._file.read(key_length))
            values.append(self._file.read(value_length))
        if keys:
            yield topic, keys, values
