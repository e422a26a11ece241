"""Who came and who was turned away: log lines that hold no secret, and at a rate that nobody can drive up."""

from __future__ import annotations

from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.logging import logger
from tickstream.ws_bridge.domain.grant import Grant
from tickstream.ws_bridge.domain.pace import CommandBudget
from tickstream.ws_bridge.metrics import BridgeMetrics

_LOG = logger(__name__)
_LINES_PER_SECOND: Final = 50
_MAX_SHOWN: Final = 200


class _Kind:
    """Lines that share a budget, so that a flood of one kind hides no other."""

    def __init__(self, now: float) -> None:
        self.budget = CommandBudget(_LINES_PER_SECOND, now)
        self.left_out = 0


class Audit:
    """Writes the lines.

    Args:
        clock: for their rate.
        metrics: counts those left out.
    """

    def __init__(self, clock: Clock, metrics: BridgeMetrics) -> None:
        self._clock = clock
        self._metrics = metrics
        now = clock.monotonic()
        self._comings, self._goings, self._denials, self._changes = (_Kind(now) for _ in range(4))

    def connected(self, sid: str, address: str, grant: Grant) -> None:
        """A client was let in."""
        self._write(self._comings, "connected", sid=sid, address=address, holder=grant.holder, name=grant.name)

    def disconnecting(self, sid: str, code: str, grant: Grant) -> None:
        """A client is sent away."""
        self._write(self._goings, "disconnecting", sid=sid, code=code, holder=grant.holder)

    def refused(self, address: str, code: str, reason: str) -> None:
        """A connection was refused."""
        self._write(self._denials, "refused", address=address, code=code, reason=reason)

    def denied(self, sid: str, grant: Grant, channel: str, what: str) -> None:
        """A client asked for what it may not read."""
        self._write(self._denials, "denied", sid=sid, holder=grant.holder, channel=channel, what=what)

    def denied_request(self, address: str, grant: Grant, what: str) -> None:
        """Someone asked over HTTP for what is not for them."""
        self._write(self._denials, "denied", address=address, holder=grant.holder, code="forbidden", what=what)

    def changed(self, address: str, grant: Grant, what: str, status: int) -> None:
        """Someone changed something over HTTP, or tried to; `status` is how that was answered."""
        self._write(self._changes, "changed", address=address, holder=grant.holder, what=what, status=str(status))

    def _write(self, kind: _Kind, event: str, **fields: str) -> None:
        if not kind.budget.spend(self._clock.monotonic()):
            kind.left_out += 1
            self._metrics.audit_left_out.inc()
            return
        shown = {name: value[:_MAX_SHOWN] for name, value in fields.items()}
        _LOG.info(event, **shown, **({"left_out_before": kind.left_out} if kind.left_out else {}))
        kind.left_out = 0
