"""A schema registry with the part of Confluent's API that matters here, in memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


class Schemas:
    """What the registry holds, and what it was asked.

    Attributes:
        by_id: the schemas' texts.
        requests: (method, path, Authorization header) of each request.
        failing: answer everything with 503.
    """

    def __init__(self) -> None:
        self.by_id: dict[int, str] = {}
        self.subjects: dict[str, list[int]] = {}
        self.requests: list[tuple[str, str, str | None]] = []
        self.failing = False
        self.url = ""

    def add(self, subject: str, text: str) -> int:
        """Register a schema; the same text keeps its id."""
        found = next((number for number, known in self.by_id.items() if known == text), 1000 + len(self.by_id))
        self.by_id[found] = text
        self.subjects.setdefault(subject, []).append(found)
        return found


@contextmanager
def registry() -> Iterator[Schemas]:
    """Serve a new registry on a free port of the loopback."""
    schemas = Schemas()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(self._schema)

        def do_POST(self) -> None:
            self._answer(self._register)

        def _answer(self, make: Any) -> None:
            schemas.requests.append((self.command, self.path, self.headers.get("Authorization")))
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, content = (503, {"message": "busy"}) if schemas.failing else make(body)
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _schema(self, _body: bytes) -> tuple[int, dict[str, Any]]:
            text = schemas.by_id.get(int(self.path.rpartition("/")[2]))
            return (200, {"schema": text}) if text else (404, {"error_code": 40403, "message": "Schema not found"})

        def _register(self, body: bytes) -> tuple[int, dict[str, Any]]:
            _, _, subject, _ = self.path.split("/")
            if "refused" in subject:
                return 409, {"error_code": 409, "message": "incompatible with an earlier schema"}
            return 200, {"id": schemas.add(unquote(subject), json.loads(body)["schema"])}

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    schemas.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield schemas
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
