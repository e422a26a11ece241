"""One HTTP request at a time, for servers that are asked over HTTP."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request

from tickstream.cli.stack.errors import NotReadyError

_SECONDS = 10


def call(url: str, *, token: str = "", body: object = None) -> tuple[int, bytes]:
    """The answer to a GET, or with a body to a POST of it as JSON, whatever its status.

    Raises:
        NotReadyError: there is no answer.
    """
    if not url.startswith(("http://", "https://")):
        raise NotReadyError(f"an address must start with http:// or https://, was {url}")
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Token {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 (the scheme is checked above)
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 (the scheme is checked above)
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except (OSError, http.client.HTTPException) as error:
        raise NotReadyError(f"no answer from {url}: {error}") from error
