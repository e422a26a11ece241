"""The time-series port on InfluxDB 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

import orjson
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from tickstream.core.columns import TickColumns
from tickstream.core.errors import RetryableError
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet
from tickstream.processor.sink.lines import Lines, analytics_lines, bar_lines, indicator_lines, trade_lines
from tickstream.processor.sink.refusals import PartRefusedError, write_in_parts
from tickstream.processor.sink.series import Refused

_REFUSED_CODES: Final = frozenset({"invalid", "unprocessable entity", "request too large"})
"""InfluxDB's own codes for what is wrong with the points; any other answer is about the server."""

_NOTHING: Final = b"\n"


class InfluxSeries:
    """Points in a bucket.

    Args:
        url: where the server listens.
        token: may write the bucket; may also make it, where it is missing.
        org: the bucket's organisation.
        bucket: its name.
        timeout: seconds to wait for an answer.
    """

    def __init__(self, url: str, token: str, org: str, bucket: str, timeout: float) -> None:
        self._url = url
        self._org = org
        self._bucket = bucket
        self._client = InfluxDBClient(url, token, org=org, timeout=int(timeout * 1000))
        self._points = self._client.write_api(write_options=SYNCHRONOUS)

    def prepare(self) -> None:
        """Make sure that the bucket takes points."""
        self._write(_NOTHING)

    def write_trades(self, trades: TickColumns) -> list[Refused]:
        """Store trades in the measurement `trades`."""
        return self._write_lines(trade_lines(trades))

    def write_bars(self, bars: Sequence[Bar]) -> list[Refused]:
        """Store bars in the measurement `bars`."""
        return self._write_lines(bar_lines(bars))

    def write_indicators(self, sets: Sequence[IndicatorSet]) -> list[Refused]:
        """Store indicators in the measurement `indicators`."""
        return self._write_lines(indicator_lines(sets))

    def write_analytics(self, figures: Sequence[AnalyticsFigure]) -> list[Refused]:
        """Store figures in the measurement `analytics`."""
        return self._write_lines(analytics_lines(figures))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()  # type: ignore[no-untyped-call]  # the library leaves it untyped

    def _write_lines(self, made: Lines) -> list[Refused]:
        def write(first: int, last: int) -> None:
            self._write("\n".join(made.lines[first:last]).encode(), last - first)

        refused = [Refused(made.rows[line], reason) for line, reason in write_in_parts(len(made.lines), write)]
        return sorted(made.refused + refused)

    def _write(self, body: bytes, lines: int = 0) -> None:
        try:
            self._send(body)
        except ApiException as error:
            if error.status != 404:
                self._raise(error, lines)
            self._make_bucket(error)
        else:
            return
        try:
            self._send(body)
        except ApiException as error:
            self._raise(error, lines)

    def _send(self, body: bytes) -> None:
        try:
            self._points.write(self._bucket, self._org, body)
        except HTTPError as error:
            raise RetryableError(f"InfluxDB at {self._url} doesn't answer: {_first_line(error)}") from error

    def _make_bucket(self, missing: ApiException) -> None:
        """Make the bucket, which keeps its points for ever."""
        try:
            self._client.buckets_api().create_bucket(bucket_name=self._bucket, org=self._org)
        except HTTPError as error:
            raise RetryableError(f"InfluxDB at {self._url} doesn't answer: {_first_line(error)}") from error
        except InfluxDBError as error:
            reason = _message(error) if isinstance(error, ApiException) else str(error)
            if "already exists" not in reason:
                raise RetryableError(f"{self._refusal(missing)}, and it can't be made: {reason}") from error

    def _raise(self, error: ApiException, lines: int) -> NoReturn:
        answer = _answer(error)
        if answer.get("code") in _REFUSED_CODES and lines:
            reason = _message(error)
            raise PartRefusedError(reason, wholly=reason.endswith(f"dropped={lines}")) from error
        raise RetryableError(self._refusal(error), retry_after=_retry_after(error)) from error

    def _refusal(self, error: ApiException) -> str:
        return f"InfluxDB at {self._url} answers {error.status}: {_message(error)}"


def _answer(error: ApiException) -> Mapping[str, object]:
    try:
        answer = orjson.loads(error.body or b"")
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _message(error: ApiException) -> str:
    return str(_answer(error).get("message") or error.reason)[:500]


def _retry_after(error: ApiException) -> float:
    headers: Mapping[str, str] = error.headers or {}
    text = headers.get("Retry-After", "")
    return float(text) if text.isdigit() else 0.0


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
