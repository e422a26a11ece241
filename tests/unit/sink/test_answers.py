"""How the InfluxDB adapter takes answers that a healthy server never gives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.errors import RetryableError
from tickstream.core.model import Tick
from tickstream.processor.sink.influxdb import InfluxSeries

TRADES = TickColumns.of([Tick("SPY", 1.0, 1.0, 0, 0, seq, "s") for seq in range(1, 5)], TickInterners())


class Answering(HTTPServer):
    """Gives every request the same answer."""

    status = 204
    sent: tuple[tuple[str, str], ...] = ()
    body = b""


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.status)
        for name, value in self.server.sent:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_args: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Answering]:
    with Answering(("127.0.0.1", 0), _Handler) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def series(server: Answering) -> Iterator[InfluxSeries]:
    url = f"http://127.0.0.1:{server.server_port}"
    with closing(InfluxSeries(url, "token-of-the-test", "org", "bucket", 5)) as made:
        yield made


@pytest.mark.parametrize("status", [500, 502, 503, 504, 507, 429, 401, 403, 405])
def test_what_is_wrong_with_the_server_is_waited_for(server: Answering, series: InfluxSeries, status: int) -> None:
    server.status, server.body = status, b'{"code":"internal error","message":"no space left on device"}'
    with pytest.raises(RetryableError, match=f"{status}: no space left on device") as error:
        series.write_trades(TRADES)
    assert "token-of-the-test" not in str(error.value)


def test_a_refusal_that_is_not_influxdb_s_own_loses_nothing(server: Answering, series: InfluxSeries) -> None:
    server.status, server.body = 400, b"<html>a proxy doesn't like this</html>"
    with pytest.raises(RetryableError, match="400"):
        series.write_trades(TRADES)


@pytest.mark.parametrize(("text", "seconds"), [("17", 17.0), ("", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0)])
def test_a_busy_server_says_when_to_come_again(
    server: Answering, series: InfluxSeries, text: str, seconds: float
) -> None:
    server.status, server.sent = 429, (("Retry-After", text),)
    with pytest.raises(RetryableError) as error:
        series.write_trades(TRADES)
    assert error.value.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "code"), [(400, "invalid"), (422, "unprocessable entity"), (413, "request too large")]
)
def test_influxdb_s_own_refusal_of_points_is_final(
    server: Answering, series: InfluxSeries, status: int, code: str
) -> None:
    server.status, server.body = status, b'{"code":"%s","message":"bad point"}' % code.encode()
    assert [(row, reason) for row, reason in series.write_trades(TRADES)] == [(n, "bad point") for n in range(4)]
