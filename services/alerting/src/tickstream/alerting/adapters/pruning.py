"""Deletes from PostgreSQL what is over and old, some at a time, and never what is still open."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tickstream.alerting.adapters.routing_store import moment_of
from tickstream.alerting.adapters.store import Store

_AT_ONCE: Final = 1000


class Pruning:
    """What ended so long ago goes.

    Args:
        store: the database.
        days: how long it is kept.
    """

    def __init__(self, store: Store, days: int) -> None:
        self._store = store
        self._kept = timedelta(days=days)

    def batch(self, now: int) -> int:
        """Delete some of it; says how much, 0 when nothing is left to delete.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        values = {"before": moment_of(now) - self._kept, "limit": _AT_ONCE}
        with self._store.transaction() as connection:
            return sum(connection.execute(statement, values).rowcount for statement in _STATEMENTS)


_ALERTS: Final = """
    DELETE FROM alerts WHERE alert_id IN (
        SELECT alert_id FROM alerts a
        WHERE state = 'resolved' AND updated_at < %(before)s
            AND NOT EXISTS (SELECT FROM alert_transitions t WHERE t.alert_id = a.alert_id AND (t.published_at IS NULL
                OR t.routed_at IS NULL AND EXISTS (SELECT FROM routing_turns)))
            AND NOT EXISTS (SELECT FROM routing_state r WHERE r.part = 'alert' AND r.name = a.alert_id::text)
            AND NOT EXISTS (SELECT FROM notification_decisions d JOIN notifications n ON n.id = d.notification
                WHERE d.alert_id = a.alert_id AND n.status = 'waiting')
        ORDER BY updated_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"""
"""With their transitions, decisions and acknowledgements."""
_NOTIFICATIONS: Final = """
    DELETE FROM notifications WHERE id IN (
        SELECT id FROM notifications n
        WHERE status <> 'waiting' AND ended_at < %(before)s
            AND NOT EXISTS (SELECT FROM notification_decisions d WHERE d.notification = n.id)
        ORDER BY ended_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"""
_SILENCES: Final = """
    DELETE FROM silences WHERE id IN (
        SELECT id FROM silences WHERE ends_at < %(before)s ORDER BY ends_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"""
_VERSIONS: Final = """
    DELETE FROM alert_rule_versions WHERE rule_id IN (
        SELECT rule_id FROM alert_rule_versions d
        WHERE change = 'deleted' AND changed_at < %(before)s
            AND NOT EXISTS (SELECT FROM alert_rule_versions v WHERE v.rule_id = d.rule_id AND v.version > d.version)
        ORDER BY changed_at LIMIT %(limit)s)"""
"""Of rules that were deleted, and didn't come back."""
_STATEMENTS: Final = (_ALERTS, _NOTIFICATIONS, _SILENCES, _VERSIONS)
