"""The rules in force, as the database has them."""

from __future__ import annotations

from typing import Final

from tickstream.alerting.adapters.store import Store
from tickstream.alerting.domain.rule import RuleBook
from tickstream.alerting.figures import Figures
from tickstream.core.clock import Clock
from tickstream.core.logging import logger

_LOG = logger(__name__)
_LOOK_PERIOD: Final = 0.5
"""Seconds between two looks for changed rules."""


class RulesInForce:
    """Looks for changed rules now and then.

    Args:
        store: has them.
        clock: when to look.
        figures: say how many there are.

    Attributes:
        looked: whether the last call of `look` has looked.
    """

    def __init__(self, store: Store, clock: Clock, figures: Figures) -> None:
        self._store = store
        self._clock = clock
        self._figures = figures
        self._revision: int | None = None
        self._next_look = 0.0
        self.rules = RuleBook()
        self.looked = False

    def look(self) -> bool:
        """Whether the rules have changed.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        now = self._clock.monotonic()
        self.looked = now >= self._next_look
        if not self.looked:
            return False
        changed = self._store.rules_revision() != self._revision
        if changed:
            self._revision, self.rules = self._store.rules()
            self._figures.enabled.set(len(self.rules))
            _LOG.info("rules_loaded", rules=len(self.rules), revision=self._revision)
        self._next_look = now + _LOOK_PERIOD
        return changed
