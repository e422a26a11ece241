"""How much the connections of one key, or from one address, use of what they are allowed together."""

from __future__ import annotations

from typing import Final

from tickstream.ws_bridge.domain.grant import Allowance
from tickstream.ws_bridge.domain.pace import CommandBudget
from tickstream.ws_bridge.domain.protocol import RefusalError

_REFILLED_SECONDS: Final = 2.0
"""After which any budget is full again, so that nothing is gained by going and coming back."""


class Quota:
    """What one holder uses.

    Args:
        holder: whose it is, as messages say it: "this key".
        allowance: how much there is.
        now: seconds, on a clock that never goes back; as everywhere here.
    """

    __slots__ = ("_budget", "_holder", "allowance", "connections", "left_at", "subscriptions")

    def __init__(self, holder: str, allowance: Allowance, now: float) -> None:
        self._holder = holder
        self._budget: CommandBudget | None = None
        self.allowance = Allowance()
        self.connections = 0
        self.subscriptions = 0
        self.left_at = now
        self.allow(allowance, now)

    def allow(self, allowance: Allowance, now: float) -> None:
        """Change how much there is; whoever has more already keeps it."""
        rate = allowance.commands_per_second
        if rate != self.allowance.commands_per_second:
            self._budget = None if rate is None else CommandBudget(rate, now)
        self.allowance = allowance

    def connect(self) -> None:
        """Take the place of one more connection.

        Raises:
            RefusalError: there is none.
        """
        limit = self.allowance.connections
        if limit is not None and self.connections >= limit:
            raise RefusalError("rate_limited", f"{self._holder} may have {limit} connections at the most")
        self.connections += 1

    def command(self, now: float) -> None:
        """Spend one command.

        Raises:
            RefusalError: there were too many of late.
        """
        if self._budget is not None and not self._budget.spend(now):
            limit = self.allowance.commands_per_second
            raise RefusalError("rate_limited", f"{self._holder} may send {limit} commands a second")

    def subscribe(self) -> None:
        """See that there is room for a subscription.

        Raises:
            RefusalError: there isn't.
        """
        limit = self.allowance.subscriptions
        if limit is not None and self.subscriptions >= limit:
            raise RefusalError("too_many_subscriptions", f"{self._holder} may have {limit} subscriptions at the most")


class Quotas:
    """The quotas in use, by holder.

    Args:
        holder: what messages call one of them.
    """

    def __init__(self, holder: str) -> None:
        self._holder = holder
        self._quotas: dict[str, Quota] = {}

    def __len__(self) -> int:
        return len(self._quotas)

    def connect(self, holder: str, allowance: Allowance, now: float) -> Quota:
        """Take the place of one more connection of a holder.

        Raises:
            RefusalError: it isn't allowed one more.
        """
        quota = self._quotas.get(holder)
        if quota is None:
            quota = self._quotas[holder] = Quota(self._holder, allowance, now)
        quota.allow(allowance, now)
        quota.connect()
        return quota

    def leave(self, quota: Quota, now: float) -> None:
        """Give a connection's place back."""
        quota.connections -= 1
        quota.left_at = now

    def sweep(self, now: float) -> None:
        """Forget who has been gone for a while."""
        gone = [
            holder
            for holder, quota in self._quotas.items()
            if not quota.connections and now - quota.left_at >= _REFILLED_SECONDS
        ]
        for holder in gone:
            del self._quotas[holder]
