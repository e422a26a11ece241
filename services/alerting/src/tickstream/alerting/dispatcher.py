"""Sends notifications: a few at once, each receiver by itself, again when it fails.

Order of effects:

1. a notification is taken for an attempt in PostgreSQL,
2. it is sent, under an id that is the same at each attempt,
3. what came of it is written down.

A crash between 2 and 3 sends it again under the same id.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Self

from tickstream.alerting.adapters.channel import Channel, Message, RefusedError
from tickstream.alerting.adapters.deliveries import Deliveries, Delivery
from tickstream.alerting.adapters.templates import Templates
from tickstream.alerting.domain.routing.backoff import Breaker, pause_ns
from tickstream.alerting.figures import Figures
from tickstream.core.clock import NANOS_PER_SECOND, Clock
from tickstream.core.errors import RetryableError
from tickstream.core.logging import logger

_LOG = logger(__name__)
_AT_ONCE: Final = 8
_OF_ONE: Final = 2
"""So many at once to one receiver: a slow one doesn't hold up the others."""


@dataclass(slots=True)
class Receiver:
    """How someone is told."""

    channel: Channel
    templates: Templates
    give_up_after_ns: int
    breaker: Breaker = field(default_factory=Breaker)


class Dispatcher:
    """Takes what waits, and sends it on threads of its own.

    Args:
        receivers: by their names.
        deliveries: what waits.
        clock: says what is due.
        wait: repeats a call until it raises no RetryableError, or the service is to end.
        figures: what is counted.
    """

    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        deliveries: Deliveries,
        clock: Clock,
        wait: Callable[[Callable[[], None]], None],
        figures: Figures,
    ) -> None:
        self._receivers = receivers
        self._deliveries = deliveries
        self._clock = clock
        self._wait = wait
        self._figures = figures
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="notify")
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown()

    def turn(self) -> None:
        """Begin as many attempts as there is room for.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        now = self._clock.now_ns()
        for receiver in self._deliveries.due(now, [name for name in self._receivers if self._room(name, now)]):
            for delivery in self._deliveries.take(now, receiver, self._room(receiver, now)):
                self._begin(delivery, now)

    def _room(self, receiver: str, now: int) -> int:
        """How many attempts a receiver may have more; one that is on trial has one."""
        breaker = self._receivers[receiver].breaker
        with self._lock:
            if not breaker.closed(now):
                return 0
            most = 1 if breaker.on_trial else _OF_ONE
            return max(0, min(most - self._busy[receiver], _AT_ONCE - self._busy.total()))

    def _begin(self, delivery: Delivery, now: int) -> None:
        with self._lock:
            self._busy[delivery.receiver] += 1
            self._receivers[delivery.receiver].breaker.begin(now)
        self._pool.submit(self._attempt, delivery)

    def _attempt(self, delivery: Delivery) -> None:
        try:
            error, retry_after, final = self._send(delivery)
            self._learn(delivery.receiver, failed=not final)
            try:
                self._settle(delivery, error, retry_after, final=final)
            except RetryableError:
                self._wait(lambda: self._settle(delivery, error, retry_after, final=final))
        except Exception:  # noqa: BLE001 - logged with its trace; it is taken again when its time is over
            _LOG.exception("notification_attempt_failed", notification=delivery.id, receiver=delivery.receiver)
        finally:
            with self._lock:
                self._busy[delivery.receiver] -= 1

    def _send(self, delivery: Delivery) -> tuple[str, float, bool]:
        """What went wrong, empty when nothing did; the pause that was asked for; and whether that was the end."""
        receiver = self._receivers[delivery.receiver]
        title, text = receiver.templates.render(delivery.body)
        message = Message(delivery.id, delivery.stream, title, text, delivery.body)
        try:
            receiver.channel.send(message, self._clock.now_ns())
        except RefusedError as error:
            return str(error), 0.0, True
        except RetryableError as error:
            return str(error), error.retry_after, False
        except Exception as error:  # noqa: BLE001 - logged with its trace, and tried again
            _LOG.exception("channel_failed", notification=delivery.id, receiver=delivery.receiver)
            return f"unexpected {type(error).__name__}", 0.0, False
        return "", 0.0, True

    def _learn(self, receiver: str, *, failed: bool) -> None:
        breaker = self._receivers[receiver].breaker
        with self._lock:
            if failed:
                breaker.fail(self._clock.now_ns())
            else:
                breaker.succeed()

    def _settle(self, delivery: Delivery, error: str, retry_after: float, *, final: bool) -> None:
        now, receiver = self._clock.now_ns(), self._receivers[delivery.receiver]
        pause = pause_ns(delivery.attempt, random.random(), round(retry_after * NANOS_PER_SECOND))  # noqa: S311 (no secret)
        if not error:
            outcome = "sent"
            self._deliveries.sent(delivery, now)
        elif final or now + pause > delivery.created + receiver.give_up_after_ns:
            outcome = "dead"
            self._deliveries.give_up(delivery, now, error)
        else:
            outcome = "failed"
            self._deliveries.again(delivery, now, error, now + pause)
        self._figures.attempts.labels(delivery.receiver, outcome).inc()
        if error:
            said = {"notification": delivery.id, "receiver": delivery.receiver, "attempt": delivery.attempt}
            _LOG.warning(f"notification_{outcome}", reason=error, **said)
