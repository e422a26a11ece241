"""What the time-series stores hold, read with their own query languages."""

from __future__ import annotations

import csv
import io
import json
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import psycopg

MILLI = 1_000_000
TRADE = ("source", "symbol", "seq", "ts_event", "price", "volume", "flags")


class Stored(Protocol):
    """Rows by field name, each store's in the same form."""

    def trades(self) -> list[dict[str, Any]]: ...

    def rows(self, measurement: str) -> list[dict[str, Any]]: ...

    def count_trades(self) -> int: ...


class InfluxStored:
    """A bucket's points; the trades' identity is worked out as a reader of the documentation would."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def query(self, flux: str) -> list[dict[str, str]]:
        """The records of a query, from its annotated CSV."""
        request = urllib.request.Request(
            f"{self._env['INFLUXDB_URL']}/api/v2/query?org={self._env['INFLUXDB_ORG']}",
            data=flux.encode(),
            headers={
                "Authorization": f"Token {self._env['INFLUXDB_TOKEN']}",
                "Content-Type": "application/vnd.flux",
                "Accept": "application/csv",
            },
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            text = response.read().decode()
        return list(_csv_rows(text))

    def rows(self, measurement: str) -> list[dict[str, Any]]:
        every = f"""
            from(bucket: {json.dumps(self._env["INFLUXDB_BUCKET"])})
            |> range(start: 1677-09-22T00:00:00Z, stop: 2262-04-11T00:00:00Z)
            |> filter(fn: (r) => r._measurement == "{measurement}")
            |> map(fn: (r) => ({{r with _value: string(v: r._value), ns: string(v: int(v: r._time))}}))
            """
        points: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
        for row in self.query(every):
            tags = {name: value for name, value in row.items() if name not in _FLUX and value != ""}
            key = tuple(sorted(tags.items()))
            point = points.setdefault(key, {**tags, "ns": int(row["ns"])})
            point[row["_field"]] = row["_value"]
        return list(points.values())

    def trades(self) -> list[dict[str, Any]]:
        return [
            {
                "source": point["source"],
                "symbol": point["symbol"],
                "seq": int(point["seq"]),
                "ts_event": int(point.get("ts_event", point["ns"] // MILLI * MILLI)),
                "price": float(point["price"]),
                "volume": float(point["volume"]),
                "flags": int(point.get("flags", 0)),
            }
            for point in self.rows("trades")
        ]

    def count_trades(self) -> int:
        found = self.query(
            f"""
            from(bucket: {json.dumps(self._env["INFLUXDB_BUCKET"])})
            |> range(start: 1677-09-22T00:00:00Z, stop: 2262-04-11T00:00:00Z)
            |> filter(fn: (r) => r._measurement == "trades" and r._field == "seq") |> group() |> count()
            """
        )
        return sum(int(row["_value"]) for row in found)


_FLUX = frozenset({"", "result", "table", "_start", "_stop", "_time", "_value", "_field", "_measurement"})


def _csv_rows(text: str) -> Iterator[dict[str, str]]:
    """Rows of Flux's CSV, in which each table has a header of its own."""
    header: list[str] = []
    for row in csv.reader(io.StringIO(text, newline="")):
        if not row:
            header = []
        elif not header:
            header = row
        else:
            yield dict(zip(header, row, strict=True))


class PostgresStored:
    """A database's rows."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._url = env["DATABASE_URL"]

    def rows(self, measurement: str) -> list[dict[str, Any]]:
        with psycopg.connect(self._url, row_factory=psycopg.rows.dict_row) as connection:
            table = psycopg.sql.Identifier(measurement)
            found = connection.execute(psycopg.sql.SQL("SELECT * FROM {}").format(table)).fetchall()
        return [_flat(row) for row in found]

    def trades(self) -> list[dict[str, Any]]:
        return [{name: row[name] for name in TRADE} for row in self.rows("trades")]

    def count_trades(self) -> int:
        with psycopg.connect(self._url) as connection:
            row = connection.execute("SELECT count(*) FROM trades").fetchone()
        return int(row[0]) if row else 0


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = row.pop("values", {})
    return row | values | {"ns": row.get("start", row.get("ts_event"))}
