"""The symbols that PostgreSQL's instruments know, so that one can be subscribed to before its first trade."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import psycopg

from tickstream.core.logging import logger

_LOG = logger(__name__)
_REFRESH_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 5.0
_CONNECT_SECONDS: Final = 5


async def follow(url: str, know: Callable[[Iterable[str]], None], limit: int) -> None:
    """Read the instruments again and again, until cancelled.

    Args:
        url: of the database.
        know: gets the symbols.
        limit: of symbols.
    """
    away = False
    while True:
        try:
            know(await _symbols(url, limit))
        except psycopg.Error as error:
            if not away:
                _LOG.info("instruments_away", reason=type(error).__name__)
            away = True
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            away = False
            await asyncio.sleep(_REFRESH_SECONDS)


async def _symbols(url: str, limit: int) -> list[str]:
    connection = await psycopg.AsyncConnection.connect(url, connect_timeout=_CONNECT_SECONDS)
    async with connection:
        cursor = await connection.execute("SELECT symbol FROM instruments ORDER BY symbol LIMIT %s", (limit,))
        return [str(symbol) for (symbol,) in await cursor.fetchall()]
