"""The room that a client's subscriptions share, and who gives way when it is too small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tickstream.ws_bridge.domain.buffer import Buffer, Load


@dataclass(frozen=True, slots=True)
class Room:
    """How much may wait for one client, how much goes into one frame, and how large an answer may be.

    Attributes:
        records: waiting, at most.
        bytes: waiting, at most.
        frame_records: in one frame; more as long as they are within `frame_bytes`.
        snapshot_bytes: in one snapshot.
        frame_bytes: see above.
        answer_bytes: of a snapshot in the answer to `subscribe`; the rest comes with the frames.
    """

    records: int
    bytes: int
    frame_records: int
    snapshot_bytes: int
    frame_bytes: int = 0
    answer_bytes: int = 1 << 30


@dataclass(frozen=True, slots=True)
class Overflow:
    """What became of a client for whom there was more than room.

    Attributes:
        dropped: records.
        behind: whether some of them were of a subscription that takes all frames it can get.
        full: what may not be dropped doesn't fit any more.
    """

    dropped: int = 0
    behind: bool = False
    full: bool = False


NO_OVERFLOW: Final = Overflow()


def overfull(buffers: Sequence[Buffer], records: int, size: int) -> bool:
    """Whether what may not be dropped takes more than half of the room.

    Then the client has to go while there is still room for all of it, and for what comes meanwhile, when it resumes.
    """
    left = _left(buffers, records // 2, size // 2)
    return left.records < 0 or left.bytes < 0


def share(buffers: Sequence[Buffer], records: int, size: int) -> list[int]:
    """Keep buffers within the room that they share.

    What may not be dropped goes first. The rest is divided by max-min fairness (Bertsekas and Gallager, Data Networks,
    6.5.2): whoever needs less than an equal share keeps all, and what they leave is divided among the others. So one
    alone may have everything, and a busy one takes nothing from those that aren't.

    Returns:
        how many entries each of them dropped.
    """
    left = _left(buffers, records, size)
    most_records = _level([buffer.loose.records for buffer in buffers], left.records)
    most_bytes = _level([buffer.loose.bytes for buffer in buffers], left.bytes)
    return [buffer.shrink(most_records, most_bytes) for buffer in buffers]


def _left(buffers: Sequence[Buffer], records: int, size: int) -> Load:
    """The room beside what may not be dropped."""
    left = Load(records, size)
    for buffer in buffers:
        buffer.weigh()
        left.records += buffer.extra.records - buffer.fixed.records
        left.bytes += buffer.extra.bytes - buffer.fixed.bytes
    return left


def _level(sizes: Sequence[int], room: int) -> int:
    """The greatest size such that all fit when none is above it."""
    for smaller, size in enumerate(sorted(sizes)):
        if size * (len(sizes) - smaller) > room:
            return max(0, room) // (len(sizes) - smaller)
        room -= size
    return max(sizes, default=0)
