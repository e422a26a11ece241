"""What routing reads and writes in PostgreSQL; `turn` is its one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from psycopg.types.json import Jsonb

from tickstream.alerting.adapters.store import Connection, OvertakenError, Store
from tickstream.alerting.domain.routing.alert import Change
from tickstream.alerting.domain.routing.matching import Match
from tickstream.alerting.domain.routing.router import Around, Changes
from tickstream.alerting.domain.routing.silence import Silence
from tickstream.alerting.domain.routing.state import State
from tickstream.core.clock import NANOS_PER_SECOND

_AT_ONCE: Final = 2000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment_of(nanos: int) -> datetime:
    """A time as PostgreSQL takes it, to the microsecond."""
    return _EPOCH + timedelta(microseconds=nanos // 1000)


def nanos_of(moment: datetime) -> int:
    """Nanoseconds since the epoch."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * NANOS_PER_SECOND + since.microseconds * 1000


@dataclass(slots=True)
class Turn:
    """What a turn of routing has to go by, and where its outcome is put.

    Attributes:
        unrouted: transitions that nobody has decided about, oldest first.
        more: whether there are more of them.
        changes: to be saved; None when nothing has changed.
    """

    unrouted: list[Change]
    around: Around
    more: bool
    changes: Changes | None = None
    positions: list[int] = field(default_factory=list)


class RoutingStore:
    """Routing's side of the database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = 0

    def begin(self) -> None:
        """The first time, let everything that was before count as decided.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        with self._store.transaction() as connection:
            if connection.execute("INSERT INTO routing_turns (turn) VALUES (0) ON CONFLICT DO NOTHING").rowcount:
                connection.execute("UPDATE alert_transitions SET routed_at = now() WHERE routed_at IS NULL")

    def load(self) -> State:
        """Where routing stands.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        state = State()
        with self._store.transaction() as connection:
            [found] = connection.execute("SELECT turn FROM routing_turns").fetchall()
            rows = connection.execute("SELECT part, name, value FROM routing_state")
            state.restore((row["part"], row["name"], row["value"]) for row in rows)
        self._turn = found["turn"]
        return state

    @contextmanager
    def turn(self, state: State, now: int) -> Iterator[Turn]:
        """A turn: what is in its `changes` when the block ends well is durable afterwards.

        Raises:
            OvertakenError: another instance has taken a turn meanwhile.
            RetryableError: PostgreSQL doesn't answer; whether it was saved isn't known.
        """
        with self._store.transaction() as connection:
            rows = connection.execute(_UNROUTED, [_AT_ONCE]).fetchall()
            turn = Turn([_change(row) for row in rows], _around(connection, now), len(rows) == _AT_ONCE)
            turn.positions = [row["position"] for row in rows]
            yield turn
            if turn.changes is not None:
                self._save(connection, state, turn.changes, turn.positions, now)
        if turn.changes is not None:
            self._turn += 1

    def _save(self, connection: Connection, state: State, changes: Changes, positions: Sequence[int], now: int) -> None:
        taken = connection.execute("UPDATE routing_turns SET turn = turn + 1 WHERE turn = %s", [self._turn])
        if taken.rowcount != 1:
            raise OvertakenError(f"another instance has routed after turn {self._turn}")
        at = moment_of(now)
        with connection.cursor() as cursor, connection.pipeline():
            if positions:
                cursor.execute(_ROUTED, [list(positions)])
            if changes.notifications:
                cursor.executemany(
                    _NOTIFY,
                    [(n.id, n.receiver, n.stream, Jsonb(n.body()), at, at) for n in changes.notifications],
                )
            if changes.decisions:
                cursor.executemany(
                    _DECIDE,
                    [
                        (d.alert_id, d.revision, d.receiver, d.outcome, d.reason, d.notification, at)
                        for d in changes.decisions
                    ],
                )
            dumped = [(*piece, state.dump(piece)) for piece in sorted(changes.pieces)]
            kept = [(part, name, Jsonb(value)) for part, name, value in dumped if value is not None]
            gone = [(part, name) for part, name, value in dumped if value is None]
            if kept:
                cursor.executemany(_KEEP, kept)
            if gone:
                cursor.executemany("DELETE FROM routing_state WHERE part = %s AND name = %s", gone)


def _around(connection: Connection, now: int) -> Around:
    silences = [_silence(row) for row in connection.execute(_SILENCES, [moment_of(now)])]
    acknowledged = {str(row["alert_id"]) for row in connection.execute(_ACKNOWLEDGED)}
    return Around(silences, acknowledged)


def _silence(row: Mapping[str, Any]) -> Silence:
    return Silence(
        id=str(row["id"]),
        match=Match.of({name: _patterns(given) for name, given in row["match"].items()}),
        starts=nanos_of(row["starts_at"]),
        ends=nanos_of(row["ends_at"]),
        by=row["created_by"],
        comment=row["comment"],
    )


def _patterns(given: Any) -> list[str]:
    return [str(each) for each in given] if isinstance(given, list) else [str(given)]


def _change(row: Mapping[str, Any]) -> Change:
    same = ("revision", "state", "symbol", "severity", "ts_event", "value", "threshold", "summary", "reason")
    return Change(
        alert_id=str(row["alert_id"]),
        rule_id=str(row["rule_id"]),
        rule=row["rule_name"],
        own_labels=row["labels"],
        **{name: row[name] for name in same},
    )


_UNROUTED: Final = """
    SELECT t.position, t.alert_id, t.revision, t.state, t.ts_event, t.value, t.threshold, t.summary, t.reason,
        a.rule_id, a.rule_name, a.symbol, a.severity, a.labels
    FROM alert_transitions t JOIN alerts a USING (alert_id)
    WHERE t.routed_at IS NULL ORDER BY t.position LIMIT %s"""
_SILENCES: Final = "SELECT * FROM silences WHERE ends_at > %s ORDER BY created_at, id"
_ACKNOWLEDGED: Final = """
    SELECT alert_id FROM alert_acknowledgements JOIN alerts USING (alert_id) WHERE state <> 'resolved'"""
_ROUTED: Final = "UPDATE alert_transitions SET routed_at = now() WHERE position = ANY(%s)"
_NOTIFY: Final = """
    INSERT INTO notifications (id, receiver, stream, body, next_try, created_at) VALUES (%s, %s, %s, %s, %s, %s)"""
_DECIDE: Final = """
    INSERT INTO notification_decisions (alert_id, revision, receiver, outcome, reason, notification, decided_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)"""
_KEEP: Final = """
    INSERT INTO routing_state (part, name, value) VALUES (%s, %s, %s)
    ON CONFLICT (part, name) DO UPDATE SET value = excluded.value"""
