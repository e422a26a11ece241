"""Socket.IO packets, put together from parts that are JSON already."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from tickstream.ws_bridge.domain.entry import Entry

_EVENT = b"2"

FrameMaker = Callable[[str, Sequence[Entry], bytes, int], bytes]
"""Makes the packet of an event of a channel of its entries, the token in JSON, and how many records were lost."""


def frame(channel: str, entries: Sequence[Entry], resume: bytes, lost: int) -> bytes:
    """The packet of an event `channel` with `{data: [records], resume, lost}`; `resume` is JSON."""
    return b'%b["%b",{"data":[%b],"resume":%b,"lost":%d}]' % (
        _EVENT,
        channel.encode(),
        b",".join([entry.body for entry in entries]),
        resume,
        lost,
    )


def event(name: str, fields: Mapping[str, object]) -> bytes:
    """The packet of an event `name` with one object."""
    return _EVENT + json.dumps([name, fields], separators=(",", ":"), ensure_ascii=False).encode()
