"""The time-series port on PostgreSQL.

Times are kept as they are, in nanoseconds since the epoch: PostgreSQL's own stop at microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import orjson
import psycopg
from psycopg import sql
from psycopg.errors import ProgramLimitExceeded

from tickstream.core.columns import Strings, TickColumns
from tickstream.core.errors import RetryableError
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet
from tickstream.processor.sink.refusals import PartRefusedError, write_in_parts
from tickstream.processor.sink.series import Refused


@dataclass(frozen=True, slots=True)
class _Table:
    """A table, how its rows are told apart, and which of two rows with one key stays."""

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    newest: str | None
    """The column whose highest value wins; None where the later row wins."""

    def statements(self) -> tuple[sql.Composed, ...]:
        """What makes the table, and the session's place for incoming rows."""
        columns = [
            sql.SQL("{} {} NOT NULL").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in self.columns.items()
        ]
        make = sql.SQL("CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY ({}))")
        place = sql.SQL(
            "CREATE TEMPORARY TABLE IF NOT EXISTS {} (LIKE {}, arrival bigint NOT NULL) ON COMMIT DELETE ROWS"
        )
        return (
            make.format(sql.Identifier(self.name), sql.SQL(", ").join(columns), _names(self.key)),
            place.format(self.incoming, sql.Identifier(self.name)),
        )

    @property
    def incoming(self) -> sql.Identifier:
        return sql.Identifier(f"incoming_{self.name}")

    def take_over(self) -> sql.Composed:
        """What moves the incoming rows into the table."""
        statement = sql.SQL(
            "INSERT INTO {table} AS kept ({columns}) SELECT DISTINCT ON ({key}) {columns} FROM {incoming} "
            "ORDER BY {key}, {newest} arrival DESC ON CONFLICT ({key}) DO UPDATE SET {changes} {condition}"
        )
        newest = sql.Identifier(self.newest) if self.newest else None
        return statement.format(
            table=sql.Identifier(self.name),
            columns=_names(self.columns),
            incoming=self.incoming,
            key=_names(self.key),
            newest=sql.SQL("{} DESC,").format(newest) if newest else sql.SQL(""),
            changes=sql.SQL(", ").join(
                [sql.SQL("{0} = excluded.{0}").format(sql.Identifier(n)) for n in self.columns if n not in self.key]
            ),
            condition=sql.SQL("WHERE excluded.{0} >= kept.{0}").format(newest) if newest else sql.SQL(""),
        )


def _names(names: Sequence[str] | Mapping[str, str]) -> sql.Composed:
    return sql.SQL(", ").join([sql.Identifier(name) for name in names])


_NUMBER: Final = "double precision"

_TRADES: Final = _Table(
    "trades",
    {
        "symbol": "text",
        "source": "text",
        "seq": "bigint",
        "ts_event": "bigint",
        "price": _NUMBER,
        "volume": _NUMBER,
        "flags": "bigint",
    },
    ("symbol", "source", "seq"),
    None,
)
_BARS: Final = _Table(
    "bars",
    {"symbol": "text", "interval": "text", "start": "bigint", "end": "bigint"}
    | dict.fromkeys(("open", "high", "low", "close", "volume", "vwap"), _NUMBER)
    | {"trades": "bigint", "revision": "bigint", "activity": "text", "session": "text"},
    ("symbol", "interval", "start"),
    "revision",
)
_INDICATORS: Final = _Table(
    "indicators",
    {"symbol": "text", "interval": "text", "start": "bigint", "end": "bigint", "revision": "bigint", "values": "jsonb"},
    ("symbol", "interval", "start"),
    "revision",
)
_ANALYTICS: Final = _Table(
    "analytics",
    {"scope": "text", "name": "text", "window": "text", "ts_event": "bigint", "values": "jsonb"},
    ("scope", "name", "window", "ts_event"),
    None,
)
_INDEXES: Final = sql.SQL("CREATE INDEX IF NOT EXISTS trades_by_time ON trades (symbol, ts_event)")
_ONE_AT_A_TIME: Final = sql.SQL("SELECT pg_advisory_xact_lock(hashtext('tickstream time series'))")


