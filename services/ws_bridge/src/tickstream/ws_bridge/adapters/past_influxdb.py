"""The past in InfluxDB 2, as the sink wrote it."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp

from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.errors import RetryableError
from tickstream.core.model import Bar, IndicatorSet
from tickstream.ws_bridge.domain.past import PastRequest

_DAY: Final = 86_400 * NANOS_PER_SECOND
_WIDER: Final = 8
_WHOLE: Final = frozenset({"trades", "revision", "end"})
_TEXTS: Final = frozenset({"activity", "session"})
_MAX_ANSWER: Final = 33_554_432

Row = Mapping[str, Any]


class InfluxPast:
    """Reads bars and indicators.

    Args:
        url: where the server listens.
        token: may read the bucket.
        org: the bucket's organisation.
        bucket: its name.
    """

    def __init__(self, url: str, token: str, org: str, bucket: str) -> None:
        self._url = f"{url.rstrip('/')}/api/v2/query?{urlencode({'org': org})}"
        self._headers = {"Authorization": f"Token {token}"}
        self._bucket = bucket
        self._session: aiohttp.ClientSession | None = None

    async def last_before(self, request: PastRequest, limit: int) -> Sequence[Bar | IndicatorSet]:
        """See `PastStore`. Looks further back in growing steps: a series may be dense, or end years ago."""
        interval = request.interval
        width = max(_DAY, 2 * limit * interval.size) if interval.measure == "time" else _DAY
        found: list[tuple[int, Row]] = []
        stop = request.before
        while stop > 0 and len(found) < limit:
            start = max(0, stop - width)
            query = _flux(self._bucket, request, (start, stop), limit - len(found))
            found = [*rows_of(await self._ask(query))[len(found) - limit :], *found]
            stop, width = start, width * _WIDER
        make = _bar if request.channel == "bars" else _indicator_set
        return [make(request, start, row) for start, row in found]

    async def close(self) -> None:
        """See `PastStore`."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, query: str) -> str:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers, cookie_jar=aiohttp.DummyCookieJar())
        body = {"query": query, "type": "flux", "dialect": {"annotations": [], "header": True}}
        try:
            async with self._session.post(self._url, json=body) as answer:
                text = await answer.text()
                if answer.status != 200:
                    raise RetryableError(f"InfluxDB answers {answer.status}: {text[:300]}")
                if len(text) > _MAX_ANSWER:
                    raise RetryableError(f"InfluxDB's answer has {len(text)} characters")
                return text
        except aiohttp.ClientError as error:
            raise RetryableError(f"InfluxDB doesn't answer: {type(error).__name__}") from error


def _flux(bucket: str, request: PastRequest, span: tuple[int, int], limit: int) -> str:
    tags = {"_measurement": request.channel, "symbol": request.symbol, "interval": request.interval.name}
    wanted = " and ".join(f"r.{tag} == {flux_text(value)}" for tag, value in tags.items())
    return (
        f"from(bucket: {flux_text(bucket)}) |> range(start: time(v: {span[0]}), stop: time(v: {span[1]})) "
        f'|> filter(fn: (r) => {wanted}) |> tail(n: {limit}) |> keep(columns: ["_time", "_field", "_value"])'
    )


def flux_text(text: str) -> str:
    """A text as a literal of Flux, in which `${` would begin an expression."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${") + '"'


def rows_of(text: str) -> list[tuple[int, Row]]:
    """The fields of each time, in nanoseconds, by time.

    Raises:
        RetryableError: the answer tells of an error.
    """
    rows: dict[int, dict[str, Any]] = defaultdict(dict)
    for record in _records(text):
        name, value = record["_field"], record["_value"]
        number = int(value) if name in _WHOLE else float(value) if name not in _TEXTS else value
        rows[_nanoseconds(record["_time"])][name] = number
    return sorted(rows.items())


def _records(text: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV in which each table may begin with a head of its own."""
    head: list[str] = []
    for cells in csv.reader(io.StringIO(text)):
        if not cells:
            head = []
        elif not head:
            head = cells
            if "error" in head:
                raise RetryableError(f"InfluxDB tells of an error: {text[:300]}")
        else:
            yield dict(zip(head, cells, strict=True))


def _nanoseconds(text: str) -> int:
    """An RFC 3339 time in UTC, with up to nine digits of a second."""
    whole, _point, fraction = text.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * NANOS_PER_SECOND + int(fraction.ljust(9, "0") or 0)


def _bar(request: PastRequest, start: int, row: Row) -> Bar:
    prices = (row["open"], row["high"], row["low"], row["close"], row["volume"], row["vwap"])
    return Bar(
        request.symbol, request.interval.name, start, row["end"], *prices,
        row["trades"], "closed", row["revision"], row["activity"], row["session"],
    )  # fmt: skip


def _indicator_set(request: PastRequest, start: int, row: Row) -> IndicatorSet:
    values = {name: value for name, value in row.items() if name not in _WHOLE}
    return IndicatorSet(request.symbol, request.interval.name, start, row["end"], "closed", row["revision"], values)
