"""The past in PostgreSQL, as the sink wrote it where there is no InfluxDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

import psycopg
from psycopg.errors import UndefinedTable
from psycopg.rows import dict_row

from tickstream.core.errors import RetryableError
from tickstream.core.model import Bar, IndicatorSet
from tickstream.ws_bridge.domain.past import PastChannel, PastRequest

_CONNECT_SECONDS: Final = 2
_QUERIES: Final[Mapping[PastChannel, str]] = {
    channel: f"SELECT * FROM {channel} WHERE symbol = %s AND interval = %s AND start < %s ORDER BY start DESC LIMIT %s"  # noqa: S608 - of two names of our own
    for channel in get_args(PastChannel)
}


class PostgresPast:
    """Reads bars and indicators, each time over a connection of its own: it is done seldom.

    Args:
        url: of the database.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def last_before(self, request: PastRequest, limit: int) -> Sequence[Bar | IndicatorSet]:
        """See `PastStore`."""
        arguments = (request.symbol, request.interval.name, request.before, limit)
        try:
            connection = await psycopg.AsyncConnection.connect(
                self._url, row_factory=dict_row, connect_timeout=_CONNECT_SECONDS
            )
            async with connection:
                cursor = await connection.execute(_QUERIES[request.channel], arguments)
                rows = await cursor.fetchall()
        except UndefinedTable:
            return ()  # nothing has been stored yet
        except (psycopg.Error, OSError) as error:
            raise RetryableError(f"PostgreSQL doesn't answer: {type(error).__name__}") from error
        make = _bar if request.channel == "bars" else _indicator_set
        return [make(row) for row in reversed(rows)]

    async def close(self) -> None:
        """See `PastStore`."""


def _bar(row: Mapping[str, Any]) -> Bar:
    return Bar(**row, state="closed")


def _indicator_set(row: Mapping[str, Any]) -> IndicatorSet:
    return IndicatorSet(**row, state="closed")