class PostgresSeries:
    """Rows in the tables trades, bars, indicators and analytics.

    Args:
        url: the database, as postgresql://...
        timeout: seconds that a statement may take.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._url = url
        self._timeout = timeout
        self._connection: psycopg.Connection | None = None

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        self._connected()

    def write_trades(self, trades: TickColumns) -> list[Refused]:
        """Store trades in the table `trades`."""
        columns = (
            _texts(trades.symbol),
            _texts(trades.source),
            trades.seq.tolist(),
            trades.ts_event.tolist(),
            trades.price.tolist(),
            trades.volume.tolist(),
            trades.flags.tolist(),
        )
        return self._store(
            _TRADES,
            [
                f"{symbol}\t{source}\t{seq}\t{time}\t{price!r}\t{volume!r}\t{flags}"
                for symbol, source, seq, time, price, volume, flags in zip(*columns, strict=True)
            ],
        )

    def write_bars(self, bars: Sequence[Bar]) -> list[Refused]:
        """Store bars in the table `bars`."""
        return self._store(
            _BARS,
            [
                f"{_text(b.symbol)}\t{_text(b.interval)}\t{b.start}\t{b.end}\t{b.open!r}\t{b.high!r}\t{b.low!r}\t"
                f"{b.close!r}\t{b.volume!r}\t{b.vwap!r}\t{b.trades}\t{b.revision}\t{_text(b.activity)}\t{_text(b.session)}"
                for b in bars
            ],
        )

    def write_indicators(self, sets: Sequence[IndicatorSet]) -> list[Refused]:
        """Store indicators in the table `indicators`."""
        return self._store(
            _INDICATORS,
            [
                f"{_text(s.symbol)}\t{_text(s.interval)}\t{s.start}\t{s.end}\t{s.revision}\t{_json(s.values)}"
                for s in sets
            ],
        )

    def write_analytics(self, figures: Sequence[AnalyticsFigure]) -> list[Refused]:
        """Store figures in the table `analytics`."""
        return self._store(
            _ANALYTICS,
            [f"{_text(f.scope)}\t{_text(f.name)}\t{_text(f.window)}\t{f.ts_event}\t{_json(f.values)}" for f in figures],
        )

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _store(self, table: _Table, rows: Sequence[str]) -> list[Refused]:
        copy = sql.SQL("COPY {} FROM STDIN").format(table.incoming)
        take_over = table.take_over()

        def write(first: int, last: int) -> None:
            body = "".join([f"{rows[row]}\t{row}\n" for row in range(first, last)])
            self._transact(copy, body, take_over)

        return write_in_parts(len(rows), write)

    def _transact(self, copy: sql.Composed, body: str, take_over: sql.Composed) -> None:
        connection = self._connected()
        try:
            with connection.transaction(), connection.cursor() as cursor:
                with cursor.copy(copy) as rows:
                    rows.write(body)
                cursor.execute(take_over)
        except (psycopg.DataError, psycopg.IntegrityError, ProgramLimitExceeded) as error:
            raise PartRefusedError(_said(error)) from error
        except psycopg.Error as error:
            self.close()
            raise RetryableError(f"PostgreSQL can't take anything now: {_said(error)}") from error

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> psycopg.Connection:
        try:
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=max(2, int(self._timeout)),
                application_name="tickstream-processor-sink",
            )
        except psycopg.Error as error:
            raise RetryableError(f"PostgreSQL doesn't answer: {_said(error)}") from error
        try:
            connection.execute("SELECT set_config('statement_timeout', %s, false)", (str(int(self._timeout * 1000)),))
            with connection.transaction():
                connection.execute(_ONE_AT_A_TIME)
                for statement in (s for t in (_TRADES, _BARS, _INDICATORS, _ANALYTICS) for s in t.statements()):
                    connection.execute(statement)
                connection.execute(_INDEXES)
        except psycopg.Error as error:
            connection.close()
            raise RetryableError(f"PostgreSQL can't hold the tables: {_said(error)}") from error
        return connection


_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@lru_cache(maxsize=16_384)
def _text(text: str) -> str:
    """A text as COPY reads it."""
    return text.translate(_ESCAPES)


def _texts(column: Strings) -> list[str]:
    values = [_text(value) for value in column.values]
    return [values[code] for code in column.codes.tolist()]


def _json(values: Mapping[str, float]) -> str:
    return orjson.dumps(dict(values)).decode().translate(_ESCAPES)


def _said(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0][:500] or type(error).__name__
