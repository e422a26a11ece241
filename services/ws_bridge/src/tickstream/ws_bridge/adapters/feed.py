"""Reads the topics of all channels in a thread of its own, without a group, and never commits."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Final

from tickstream.core.clock import NANOS_PER_MILLI, Clock
from tickstream.core.errors import FatalError, TickstreamError
from tickstream.core.kafka import Consumer, Kafka, KafkaError, KafkaException, Message, TopicPartition
from tickstream.core.logging import logger
from tickstream.core.topics import SYSTEM_METRICS
from tickstream.ws_bridge.adapters.intake import Log
from tickstream.ws_bridge.adapters.reading import CHANNEL_OF, TOPIC_OF, Batch, Reading, next_offsets
from tickstream.ws_bridge.domain.entry import CHANNELS, Channel
from tickstream.ws_bridge.domain.homes import Partitions
from tickstream.ws_bridge.domain.interest import Interest
from tickstream.ws_bridge.domain.pace import Tempo
from tickstream.ws_bridge.domain.positions import Offsets
from tickstream.ws_bridge.metrics import BridgeMetrics

_LOG = logger(__name__)
_BATCH: Final = 2_000
_IN_FLIGHT: Final = 4
_POLL_SECONDS: Final = 0.02
_LITTLE: Final = 100
_LOOK_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 2.0
_ASIDE_SECONDS: Final = 0.5
_QUIET_SECONDS: Final = 2.0
_RETRY_SECONDS: Final = 1.0
_TOPICS: Final = (*TOPIC_OF.values(), SYSTEM_METRICS.name)
_READ_AHEAD_KB: Final = 16_384
"""What is read ahead waits in memory; beyond that it waits in Kafka."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A time in which some partitions of the trades weren't read.

    Attributes:
        ends: where each of them is read from again.
        gaps: those of which some before that never will be.
    """

    ends: Offsets
    gaps: Partitions


@dataclass(frozen=True, slots=True)
class Listeners:
    """What the feed calls in the event loop, in order; `interest` it asks in its own thread, at any time.

    Attributes:
        interest: says whose trades are wanted.
        opened: gets where reading begins, before the first batch and again after an outage.
        take: gets each batch.
        canaries: gets the next offsets of the canaries' topic, between the batches.
        rested: gets partitions of the trades that aren't read any more.
        woken: gets a rest of some of them that has ended.
        awake: gets those of which what there was then has been taken.
    """

    interest: Interest
    opened: Callable[[Log], None]
    take: Callable[[Batch], None]
    canaries: Callable[[Offsets], None]
    rested: Callable[[Partitions], None]
    woken: Callable[[Rest], None]
    awake: Callable[[Partitions], None]


Place = tuple[str, int]
"""A topic's full name and a partition."""


