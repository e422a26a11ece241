"""What the loop reads and writes in PostgreSQL.

`save` is the one transaction of a batch: positions, memories, standings, alerts and transitions,
all or nothing. The positions are compared before they are set, so that of two instances that
believe they own a partition only one gets through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool, PoolTimeout

from tickstream.alerting.adapters import rule_versions, rules_table
from tickstream.alerting.domain.lifecycle import Standing, Transition
from tickstream.alerting.domain.memory import TickMemory
from tickstream.alerting.domain.rule import Rule, RuleBook
from tickstream.alerting.domain.shard import Shard, Stood
from tickstream.alerting.spec import InvalidRuleError, RuleSpec
from tickstream.core.errors import RetryableError, TickstreamError
from tickstream.core.logging import logger
from tickstream.core.model import AlertEvent
from tickstream.core.partition import Partition

Connection = psycopg.Connection[dict[str, Any]]

_LOG = logger(__name__)
_WAIT: Final = 5.0
_OUTBOX_LOCK: Final = 0x6F7574626F78


class OvertakenError(TickstreamError):
    """Another instance has taken this partition further meanwhile."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A partition as the database has it; `next_offset` is None when it has nothing yet."""

    next_offset: int | None
    memories: dict[str, Any]
    stood: dict[tuple[str, str], Stood]


@dataclass(frozen=True, slots=True)
class Advance:
    """A partition's shard with its changes, and its position before and after them."""

    partition: Partition
    shard: Shard
    before: int | None
    after: int


@dataclass(frozen=True, slots=True)
class Unpublished:
    """A transition that has yet to reach the topic."""

    position: int
    event: AlertEvent


