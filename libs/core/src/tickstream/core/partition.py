"""Partitions, and which one a key goes to: Kafka's own default, murmur2, as the Java clients have it."""

from __future__ import annotations

from typing import Final

Partition = tuple[str, int]
"""A topic's full name, and the number of one of its partitions."""

_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The unsigned 32-bit hash of `data`, as org.apache.kafka.common.utils.Utils.murmur2 makes it."""
    length = len(data)
    h = (_SEED ^ length) & _MASK
    whole = length & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if length & 3:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


def partition_for(key: str, partitions: int) -> int:
    """The partition of `key` on a topic of `partitions`."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