class Feed:
    """Hands batches to the event loop, in order, never more than a few at once.

    Attributes:
        up: whether Kafka answers.
        failure: what a listener raised: what was handed over is lost to it, so that the node can't go on.

    Args:
        kafka: makes the consumer.
        reading: decodes.
        metrics: lag and whether Kafka answers.
        clock: for the waits.
        lookback: records of each partition read before anything is live.
        loaded: set, in the loop, once they have been.
        listeners: get what is read.
        tempo: of the flushes.
    """

    def __init__(
        self,
        kafka: Kafka,
        reading: Reading,
        metrics: BridgeMetrics,
        clock: Clock,
        lookback: int,
        loaded: asyncio.Event,
        listeners: Listeners,
        tempo: Tempo,
    ) -> None:
        self._kafka = kafka
        self._reading = reading
        self._metrics = metrics
        self._clock = clock
        self._lookback = lookback
        self._loaded = loaded
        self._listeners = listeners
        self._tempo = tempo
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._ending = threading.Event()
        self._anew = threading.Event()
        self._free = threading.Semaphore(_IN_FLIGHT)
        self._next: dict[Place, int] = {}
        self._unread: set[Place] = set()
        self._heard = 0.0
        self._looked = 0.0
        self._taken = 0
        self._backlog = False
        self._turns = cycle(_TOPICS)
        self._orders: deque[Callable[[Consumer], None]] = deque()
        self._resting: set[Place] = set()
        self._waking: dict[Place, int] = {}
        self._assigned: set[Place] = set()
        self.up = False
        self.failure: Exception | None = None

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def begin_anew(self) -> None:
        """Read on with another consumer: this one is given up, though Kafka answers."""
        self._anew.set()

    def rest(self, partitions: Partitions) -> None:
        """Read none of these partitions of the trades until `wake`."""
        self._orders.append(partial(self._begin_rest, partitions))

    def wake(self, partitions: Partitions) -> None:
        """Go on with these where their rest began, or at the lookback if that is later."""
        self._orders.append(partial(self._end_rest, partitions))

    async def stop(self) -> None:
        """End the thread."""
        self._ending.set()
        await asyncio.to_thread(self._thread.join, 10.0)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._kafka.ensure_topics(_TOPICS)
                self._anew.clear()
                consumer = self._kafka.reader(fetch_wait_max_ms=20, queued_max_messages_kbytes=_READ_AHEAD_KB)
                try:
                    self._assign(consumer)
                    self._read(consumer)
                finally:
                    consumer.close()
            except (TickstreamError, KafkaException) as error:
                _LOG.warning("kafka_away", reason=str(error))
                self._away()
            except Exception:  # noqa: BLE001 - a reader that ends for good would leave the bridge deaf
                _LOG.exception("reading_failed")
                self._away()

    def _away(self) -> None:
        self._set_up(up=False)
        self._ending.wait(_RETRY_SECONDS)

    def _assign(self, consumer: Consumer) -> None:
        """Start where reading stopped, or the first time at the lookback, and at the beginning of added partitions."""
        for name in TOPIC_OF.values():
            for place in self._begin(consumer, name, self._lookback):
                self._unread.add(place)
        self._begin(consumer, SYSTEM_METRICS.name, 0)
        self._tell_where()
        self._assigned = set()
        self._go_on(consumer)
        self._heard = self._clock.monotonic()
        self._set_up(up=True)

    def _begin(self, consumer: Consumer, name: str, lookback: int) -> list[Place]:
        """Find where to read a topic's partitions from that haven't been read; gives them."""
        full = self._kafka.topic(name)
        known = self._known(full)
        starts: dict[Place, int] = {}
        for place in [(full, number) for number in range(known, self._kafka.partitions(name))]:
            low, high = consumer.get_watermark_offsets(TopicPartition(*place), timeout=_ANSWER_SECONDS * 5)
            starts[place] = low if known else max(low, high - lookback)
        self._next.update(starts)  # all at once, or else the rest would count as added when this is tried again
        return list(starts)

    def _go_on(self, consumer: Consumer) -> None:
        """Let the consumer read what is to be read, from where that was; nothing else is touched."""
        wanted = self._next.keys() - self._resting
        if ended := self._assigned - wanted:
            consumer.incremental_unassign([TopicPartition(*place) for place in ended])
        if begun := wanted - self._assigned:
            consumer.incremental_assign([TopicPartition(*place, self._next[place]) for place in begun])
        self._assigned = wanted

    def _places(self, partitions: Partitions) -> list[Place]:
        return [(self._kafka.topic(TOPIC_OF["ticks"]), partition) for partition in partitions]

    def _begin_rest(self, partitions: Partitions, consumer: Consumer) -> None:
        self._resting.update(self._places(partitions))
        self._go_on(consumer)
        self._in_loop(lambda: self._listeners.rested(partitions))

    def _end_rest(self, partitions: Partitions, consumer: Consumer) -> None:
        ends = {
            place: consumer.get_watermark_offsets(TopicPartition(*place), timeout=_ANSWER_SECONDS)
            for place in self._places(partitions)
        }
        starts = {place: max(self._next[place], low, high - self._lookback) for place, (low, high) in ends.items()}
        gaps = frozenset(place[1] for place, start in starts.items() if start > self._next[place])
        self._next.update(starts)
        self._waking.update({place: high for place, (_low, high) in ends.items()})
        self._resting -= ends.keys()
        rest = Rest({partition: start for (_topic, partition), start in starts.items()}, gaps)
        self._in_loop(lambda: self._listeners.woken(rest))
        self._go_on(consumer)

    def _look_awake(self) -> None:
        if awake := [place for place, high in self._waking.items() if self._next[place] >= high]:
            for place in awake:
                del self._waking[place]
            self._in_loop(lambda: self._listeners.awake(frozenset(partition for _topic, partition in awake)))

    def _known(self, full: str) -> int:
        """How many partitions of a topic are read."""
        return sum(topic == full for topic, _partition in self._next)

    def _tell_where(self) -> None:
        """Tell the loop where every topic is read from; what was handed over before is applied before."""
        starts: dict[str, dict[int, int]] = defaultdict(dict)
        for (topic, partition), offset in self._next.items():
            starts[self._kafka.declared(topic)][partition] = offset
        epochs = {channel: self._kafka.topic_id(TOPIC_OF[channel]) for channel in CHANNELS}
        where = {channel: starts[TOPIC_OF[channel]] for channel in CHANNELS}
        resting = [partition for _topic, partition in self._resting]
        log = Log(self._kafka.cluster_id(), epochs, where, resting, starts[SYSTEM_METRICS.name])
        self._in_loop(lambda: self._listeners.opened(log))

    def _read(self, consumer: Consumer) -> None:
        while not (self._ending.is_set() or self._anew.is_set()):
            while self._orders:
                self._orders[0](consumer)  # once more with the next consumer, if this one fails
                self._orders.popleft()
            messages = self._come(consumer)
            now = self._clock.monotonic()
            self._take_messages(messages)
            self._look_awake()
            if messages:
                self._heard = now
                self._set_up(up=True)
            if now - self._looked >= _LOOK_SECONDS:
                self._looked = now
                self._look(consumer, now)

    def _come(self, consumer: Consumer) -> list[Message]:
        """What has come, soon after there is something: `consume` alone would wait for its whole time to be over."""
        first = consumer.poll(_POLL_SECONDS)
        return [] if first is None else [first, *consumer.consume(_BATCH - 1, self._tempo.gathering)]

    def _take_messages(self, messages: Sequence[Message]) -> None:
        """Hand over what was read; a place counts as reached only then."""
        parts: dict[str, list[Message]] = defaultdict(list)
        ends: list[Message] = []
        for message in messages:
            error = message.error()
            if error is None:
                parts[message.topic() or ""].append(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name for it
                ends.append(message)
            elif error.fatal():
                raise FatalError(f"Kafka can't go on: {error}")
            else:
                _LOG.warning("kafka_error", error=str(error))
        for topic, part in parts.items():
            reached = next_offsets(part)
            name = self._kafka.declared(topic)
            if name == SYSTEM_METRICS.name:
                self._hand_over(partial(self._listeners.canaries, reached))
            else:
                self._take_records(CHANNEL_OF[name], part)
            self._next.update({(topic, partition): offset for partition, offset in reached.items()})
        for end in ends:
            self._reached_end((end.topic() or "", end.partition() or 0), end.offset() or 0)

    def _take_records(self, channel: Channel, messages: Sequence[Message]) -> None:
        self._taken += len(messages)
        batch = self._reading.batch(channel, messages, self._due(messages), self._listeners.interest)
        self._metrics.received.labels(channel).inc(len(messages))
        self._metrics.unreadable.labels(channel).inc(batch.unreadable)
        self._hand_over(partial(self._listeners.take, batch))

    def _due(self, messages: Sequence[Message]) -> int:
        """Since when messages should have gone to the clients.

        Where Kafka has no more than these, that is now, whatever they say of their own age: a producer's clock may be
        wrong, or it may have held them back. What is read of a partition that wakes is nobody's yet.
        """
        now_ns = self._clock.now_ns()
        live = (one for one in messages if not (self._waking and (one.topic(), one.partition()) in self._waking))
        first = next(live, None)
        _kind, published_ms = (0, 0) if first is None else first.timestamp()
        return min(now_ns, published_ms * NANOS_PER_MILLI) if self._backlog and published_ms > 0 else now_ns

    def _reached_end(self, place: Place, offset: int) -> None:
        channel = CHANNEL_OF.get(self._kafka.declared(place[0]))
        if offset > self._next[place] and channel is not None:
            self._next[place] = offset
            nothing = Batch(channel, None, [], [], {place[1]: offset}, 0, self._clock.now_ns())
            self._hand_over(partial(self._listeners.take, nothing))
        if place in self._unread:
            self._unread.discard(place)
            if not self._unread:
                self._in_loop(self._loaded.set)

    def _hand_over(self, call: Callable[[], None]) -> None:
        while not self._free.acquire(timeout=_LOOK_SECONDS):
            if self._ending.is_set():
                return
        self._in_loop(lambda: self._deliver(call))

    def _deliver(self, call: Callable[[], None]) -> None:
        try:
            call()
        finally:
            self._free.release()

    def _in_loop(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._guarded, call)

    def _guarded(self, call: Callable[[], None]) -> None:
        if self.failure is not None:
            return
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever it is, going on would be a silent gap
            self.failure = error
            self._ending.set()

    def _look(self, consumer: Consumer, now: float) -> None:
        """Ask whether Kafka is there and one of the topics has grown, and note how far behind we are."""
        quiet = now - self._heard >= _QUIET_SECONDS
        full = self._kafka.topic(next(self._turns))
        try:
            found = consumer.list_topics(full, timeout=_ANSWER_SECONDS if quiet else _ASIDE_SECONDS).topics[full]
        except KafkaException as error:
            if quiet and self.up:
                _LOG.warning("kafka_away", reason=str(error))
            self._set_up(up=self.up and not quiet)
        else:
            self._set_up(up=True)
            led = sum(partition.leader >= 0 for partition in found.partitions.values())
            if led == len(found.partitions) > self._known(full):
                _LOG.info("partitions_added", topic=full, partitions=led)
                self.begin_anew()
        behind: dict[str, int] = defaultdict(int)
        for (topic, partition), position in self._next.items():
            if (topic, partition) in self._resting or (topic, partition) in self._waking:
                continue
            _low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
            behind[self._kafka.declared(topic)] += max(0, high - position)
        # Else less than a second's work is left, or what has come since the last look into the queue.
        self._backlog = sum(behind.values()) > max(self._taken / 2, _LITTLE)
        self._taken = 0
        for channel, name in TOPIC_OF.items():
            self._metrics.kafka_lag.labels(channel).set(behind[name])

    def _set_up(self, *, up: bool) -> None:
        if up != self.up:
            self.up = up
            self._metrics.kafka_up.set(up)
