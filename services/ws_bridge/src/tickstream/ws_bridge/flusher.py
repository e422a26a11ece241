"""Sends, many times a second, what waits for each client: one frame a channel, if the client took the last."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from tickstream.core.clock import NANOS_PER_SECOND, Clock
from tickstream.ws_bridge.adapters.clients import Client, Clients
from tickstream.ws_bridge.adapters.intake import Intake
from tickstream.ws_bridge.domain.entry import CHANNELS
from tickstream.ws_bridge.domain.frames import Frame
from tickstream.ws_bridge.domain.hub import Hub
from tickstream.ws_bridge.domain.journey import Journey
from tickstream.ws_bridge.domain.ladder import Step
from tickstream.ws_bridge.domain.pace import Tempo
from tickstream.ws_bridge.metrics import BridgeMetrics

_SLICE: Final = 32
"""Clients served between two looks at what else there is to do: some milliseconds."""
_SWEEP_SECONDS: Final = 1.0
_RELIEF_SECONDS: Final = 10.0
"""Within which an overloaded node disconnects all that it has to; it stops once the others can be served."""


@dataclass(slots=True)
class _Sent:
    """What went out of one channel, to all clients."""

    frames: int = 0
    records: int = 0
    bytes: int = 0
    lost: int = 0


class Flusher:
    """The loop of the flushes.

    Args:
        hub: has what waits.
        intake: gives it what came since the last flush.
        clients: take it.
        journey: is told of each flush.
        clock: for the grid of the flushes.
        metrics: counts what goes.
        tempo: says when the next flush is.
    """

    def __init__(
        self,
        hub: Hub,
        intake: Intake,
        clients: Clients,
        journey: Journey,
        clock: Clock,
        metrics: BridgeMetrics,
        tempo: Tempo,
    ) -> None:
        self._hub = hub
        self._intake = intake
        self._clients = clients
        self._journey = journey
        self._clock = clock
        self._metrics = metrics
        self._tempo = tempo
        self._swept = 0.0
        self._relieved = 0.0
        self._sent = {channel: _Sent() for channel in CHANNELS}
        self._ages: list[float] = []

    async def run(self, ending: asyncio.Event) -> None:
        """Flush until the end."""
        at = began = self._clock.monotonic()
        worked = time.thread_time()
        while not ending.is_set():
            now = self._clock.monotonic()
            self._metrics.loop_lag.observe(max(0.0, now - at))
            self._intake.apply()
            frames, records = await self.flush(now)
            done = self._clock.monotonic()
            self._metrics.flush.observe(done - now)
            if done - self._swept >= _SWEEP_SECONDS:
                self._swept = done
                self._clients.sweep(done)
                self._metrics.subscriptions.set(len(self._hub.subscriptions.all))
            before, worked = worked, time.thread_time()
            rate = records / max(frames, 1) / max(now - began, self._tempo.interval)
            self._tempo.flushed(worked - before, rate, frames)
            began = now
            at = max(at + self._tempo.interval, done)
            await asyncio.sleep(at - done)

    async def flush(self, now: float) -> tuple[int, int]:
        """Serve every client that something waits for; gives how many frames went, and how many records in them."""
        self._journey.flush_began()
        for served, sid in enumerate(self._hub.waiting(), 1):
            client = self._clients.get(sid)
            if client is not None:
                self._serve(client, now)
            if served % _SLICE == 0:
                await asyncio.sleep(0)
                if not self._tempo.gathers:
                    self._intake.apply()
        self._journey.flush_ended(self._clock.now_ns())
        frames = sum([sent.frames for sent in self._sent.values()])
        records = sum([sent.records for sent in self._sent.values()])
        self._tell()
        return frames, records

    def _serve(self, client: Client, now: float) -> None:
        ladder, portion = client.ladder, client.portion
        due, ready = ladder.due(now), client.outlet.ready()
        taken = due and ready
        portion.looked(now, taken=ready)
        if taken:
            sent = self._hub.collect(client.sid, now, client.outlet.dialect.frame, portion.share)
            if sent:
                client.outlet.write([frame.packet for frame in sent])
                ladder.went(now)
                portion.went(now, full=self._hub.waits(client.sid))
                self._count(sent)
        overflow = self._hub.bound(client.sid)
        if overflow.dropped:
            self._metrics.overflowed.inc(overflow.dropped)
        if overflow.behind:
            ladder.overflowed(now)
        step = Step.OFF if overflow.full else self._judge(client, now, taken=taken) if due else None
        if step is not None:
            self._clients.move(client, step)

    def _judge(self, client: Client, now: float, *, taken: bool) -> Step | None:
        """What changes for a client, also because the node itself can't keep up: then one goes after the other."""
        too_much = self._hub.overloaded and self._hub.burdens(client.sid)
        step = client.ladder.judge(now, taken=taken, too_much=too_much)
        if step is Step.OFF and taken and too_much:
            if now - self._relieved < _RELIEF_SECONDS / len(self._clients):
                return None
            self._relieved = now
        return step

    def _count(self, sent: list[Frame]) -> None:
        now_ns = self._clock.now_ns()
        for frame in sent:
            channel = self._sent[frame.channel]
            channel.frames += 1
            channel.records += frame.records
            channel.bytes += len(frame.packet)
            channel.lost += frame.lost
            if frame.ts_ingest:
                self._ages.append(max(0, now_ns - frame.ts_ingest) / NANOS_PER_SECOND)

    def _tell(self) -> None:
        """Bring the counters up to date, once for all clients."""
        metrics = self._metrics
        if self._ages:
            metrics.latency.observe(self._ages)
            self._ages = []
        for channel, sent in self._sent.items():
            if sent.frames:
                metrics.frames.labels(channel).inc(sent.frames)
                metrics.records.labels(channel).inc(sent.records)
                metrics.bytes.labels(channel).inc(sent.bytes)
                metrics.lost.labels(channel).inc(sent.lost)
                self._sent[channel] = _Sent()
