"""Work that goes on in the background, with someone who holds on to it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from tickstream.core.logging import logger

_LOG = logger(__name__)


class Tasks:
    """Short pieces of work that nobody waits for; a failure is logged."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Begin."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def finish(self) -> None:
        """Wait until nothing is left."""
        while self._running:
            await asyncio.wait(self._running)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("background_work_failed", exc_info=task.exception())
