"""Socket.IO packets, put together from parts that are JSON already."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from tickstream.ws_bridge.domain.entry import Waiting

_EVENT = b"2"

FrameMaker = Callable[[str, Sequence[Waiting], bytes, int], bytes]
"""Makes the packet of an event of a channel of its entries, the token in JSON, and how many records were lost."""


def frame(channel: str, entries: Sequence[Waiting], resume: bytes, lost: int) -> bytes:
    """The packet of an event `channel` with `{data: [records], resume, lost}`; `resume` is JSON."""
    first, *others = [entry.body for entry in entries] or [b""]
    parts = [b'%b["%b",{"data":[%b' % (_EVENT, channel.encode(), first), *others]
    parts[-1] += b'],"resume":%b,"lost":%d}]' % (resume, lost)
    return b",".join(parts)


def event(name: str, fields: Mapping[str, object]) -> bytes:
    """The packet of an event `name` with one object."""
    return _EVENT + json.dumps([name, fields], separators=(",", ":"), ensure_ascii=False).encode()
