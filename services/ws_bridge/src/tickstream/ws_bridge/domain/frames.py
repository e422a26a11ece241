"""Socket.IO packets, put together from parts that are JSON already."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

_EVENT = b"2"


def frame(channel: str, bodies: Iterable[bytes], resume: bytes, lost: int) -> bytes:
    """The packet of an event `channel` with `{data: [bodies], resume, lost}`; `resume` is JSON."""
    return b'%b["%b",{"data":[%b],"resume":%b,"lost":%d}]' % (
        _EVENT,
        channel.encode(),
        b",".join(bodies),
        resume,
        lost,
    )


def event(name: str, fields: Mapping[str, object]) -> bytes:
    """The packet of an event `name` with one object."""
    return _EVENT + json.dumps([name, fields], separators=(",", ":"), ensure_ascii=False).encode()