class Store:
    """The loop's side of the database."""

    def __init__(self, database_url: str) -> None:
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            database_url,
            min_size=0,
            max_size=4,
            timeout=_WAIT,
            open=False,
            kwargs={"row_factory": dict_row, "connect_timeout": int(_WAIT)},
            check=ConnectionPool.check_connection,
        )

    def open(self) -> None:
        """Begin to connect, in the background."""
        self._pool.open()

    def close(self) -> None:
        """Give the connections back."""
        self._pool.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction: committed when the block ends well.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        try:
            with self._pool.connection() as connection:
                yield connection
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise RetryableError(f"PostgreSQL doesn't answer: {' '.join(str(error).split())}") from error

    def rules_revision(self) -> int:
        """Goes up with every change of the rules.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        with self.transaction() as connection:
            return _revision(connection)

    def rules(self) -> tuple[int, RuleBook]:
        """The enabled rules, with their revision; rows that aren't rules are left out and said so.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        rules: list[Rule] = []
        with self.transaction() as connection:
            revision = _revision(connection)
            for row in connection.execute(rules_table.ENABLED):
                try:
                    rules.append(rules_table.stored_rule(row).rule())
                except InvalidRuleError as error:
                    _LOG.error("rule_left_out", rule=row["name"], reason=str(error))
        return revision, RuleBook(rules)

    def upsert_rules(self, specs: Iterable[RuleSpec]) -> None:
        """Write rules by their names; those that are there as given are left alone.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        with self.transaction() as connection:
            connection.execute(rule_versions.ACT, {"by": rule_versions.BY_FILE})
            for spec in specs:
                given = rules_table.parameters_of(spec) | {"id": rules_table.id_by_name(spec.name)}
                connection.execute(rules_table.UPSERT, given)

    def load(self, partition: Partition) -> Loaded:
        """A partition as it was left.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        with self.transaction() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            found = connection.execute(_POSITION, partition).fetchone()
            memories = {row["symbol"]: row["memory"] for row in connection.execute(_MEMORIES, partition)}
            stood = {
                (str(row["rule_id"]), row["symbol"]): Stood(row["condition"], Standing(**row["state"]))
                for row in connection.execute(_STATES, partition)
            }
        return Loaded(found["next_offset"] if found else None, memories, stood)

    def save(self, rules: RuleBook, advances: Sequence[Advance]) -> None:
        """Make everything that a batch has changed durable, in one transaction.

        Raises:
            OvertakenError: a position isn't what it was when the shard was loaded.
            RetryableError: PostgreSQL doesn't answer; whether it was saved isn't known.
        """
        with self.transaction() as connection:
            for advance in advances:
                move(connection, advance.partition, advance.before, advance.after)
            with connection.cursor() as cursor, connection.pipeline():
                for advance in advances:
                    _write_shard(cursor, advance)
                write_transitions(cursor, rules, [t for a in advances for t in a.shard.changes.transitions])

    @contextmanager
    def unpublished(self, limit: int) -> Iterator[list[Unpublished]]:
        """Transitions that have yet to reach the topic, oldest first; marked as published when the block ends well.

        There are none while another instance is publishing.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        with self.transaction() as connection:
            locked = connection.execute("SELECT pg_try_advisory_xact_lock(%s) AS got", [_OUTBOX_LOCK]).fetchone()
            rows = connection.execute(_UNPUBLISHED, [limit]).fetchall() if _only(locked)["got"] else []
            waiting = [_unpublished(row) for row in rows]
            yield waiting
            if waiting:
                positions = [each.position for each in waiting]
                connection.execute(
                    "UPDATE alert_transitions SET published_at = now() WHERE position = ANY(%s)", [positions]
                )


def _only(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        raise RetryableError("PostgreSQL's schema isn't complete")
    return row


def _revision(connection: Connection) -> int:
    revision: int = _only(connection.execute(rules_table.REVISION).fetchone())["revision"]
    return revision


def move(connection: Connection, where: Partition, before: int | None, after: int) -> None:
    """Take a partition's position further.

    Raises:
        OvertakenError: it isn't what it was.
    """
    topic, partition = where
    if before is None:
        moved = connection.execute(
            "INSERT INTO alerting_positions VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [topic, partition, after],
        )
    else:
        moved = connection.execute(
            "UPDATE alerting_positions SET next_offset = %s WHERE topic = %s AND partition = %s AND next_offset = %s",
            [after, topic, partition, before],
        )
    if moved.rowcount != 1:
        raise OvertakenError(f"{topic}[{partition}] isn't at offset {before} any more")


def _write_shard(cursor: psycopg.Cursor[dict[str, Any]], advance: Advance) -> None:
    shard = advance.shard
    remembered = [
        (*advance.partition, s, _json(shard.memories[s])) for s in shard.changes.symbols & shard.memories.keys()
    ]
    if remembered:
        cursor.executemany(_REMEMBER, remembered)
    forgotten = [(*advance.partition, symbol) for symbol in shard.changes.symbols - shard.memories.keys()]
    if forgotten:
        cursor.executemany(_FORGET, forgotten)
    stood = [(place, shard.stood.get(place)) for place in shard.changes.places]
    kept = [
        (*place, *advance.partition, found.digest, Jsonb(asdict(found.standing))) for place, found in stood if found
    ]
    if kept:
        cursor.executemany(_STAND, kept)
    gone = [place for place, found in stood if not found]
    if gone:
        cursor.executemany("DELETE FROM alerting_states WHERE rule_id = %s AND symbol = %s", gone)


def _json(memory: TickMemory) -> Jsonb:
    return Jsonb(memory.dump(), dumps=orjson.dumps)


def write_transitions(
    cursor: psycopg.Cursor[dict[str, Any]], rules: RuleBook, transitions: Sequence[Transition]
) -> None:
    """Write transitions, and with the first of each alert the alert."""
    if not transitions:
        return
    opening = [_alert(rules.get(t.rule_id), t) for t in transitions if t.revision == 0]
    if opening:
        cursor.executemany(_OPEN, opening)
    given = [asdict(transition) for transition in transitions]
    cursor.executemany(_CHANGE, given)
    cursor.executemany(_RECORD, given)


def _alert(rule: Rule | None, transition: Transition) -> Mapping[str, Any]:
    if rule is None:
        raise TickstreamError(f"alert {transition.alert_id} began without its rule {transition.rule_id}")
    return asdict(transition) | {
        "rule_name": rule.name,
        "rule_version": rule.version,
        "severity": rule.severity,
        "labels": Jsonb(dict(rule.labels)),
        "began": transition.ts_event,
        "pending": transition.state == "pending",
    }


def _unpublished(row: Mapping[str, Any]) -> Unpublished:
    event = AlertEvent(
        alert_id=str(row["alert_id"]),
        rule_id=str(row["rule_id"]),
        symbol=row["symbol"],
        state=row["state"],
        severity=row["severity"],
        ts_event=row["ts_event"],
        value=row["value"],
        threshold=row["threshold"],
        summary=row["summary"],
        revision=row["revision"],
        labels=row["labels"],
    )
    return Unpublished(row["position"], event)


_POSITION: Final = "SELECT next_offset FROM alerting_positions WHERE topic = %s AND partition = %s"
_MEMORIES: Final = "SELECT symbol, memory FROM alerting_memory WHERE topic = %s AND partition = %s"
_STATES: Final = "SELECT rule_id, symbol, condition, state FROM alerting_states WHERE topic = %s AND partition = %s"
_REMEMBER: Final = """
    INSERT INTO alerting_memory (topic, partition, symbol, memory) VALUES (%s, %s, %s, %s)
    ON CONFLICT (topic, partition, symbol) DO UPDATE SET memory = excluded.memory"""
_FORGET: Final = "DELETE FROM alerting_memory WHERE topic = %s AND partition = %s AND symbol = %s"
_STAND: Final = """
    INSERT INTO alerting_states (rule_id, symbol, topic, partition, condition, state) VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (rule_id, symbol) DO UPDATE SET topic = excluded.topic, partition = excluded.partition,
        condition = excluded.condition, state = excluded.state"""
_OPEN: Final = """
    INSERT INTO alerts (alert_id, rule_id, rule_name, rule_version, symbol, state, severity, labels, began, fired,
        ts_event, value, threshold, summary, revision)
    VALUES (%(alert_id)s, %(rule_id)s, %(rule_name)s, %(rule_version)s, %(symbol)s, %(state)s, %(severity)s,
        %(labels)s, %(began)s, CASE WHEN %(pending)s THEN NULL ELSE %(began)s::bigint END, %(ts_event)s, %(value)s,
        %(threshold)s, %(summary)s, %(revision)s)
    ON CONFLICT (alert_id) DO NOTHING"""
_CHANGE: Final = """
    UPDATE alerts SET state = %(state)s, ts_event = %(ts_event)s, value = %(value)s, threshold = %(threshold)s,
        summary = %(summary)s, revision = %(revision)s, updated_at = now(),
        fired = CASE WHEN %(state)s = 'firing' THEN coalesce(fired, %(ts_event)s::bigint) ELSE fired END,
        resolved = CASE WHEN %(state)s = 'resolved' THEN %(ts_event)s::bigint END
    WHERE alert_id = %(alert_id)s AND revision < %(revision)s"""
_RECORD: Final = """
    INSERT INTO alert_transitions (alert_id, revision, state, ts_event, value, threshold, reason, summary)
    SELECT alert_id, %(revision)s, %(state)s, %(ts_event)s, %(value)s, %(threshold)s, %(reason)s, %(summary)s
    FROM alerts WHERE alert_id = %(alert_id)s
    ON CONFLICT (alert_id, revision) DO NOTHING"""
_UNPUBLISHED: Final = """
    SELECT t.position, t.alert_id, t.revision, t.state, t.ts_event, t.value, t.threshold, t.summary,
        a.rule_id, a.symbol, a.severity, a.labels
    FROM alert_transitions t JOIN alerts a USING (alert_id)
    WHERE t.published_at IS NULL ORDER BY t.position LIMIT %s"""
