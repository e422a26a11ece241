"""The API keys in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from tickstream.core.access import Scope
from tickstream.core.clock import NANOS_PER_MILLI, Clock
from tickstream.core.errors import RetryableError
from tickstream.core.logging import logger
from tickstream.ws_bridge.domain.grant import Allowance
from tickstream.ws_bridge.domain.keyring import StoredKey

_LOG = logger(__name__)
_CONNECT_SECONDS: Final = 2
_ANSWER_SECONDS: Final = 3.0
_REST_SECONDS: Final = 1.0
_QUERY: Final = """
SELECT id, name, digest, channels, symbols, max_connections, max_subscriptions, commands_per_second,
       (extract(epoch FROM expires_at) * 1000)::bigint AS expires_ms, revoked_at IS NOT NULL AS revoked,
       coalesce((to_jsonb(api_keys) ->> 'may_write')::boolean, false) AS may_write
FROM api_keys WHERE id = ANY(%s)
"""
"""A table that hasn't been migrated yet has no `may_write`: its keys read on meanwhile."""


class KeyStore:
    """Looks keys up, one question at a time on one connection.

    After a failure it isn't asked for a moment: who waits for an answer shall not wait for each time-out in turn.

    Args:
        url: of the database.
        clock: for that moment.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._lock = asyncio.Lock()
        self._connection: psycopg.AsyncConnection[dict[str, Any]] | None = None
        self._away_until = 0.0
        self._away = False

    async def find(self, key_ids: Collection[str]) -> dict[str, StoredKey]:
        """The keys that there are, by id, also expired and revoked ones.

        Raises:
            RetryableError: the database doesn't answer, or has no keys yet.
        """
        async with self._lock:
            if self._clock.monotonic() < self._away_until:
                raise RetryableError("PostgreSQL didn't answer a moment ago")
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    rows = await self._rows(list(key_ids))
            except (psycopg.Error, TimeoutError, OSError) as error:
                await self._gone(error)
                raise RetryableError(f"PostgreSQL doesn't answer: {type(error).__name__}") from error
            self._away = False
        return {key.id: key for key in map(_key, rows) if key is not None}

    async def close(self) -> None:
        """End the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _rows(self, key_ids: list[str]) -> list[dict[str, Any]]:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._url, autocommit=True, row_factory=dict_row, connect_timeout=_CONNECT_SECONDS
            )
        cursor = await self._connection.execute(_QUERY, (key_ids,))
        return await cursor.fetchall()

    async def _gone(self, error: Exception) -> None:
        await self.close()
        self._away_until = self._clock.monotonic() + _REST_SECONDS
        if not self._away:
            _LOG.warning("keys_away", reason=type(error).__name__)
        self._away = True


def _key(row: Mapping[str, Any]) -> StoredKey | None:
    try:
        scope = Scope.of(row["channels"], row["symbols"])
    except ValueError as error:
        _LOG.warning("key_unusable", id=row["id"], reason=str(error))
        return None
    allowance = Allowance(row["max_connections"], row["max_subscriptions"], row["commands_per_second"])
    expires = None if row["expires_ms"] is None else row["expires_ms"] * NANOS_PER_MILLI
    digest = bytes(row["digest"])
    return StoredKey(row["id"], row["name"], digest, scope, allowance, expires, row["revoked"], row["may_write"])
