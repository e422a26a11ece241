"""Clients that come back: what they missed is read for all of them together, and they go on without a gap."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tickstream.core.clock import Clock
from tickstream.ws_bridge.adapters.rereading import Rereader
from tickstream.ws_bridge.adapters.tasks import Tasks
from tickstream.ws_bridge.domain.entry import Channel
from tickstream.ws_bridge.domain.hub import Hub, Subscribed
from tickstream.ws_bridge.domain.positions import TokenError
from tickstream.ws_bridge.domain.protocol import RefusalError, Subscribe
from tickstream.ws_bridge.domain.replay import Absence, Replay
from tickstream.ws_bridge.domain.sharing import Room
from tickstream.ws_bridge.metrics import BridgeMetrics

_LOOK_SECONDS: Final = 0.02
_SLICE: Final = 8
"""Clients served between two looks at what else there is to do."""


@dataclass(frozen=True, slots=True)
class ResumeLimits:
    """How much is done for those who come back.

    Attributes:
        records: of a topic between where a client was and the present.
        seconds: until it has to be served.
        at_once: clients' subscriptions that may wait.
        readers: threads.
    """

    records: int
    seconds: float
    at_once: int
    readers: int


class Resumes:
    """Lets subscriptions go on from their tokens.

    While a channel's topic is being read, those who come later gather for the next reading: a thousand clients
    that come back at once cost two or three readings.

    Args:
        hub: has the subscriptions.
        rereader: reads.
        room: what one subscription may have missed.
        limits: of the rest.
        clock: for how long it takes.
        metrics: counts them.
    """

    def __init__(
        self, hub: Hub, rereader: Rereader, room: Room, limits: ResumeLimits, clock: Clock, metrics: BridgeMetrics
    ) -> None:
        self._hub = hub
        self._rereader = rereader
        self._room = room
        self._limits = limits
        self._clock = clock
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(limits.readers, thread_name_prefix="resume")
        self._tasks = Tasks()
        self._waiting: dict[Channel, list[tuple[Absence, asyncio.Future[None]]]] = {}
        self._reading: set[Channel] = set()
        self._count = 0

    async def stop(self) -> None:
        """End the reading; who still waits for it gets a snapshot."""
        self._rereader.stop()
        await self._tasks.finish()

    def begin(self, client: str, request: Subscribe, token: str) -> Subscribed | Absence:
        """Subscribe; where something has to be read first, `finish` has the answer.

        Raises:
            RefusalError: as `Hub.subscribe`.
        """
        try:
            place = self._hub.positions.read(request.channel, token)
        except TokenError as error:
            return self._anew(error.reason, client, request)
        if self._count >= self._limits.at_once:
            return self._anew("busy", client, request)
        absence = self._hub.rejoin(client, request, place)
        if absence.obstacle is None and absence.records() > self._limits.records:
            absence.obstacle = "beyond_bound"
        if absence.obstacle is not None or (not absence.records() and self._hub.caught_up(absence)):
            return self._ended(absence)
        self._count += 1
        return absence

    async def finish(self, absence: Absence) -> Subscribed:
        """Read what was missed, within the limits, and let the subscription go on.

        Raises:
            RefusalError: as `Hub.recover`.
        """
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._read(absence)
                while absence.obstacle is None and not self._hub.caught_up(absence):  # noqa: ASYNC110 - batches come fast
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            absence.obstacle = "timed_out"
        finally:
            self._count -= 1
        self._metrics.resume.observe(self._clock.monotonic() - began)
        return self._ended(absence)

    def _ended(self, absence: Absence) -> Subscribed:
        with self._refusals_counted():
            answer = self._hub.recover(absence)
        self._metrics.resumes.labels(absence.obstacle or "recovered").inc()
        return answer

    def _anew(self, outcome: str, client: str, request: Subscribe) -> Subscribed:
        with self._refusals_counted():
            answer = self._hub.subscribe(client, request)
        self._metrics.resumes.labels(outcome).inc()
        return answer

    @contextmanager
    def _refusals_counted(self) -> Iterator[None]:
        try:
            yield
        except RefusalError as refusal:
            self._metrics.resumes.labels("ended" if refusal.code == "unknown_subscription" else "refused").inc()
            raise

    async def _read(self, absence: Absence) -> None:
        channel = absence.request.channel
        read: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(channel, []).append((absence, read))
        if channel not in self._reading:
            self._reading.add(channel)
            self._tasks.start(self._read_all(channel))
        await read

    async def _read_all(self, channel: Channel) -> None:
        """Read for those who wait, again as long as more have come meanwhile."""
        loop = asyncio.get_running_loop()
        try:
            while group := self._waiting.pop(channel, []):
                replay = Replay([absence for absence, _read in group], self._room.records, self._room.bytes)
                epoch = self._hub.positions.epoch(channel)
                await loop.run_in_executor(self._pool, self._rereader.read, channel, epoch, replay)
                for served, (_absence, read) in enumerate(group, 1):
                    if not read.done():
                        read.set_result(None)
                    if served % _SLICE == 0:
                        await asyncio.sleep(0)
        finally:
            self._reading.discard(channel)
