"""Real servers that notifications are sent to, with a log of what reached them."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.ports import spare_port


@dataclass(frozen=True)
class Request:
    """One request that was received."""

    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.content)


@dataclass
class HttpInbox:
    """An HTTP server's log; it answers with `answers` in turn, and the last of them from then on."""

    port: int = 0
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(204, {})])
    requests: list[Request] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def once_each(self) -> list[Any]:
        """What a receiver has that drops repetitions by their key, in the order of arrival."""
        with self.lock:
            return list({request.headers["Idempotency-Key"]: request.body for request in self.requests}.values())

    def take(self, request: Request) -> tuple[int, dict[str, str]]:
        with self.lock:
            self.requests.append(request)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def http_inbox(port: int = 0) -> Iterator[HttpInbox]:
    """An HTTP server on loopback."""
    inbox = HttpInbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers = inbox.take(Request(self.path, dict(self.headers.items()), content))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 (the base class's name)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        inbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield inbox
        finally:
            server.shutdown()
            thread.join()


@dataclass
class MailInbox:
    """An SMTP server's log; it answers to a mail with `answer`."""

    port: int = 0
    answer: str = "250 taken"
    recipients: list[list[str]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        if self.answer.startswith("250"):
            self.recipients.append(envelope.rcpt_tos)
            self.mails.append(message_from_bytes(envelope.content or b"", policy=policy.default))  # type: ignore[arg-type] # bytes unless decoding is asked for
        return self.answer


@contextmanager
def mail_inbox(tls: ssl.SSLContext | None = None) -> Iterator[MailInbox]:
    """An SMTP server on loopback; with `tls` it takes no mail before STARTTLS."""
    inbox = MailInbox(spare_port())
    controller = Controller(
        inbox, hostname="127.0.0.1", port=inbox.port, tls_context=tls, require_starttls=tls is not None
    )
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()
