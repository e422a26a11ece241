"""What a connection may do, on whose behalf, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tickstream.core.access import UNBOUNDED, Scope


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much several connections may use together, on one node; None is no bound.

    Attributes:
        connections: at the same time.
        subscriptions: at the same time.
        commands_per_second: on average; twice as many at once.
    """

    connections: int | None = None
    subscriptions: int | None = None
    commands_per_second: int | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What who connects has shown to be allowed.

    Attributes:
        holder: whose connections share the allowance; no secret.
        name: for people.
        scope: what may be read.
        allowance: how much.
        expires_ns: when it ends, in nanoseconds since the epoch; None: never.
        key_id: of a key that may be revoked; None: nothing to ask about.
        may_write: whether rules, acknowledgements and silences may be changed, where the scope has all alerts.
    """

    holder: str
    name: str
    scope: Scope = UNBOUNDED
    allowance: Allowance = Allowance()
    expires_ns: int | None = None
    key_id: str | None = None
    may_write: bool = False


ANYONE: Final = Grant("anyone", "anonymous", may_write=True)
