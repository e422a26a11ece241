"""The time-series port on InfluxDB 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

import orjson
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
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
        self._url = url.rstrip("/")
        self._org = org
        self._bucket = bucket
        self._target = "/api/v2/write?" + urlencode({"org": org, "bucket": bucket, "precision": "ns"})
        self._http = PoolManager(
            headers={"Authorization": f"Token {token}"}, timeout=Timeout(connect=timeout, read=timeout), retries=False
        )

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
        self._http.clear()

    def _write_lines(self, made: Lines) -> list[Refused]:
        def write(first: int, last: int) -> None:
            self._write("\n".join(made.lines[first:last]).encode(), last - first)

        refused = [Refused(made.rows[line], reason) for line, reason in write_in_parts(len(made.lines), write)]
        return sorted(made.refused + refused)

    def _write(self, body: bytes, lines: int = 0) -> None:
        answer = self._ask("POST", self._target, body)
        if answer.status == 404:
            self._make_bucket(answer)
            answer = self._ask("POST", self._target, body)
        if answer.status == 204:
            return
        said = _said(answer)
        if lines and said.get("code") in _REFUSED_CODES:
            raise PartRefusedError(said["message"], wholly=said["message"].endswith(f"dropped={lines}"))
        raise RetryableError(self._refusal(answer), _retry_after(answer))

    def _make_bucket(self, missing: BaseHTTPResponse) -> None:
        """Make the bucket, which keeps its points for ever."""
        found = self._ask("GET", "/api/v2/orgs?" + urlencode({"org": self._org}))
        if found.status != 200:
            raise RetryableError(f"{self._refusal(missing)}, and it can't be made: {self._refusal(found)}")
        for organisation in orjson.loads(found.data)["orgs"]:
            wanted = {"name": self._bucket, "orgID": organisation["id"], "retentionRules": []}
            made = self._ask("POST", "/api/v2/buckets", orjson.dumps(wanted))
            if made.status != 201 and "already exists" not in _message(made):
                raise RetryableError(f"{self._refusal(missing)}, and it can't be made: {self._refusal(made)}")

    def _ask(self, method: str, target: str, body: bytes | None = None) -> BaseHTTPResponse:
        try:
            return self._http.request(method, self._url + target, body=body)
        except HTTPError as error:
            raise RetryableError(f"InfluxDB at {self._url} doesn't answer: {error}") from error

    def _refusal(self, answer: BaseHTTPResponse) -> str:
        return f"InfluxDB at {self._url} answers {answer.status}: {_message(answer)}"


def _said(answer: BaseHTTPResponse) -> Mapping[str, str]:
    """What InfluxDB says of an error: its code and a message; empty when somebody else answers."""
    try:
        said = orjson.loads(answer.data)
    except orjson.JSONDecodeError:
        return {}
    return {"code": str(said.get("code")), "message": str(said.get("message"))[:500]} if isinstance(said, dict) else {}


def _message(answer: BaseHTTPResponse) -> str:
    return _said(answer).get("message") or str(answer.reason)


def _retry_after(answer: BaseHTTPResponse) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else 0.0
