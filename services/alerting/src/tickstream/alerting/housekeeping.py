"""What is done now and then, beside the loops: rules of a file that has changed, and pruning."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from tickstream.alerting.adapters.pruning import Pruning
from tickstream.alerting.adapters.store import Store
from tickstream.alerting.beside import beside
from tickstream.alerting.spec import RuleSpec
from tickstream.alerting.watched_file import WatchedFile
from tickstream.core.clock import Clock
from tickstream.core.logging import logger
from tickstream.core.service import Stop

_LOG = logger(__name__)
_LOOK_EVERY: Final = 1.0
_PRUNE_EVERY: Final = 3600.0
_BETWEEN_BATCHES: Final = 0.2


class Housekeeping:
    """Every instance does it: of two that do the same, the second finds it done.

    Args:
        rules_file: rules to write when they change; None when there is no file.
        store: the database.
        pruning: deletes what is old; None when everything is kept.
        wait: repeats a call until it raises no RetryableError, or the service is to end.
        clock: when to prune.
    """

    def __init__(
        self,
        rules_file: WatchedFile[list[RuleSpec]] | None,
        store: Store,
        pruning: Pruning | None,
        wait: Callable[[Callable[[], None]], None],
        clock: Clock,
    ) -> None:
        self._rules_file = rules_file
        self._store = store
        self._pruning = pruning
        self._wait = wait
        self._clock = clock
        self._prune_at = 0.0

    def running(self, stop: Stop) -> AbstractContextManager[None]:
        """See `beside`."""
        return beside("housekeeping", self._work, stop)

    def _work(self, stop: Stop) -> None:
        while not stop:
            file = self._rules_file
            if file is not None and file.look():
                specs = file.content
                self._wait(lambda: self._store.upsert_rules(specs))  # noqa: B023 - called at once
            if self._pruning is not None and self._clock.monotonic() >= self._prune_at:
                self._prune(self._pruning, stop)
                self._prune_at = self._clock.monotonic() + _PRUNE_EVERY
            stop.wait(_LOOK_EVERY)

    def _prune(self, pruning: Pruning, stop: Stop) -> None:
        """Delete batch after batch, with room for others between them."""
        deleted: list[int] = []
        while not stop and (not deleted or deleted[-1]):
            self._wait(lambda: deleted.append(pruning.batch(self._clock.now_ns())))
            stop.wait(_BETWEEN_BATCHES)
        if any(deleted):
            _LOG.info("pruned", rows=sum(deleted))
