"""Socket.IO packets, put together from parts that are JSON already."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tickstream.ws_bridge.domain.entry import Channel, Waiting


@dataclass(slots=True)
class Frame:
    """One event for one client, ready to be written.

    Attributes:
        packet: the Socket.IO packet.
        records: how many are in it.
        lost: how many it says were left out.
        ts_ingest: of its newest record, in nanoseconds; 0 when the record doesn't say.
    """

    channel: Channel
    packet: bytes
    records: int
    lost: int
    ts_ingest: int


FrameMaker = Callable[[str, Sequence[Waiting], bytes, int], bytes]
"""Makes the packet of an event of a channel of its entries, the token in JSON, and how many records were lost."""


def frame(channel: str, entries: Sequence[Waiting], resume: bytes, lost: int) -> bytes:
    """The packet of an event `channel` with `{data: [records], resume, lost}`; `resume` is JSON."""
    data = b",".join([entry.body for entry in entries])
    return b"".join((b'2["', channel.encode(), b'",{"data":[', data, b'],"resume":', resume, b',"lost":%d}]' % lost))


def event(name: str, fields: Mapping[str, object]) -> bytes:
    """The packet of an event `name` with one object."""
    return b"2" + json.dumps([name, fields], separators=(",", ":"), ensure_ascii=False).encode()
