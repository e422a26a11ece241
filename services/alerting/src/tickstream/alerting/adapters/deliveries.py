"""Notifications in PostgreSQL on their way: taken for an attempt, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from psycopg.types.json import Jsonb

from tickstream.alerting.adapters.channel import TIMEOUT
from tickstream.alerting.adapters.routing_store import moment_of, nanos_of
from tickstream.alerting.adapters.store import Store

_TAKEN: Final = timedelta(seconds=6 * TIMEOUT)
"""How long an attempt keeps others away; after a crash in its middle, the next comes then."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notification, taken for an attempt; `attempt` counts from 1."""

    id: str
    receiver: str
    stream: str
    body: Mapping[str, Any]
    attempt: int
    created: int


class Deliveries:
    """The notifications that wait."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def due(self, now: int, receivers: Collection[str]) -> list[str]:
        """Those of these receivers for whom something is due.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        with self._store.transaction() as connection:
            rows = connection.execute(_DUE, [list(receivers), moment_of(now)]).fetchall()
        return [row["receiver"] for row in rows]

    def take(self, now: int, receiver: str, limit: int) -> list[Delivery]:
        """Take notifications of a receiver that are due, the oldest of each stream.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        at = moment_of(now)
        values = {"now": at, "until": at + _TAKEN, "receiver": receiver, "limit": limit}
        with self._store.transaction() as connection:
            rows = connection.execute(_TAKE, values).fetchall()
        return [
            Delivery(
                str(row["id"]),
                row["receiver"],
                row["stream"],
                row["body"],
                row["attempts"],
                nanos_of(row["created_at"]),
            )
            for row in rows
        ]

    def sent(self, delivery: Delivery, now: int) -> None:
        """It arrived.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        self._end(delivery, now, "sent", "")

    def again(self, delivery: Delivery, now: int, error: str, next_try: int) -> None:
        """It didn't, and is tried again.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        values = {"next_try": moment_of(next_try), **_attempt(delivery, now, error)}
        with self._store.transaction() as connection:
            connection.execute(_AGAIN, values)

    def give_up(self, delivery: Delivery, now: int, error: str) -> None:
        """It didn't, and isn't tried again; every transition it was to tell of gets to know.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        self._end(delivery, now, "dead", error)

    def _end(self, delivery: Delivery, now: int, status: str, error: str) -> None:
        with self._store.transaction() as connection:
            connection.execute(_END, {"status": status, **_attempt(delivery, now, error)})
            if status == "dead":
                reason = f"given up after {delivery.attempt} attempts: {error}"
                connection.execute(_FAILED, {"id": delivery.id, "reason": reason, "now": moment_of(now)})

    def take_over(self, now: int, receivers: Collection[str]) -> None:
        """Begin where another instance ended: try again what it was at, and give up what is for no receiver any more.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        at = moment_of(now)
        history = [{"at": at.isoformat(), "outcome": "interrupted", "error": ""}]
        with self._store.transaction() as connection:
            connection.execute(_RESUME, {"now": at, "history": Jsonb(history)})
            connection.execute(_ABANDON, {"now": at, "receivers": list(receivers)})

    def waiting(self) -> int:
        """How many there are.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        with self._store.transaction() as connection:
            [row] = connection.execute("SELECT count(*) AS waiting FROM notifications WHERE status = 'waiting'")
        waiting: int = row["waiting"]
        return waiting


def _attempt(delivery: Delivery, now: int, error: str) -> dict[str, Any]:
    at = moment_of(now)
    history = [{"at": at.isoformat(), "outcome": "failed" if error else "sent", "error": error}]
    return {"id": delivery.id, "now": at, "error": error, "history": Jsonb(history)}


_DUE: Final = """
    SELECT DISTINCT receiver FROM notifications
    WHERE status = 'waiting' AND receiver = ANY(%s) AND next_try <= %s ORDER BY receiver"""
_TAKE: Final = """
    UPDATE notifications SET attempts = attempts + 1, next_try = %(until)s
    WHERE id IN (
        SELECT id FROM notifications w
        WHERE status = 'waiting' AND receiver = %(receiver)s AND next_try <= %(now)s AND NOT EXISTS (
            SELECT FROM notifications o WHERE o.status = 'waiting' AND o.receiver = w.receiver
                AND o.stream = w.stream AND o.position < w.position)
        ORDER BY position LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
    RETURNING id, receiver, stream, body, attempts, created_at"""
_AGAIN: Final = """
    UPDATE notifications SET next_try = %(next_try)s, last_error = %(error)s, history = history || %(history)s
    WHERE id = %(id)s AND status = 'waiting'"""
_END: Final = """
    UPDATE notifications SET status = %(status)s, ended_at = %(now)s, last_error = %(error)s,
        history = history || %(history)s
    WHERE id = %(id)s AND status = 'waiting'"""
_FAILED: Final = """
    INSERT INTO notification_decisions (alert_id, revision, receiver, outcome, reason, notification, decided_at)
    SELECT alert_id, revision, receiver, 'failed', %(reason)s, notification, %(now)s
    FROM notification_decisions WHERE notification = %(id)s AND outcome = 'notified'"""
_RESUME: Final = """
    UPDATE notifications SET next_try = %(now)s, history = history || %(history)s
    WHERE status = 'waiting' AND attempts > jsonb_array_length(history)"""
_ABANDON: Final = """
    WITH abandoned AS (
        UPDATE notifications SET status = 'dead', ended_at = %(now)s, last_error = 'its receiver is configured no more'
        WHERE status = 'waiting' AND receiver <> ALL(%(receivers)s) RETURNING id, last_error)
    INSERT INTO notification_decisions (alert_id, revision, receiver, outcome, reason, notification, decided_at)
    SELECT d.alert_id, d.revision, d.receiver, 'failed', 'given up: ' || a.last_error, d.notification, %(now)s
    FROM notification_decisions d JOIN abandoned a ON a.id = d.notification WHERE d.outcome = 'notified'"""
