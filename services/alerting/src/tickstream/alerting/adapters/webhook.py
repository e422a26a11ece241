"""Notifications as POST requests, signed as Standard Webhooks has it (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

import orjson
import urllib3

from tickstream.alerting.adapters.channel import TIMEOUT, Message, RefusedError
from tickstream.alerting.routing_spec import WebhookSpec, signing_key
from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.errors import RetryableError

_PASSING: Final = (408, 425, 429)
_READ: Final = 200
_LONGEST_PAUSE: Final = 3600


class Webhook:
    """Posts to one URL; redirects aren't followed."""

    def __init__(self, spec: WebhookSpec) -> None:
        self._host = spec.host
        self._url = spec.url
        self._key = signing_key(spec.secret) if spec.secret else None
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=TIMEOUT / 2, read=TIMEOUT))

    def send(self, message: Message, now: int) -> None:
        """See `Channel`."""
        content = orjson.dumps({**message.body, "title": message.title, "text": message.text})
        url = self._url.get_secret_value()
        try:
            answer = self._http.request(
                "POST", url, body=content, headers=self._headers(message.id, now, content), preload_content=False
            )
            try:
                said = answer.read(_READ)
            finally:
                answer.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            # An error's own text has the URL in it, which may be a secret.
            raise RetryableError(f"{self._host} doesn't answer: {type(error).__name__}") from None
        _judge(self._host, answer, said)

    def _headers(self, name: str, now: int, content: bytes) -> dict[str, str]:
        moment = str(now // NANOS_PER_SECOND)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "tickstream-alerting",
            "Idempotency-Key": name,
            "webhook-id": name,
            "webhook-timestamp": moment,
        }
        if self._key is not None:
            signed = hmac.new(self._key, f"{name}.{moment}.".encode() + content, hashlib.sha256).digest()
            headers["webhook-signature"] = f"v1,{base64.b64encode(signed).decode()}"
        return headers


def _judge(host: str, answer: urllib3.BaseHTTPResponse, said: bytes) -> None:
    status = answer.status
    if 200 <= status < 300:
        return
    words = "".join(letter if letter.isprintable() else " " for letter in said.decode(errors="replace"))
    reason = f"{host} answered {status}: {' '.join(words.split())}".rstrip(": ")
    if status >= 500 or status in _PASSING:
        asked = answer.headers.get("Retry-After", "")
        pause = min(int(asked), _LONGEST_PAUSE) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0
        raise RetryableError(reason, float(pause))
    raise RefusedError(reason)
