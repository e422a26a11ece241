"""What Redis holds for those who only want to know where things stand.

Best effort: while Redis is away nothing waits for it, and what it missed is not made up for.
Values are written together, the newest of each key, ten times a second at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
import redis
from prometheus_client import CollectorRegistry, Counter, Gauge

from tickstream.core.clock import Clock
from tickstream.core.logging import logger
from tickstream.core.model import AnalyticsFigure
from tickstream.core.scopes import GROUP, MARKET

_LOG = logger(__name__)
_PERIOD: Final = 0.1
_REST: Final = 2.0
"""Seconds without a try after a failure."""
_ANSWER_LIMIT: Final = 1.0

PRICE_SECONDS: Final = 60
INDICATORS_SECONDS: Final = 86_400
FIGURES_SECONDS: Final = 86_400

Fields = Mapping[str, str | float | int]


class Cache:
    """Redis, written to in passing.

    Args:
        url: None caches nothing.
        clock: says when to write.
        registry: takes the service's figures.
    """

    def __init__(self, url: str | None, clock: Clock, registry: CollectorRegistry) -> None:
        limits = {"socket_timeout": _ANSWER_LIMIT, "socket_connect_timeout": _ANSWER_LIMIT}
        self._redis = redis.Redis.from_url(url, **limits) if url else None
        self._clock = clock
        self._waiting: dict[str, tuple[dict[Any, Any], int | None]] = {}
        self._next = 0.0
        self._up = Gauge("analytics_redis_up", "Whether Redis took the last write", registry=registry)
        self._writes = Counter("analytics_redis_writes", "Keys written to Redis", registry=registry)

    def price(self, symbol: str, fields: Fields) -> None:
        """The newest price of a symbol."""
        self._put(f"stock:{symbol}:price", fields, PRICE_SECONDS)

    def indicators(self, symbol: str, fields: Fields) -> None:
        """The newest indicators of a symbol."""
        self._put(f"stock:{symbol}:indicators", fields, INDICATORS_SECONDS)

    def movers(self, ts_event: int, lists: Mapping[str, Mapping[str, float]]) -> None:
        """The newest lists of movers, each as JSON."""
        self._put(
            "market:movers", {"ts_event": ts_event} | {n: orjson.dumps(m).decode() for n, m in lists.items()}, None
        )

    def figures(self, figures: Iterable[AnalyticsFigure]) -> None:
        """The newest figures of the market, of groups and of symbols, each as JSON; given in the order of time."""
        for figure in figures if self._redis is not None else ():
            apart = figure.scope == MARKET or figure.scope.startswith(GROUP)
            key = f"{figure.scope}:analytics" if apart else f"stock:{figure.scope}:analytics"
            fields, _ = self._waiting.setdefault(key, ({}, FIGURES_SECONDS))
            content = orjson.dumps({"ts_event": figure.ts_event, "values": figure.values})
            fields[f"{figure.name}[{figure.window}]"] = content

    def _put(self, key: str, fields: Fields, seconds: int | None) -> None:
        if self._redis is not None:
            self._waiting[key] = (dict(fields), seconds)

    def flush(self, *, now: bool = False) -> None:
        """Write what waits, when it's time; `now` writes it whatever the time."""
        if self._redis is None or not self._waiting or (not now and self._clock.monotonic() < self._next):
            return
        waiting, self._waiting = self._waiting, {}
        pipeline = self._redis.pipeline(transaction=False)
        for key, (fields, seconds) in waiting.items():
            pipeline.hset(key, mapping=fields)
            if seconds is not None:
                pipeline.expire(key, seconds)
        try:
            pipeline.execute()
        except redis.RedisError as error:
            _LOG.warning("redis_away", reason=str(error))
            self._up.set(0)
            self._next = self._clock.monotonic() + _REST
        else:
            self._up.set(1)
            self._writes.inc(len(waiting))
            self._next = self._clock.monotonic() + _PERIOD
