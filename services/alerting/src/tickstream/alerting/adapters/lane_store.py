"""What the rules about bars read and write in PostgreSQL; `save` is the one transaction of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import psycopg
from psycopg.types.json import Jsonb

from tickstream.alerting.adapters.store import Store, move, write_transitions
from tickstream.alerting.domain.lane import Lane
from tickstream.alerting.domain.rule import RuleBook
from tickstream.alerting.domain.tape import TapeKey
from tickstream.alerting.domain.track import Track
from tickstream.core.partition import Partition


@dataclass(frozen=True, slots=True)
class Move:
    """A partition's position before and after a batch; None is that it had none."""

    partition: Partition
    before: int | None
    after: int


class LaneStore:
    """The lane's side of the database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def position(self, partition: Partition) -> int | None:
        """The next offset of a partition, None when it has none yet.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        with self._store.transaction() as connection:
            found = connection.execute(_POSITION, partition).fetchone()
        return found["next_offset"] if found else None

    def load(self, lane: Lane, rules: RuleBook) -> None:
        """Fill an empty lane with what was saved, and have `rules` in force.

        Raises:
            RetryableError: PostgreSQL doesn't answer.
        """
        with self._store.transaction() as connection:
            for row in connection.execute("SELECT rule_id, symbol, condition, track FROM alerting_tracks"):
                place = str(row["rule_id"]), row["symbol"]
                lane.tracks[place], lane.digests[place] = Track.load(row["track"]), row["condition"]
            lane.install(rules)
            keys = {str(key): key for key in lane.tapes}
            rows = connection.execute(_ROWS, [list(keys)]).fetchall()
        lane.restore((keys[row["tape"]], row["symbol"], row["ts"], row["fields"]) for row in rows)

    def save(self, rules: RuleBook, lane: Lane, moves: list[Move]) -> None:
        """Make everything that a batch has changed durable, in one transaction.

        Raises:
            OvertakenError: a position isn't what it was when it was loaded.
            RetryableError: PostgreSQL doesn't answer; whether it was saved isn't known.
        """
        with self._store.transaction() as connection:
            for each in moves:
                move(connection, each.partition, each.before, each.after)
            with connection.cursor() as cursor, connection.pipeline():
                if lane.changes.tapes:
                    cursor.execute("DELETE FROM alerting_rows WHERE tape <> ALL(%s)", [list(map(str, lane.tapes))])
                _write_rows(cursor, lane)
                _write_tracks(cursor, lane)
                write_transitions(cursor, rules, lane.changes.transitions)


def _write_rows(cursor: psycopg.Cursor[dict[str, Any]], lane: Lane) -> None:
    kept: list[tuple[str, str, int, Jsonb]] = []
    gone: list[tuple[str, str, int]] = []
    for key, symbol, end, values in map(lane.stored, lane.changes.rows):
        if values:
            kept.append((str(key), symbol, end, _json(values)))
        else:
            gone.append((str(key), symbol, end))
    if kept:
        cursor.executemany(_KEEP, kept)
    if gone:
        cursor.executemany("DELETE FROM alerting_rows WHERE tape = %s AND symbol = %s AND ts = %s", gone)
    oldest = [(str(k), s, lane.oldest(k, s)) for k, s in _touched(lane)]
    if oldest:
        cursor.executemany("DELETE FROM alerting_rows WHERE tape = %s AND symbol = %s AND ts < %s", oldest)


def _touched(lane: Lane) -> set[tuple[TapeKey, str]]:
    return {(key, symbol) for key, symbol, _ in lane.changes.rows if key in lane.tapes}


def _write_tracks(cursor: psycopg.Cursor[dict[str, Any]], lane: Lane) -> None:
    places = lane.changes.places
    kept = [(*p, lane.digests[p], _json(lane.tracks[p].dump())) for p in places if p in lane.tracks]
    if kept:
        cursor.executemany(_TRACK, kept)
    gone = [place for place in places if place not in lane.tracks]
    if gone:
        cursor.executemany("DELETE FROM alerting_tracks WHERE rule_id = %s AND symbol = %s", gone)


def _json(value: Mapping[str, Any]) -> Jsonb:
    return Jsonb(value, dumps=orjson.dumps)


_POSITION: Final = "SELECT next_offset FROM alerting_positions WHERE topic = %s AND partition = %s"
_ROWS: Final = "SELECT tape, symbol, ts, fields FROM alerting_rows WHERE tape = ANY(%s) ORDER BY tape, symbol, ts"
_KEEP: Final = """
    INSERT INTO alerting_rows (tape, symbol, ts, fields) VALUES (%s, %s, %s, %s)
    ON CONFLICT (tape, symbol, ts) DO UPDATE SET fields = excluded.fields"""
_TRACK: Final = """
    INSERT INTO alerting_tracks (rule_id, symbol, condition, track) VALUES (%s, %s, %s, %s)
    ON CONFLICT (rule_id, symbol) DO UPDATE SET condition = excluded.condition, track = excluded.track"""
