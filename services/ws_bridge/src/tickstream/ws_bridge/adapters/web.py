"""The pages beside the socket: the dashboard's files, and what guards every request."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
from aiohttp import web

from tickstream.ws_bridge.adapters.audit import Audit
from tickstream.ws_bridge.domain.access import host_allowed, origin_allowed, siteless
from tickstream.ws_bridge.domain.forwarding import Proxies, scheme_of
from tickstream.ws_bridge.domain.protocol import Code

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SOCKET_PATH: Final = "/socket.io/"
STATUSES: Final[Mapping[Code, int]] = {"unauthorized": 401, "forbidden": 403, "internal": 503}
"""What a refused key is answered with."""
_MAX_MESSAGE_BODY: Final = 65_536
_POLICY: Final = (
    "default-src 'self'; connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HASHED: Final = re.compile(r".*[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+")
_TEXT: Final = re.compile(r"text/.*|application/(javascript|json|manifest\+json)|image/svg\+xml")
_MISSING: Final = b"The dashboard has not been built: there is no index.html among the bridge's static files.\n"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, ready to be sent."""

    body: bytes
    gzipped: bytes | None
    content_type: str
    tag: str
    caching: str


class Assets:
    """The files of a folder, read once: nothing outside of it can be asked for."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): _asset(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        }

    async def serve(self, request: web.Request) -> web.Response:
        """Answer GET and HEAD for `/` and every file."""
        name = request.match_info["path"] or "index.html"
        asset = self._files.get(name)
        if asset is None:
            return web.Response(status=404, body=_MISSING if name == "index.html" else b"Not found\n")
        headers = {"ETag": asset.tag, "Cache-Control": asset.caching, "Vary": "Accept-Encoding"}
        if asset.tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = asset.content_type
        if asset.gzipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=asset.gzipped, headers=headers | {"Content-Encoding": "gzip"})
        return web.Response(body=asset.body, headers=headers)


def guard(
    audit: Audit,
    closing: Callable[[], bool],
    proxies: Proxies,
    *,
    loopback: bool,
    hosts: Collection[str],
    origins: Collection[str],
) -> Callable[..., Awaitable[web.StreamResponse]]:
    """The middleware that checks Host and Origin, turns away who comes too late, and adds the security headers.

    Args:
        audit: writes down who was turned away for them.
        closing: whether no new connections are taken any more.
        proxies: say whose requests they pass on.
        loopback: whether the bridge listens on a loopback address, where only its own names are answered.
        hosts: further names.
        origins: further origins.
    """

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        request = _behind(proxies, request)
        response = _refusal(request, loopback=loopback, hosts=hosts, origins=origins)
        if response is None and closing() and request.path.startswith(SOCKET_PATH) and "sid" not in request.query:
            response = problem(503, "shutting_down", "this node is shutting down: try again")
        if response is None:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                error.headers.update(_HEADERS)
                raise
        elif response.status == 403:
            audit.refused(request.remote or "unknown", "forbidden", _sender(request))
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    return guarded


def _refusal(
    request: web.Request, *, loopback: bool, hosts: Collection[str], origins: Collection[str]
) -> web.StreamResponse | None:
    if loopback and not host_allowed(request.headers.get("Host"), hosts):
        return problem(403, "forbidden", "this host is not served here")
    if request.path.startswith((SOCKET_PATH, "/api/")):
        theirs = request.headers.getall("Origin", [])
        if not theirs:
            allowed = siteless(request.headers.get("Sec-Fetch-Site"))
        else:
            allowed = len(theirs) == 1 and origin_allowed(
                theirs[0], request.headers.get("Host"), request.scheme, origins
            )
        if not allowed:
            return problem(403, "forbidden", "this origin may not connect")
    too_long = request.content_length is not None and request.content_length > _MAX_MESSAGE_BODY
    if request.path.startswith(SOCKET_PATH) and too_long:
        return problem(413, "too_large", f"a message may have {_MAX_MESSAGE_BODY} bytes at the most")
    return None


def _behind(proxies: Proxies, request: web.Request) -> web.Request:
    """The request as it came to the first of our proxies."""
    remote = request.remote
    if remote is None or not proxies.trusts(remote):
        return request
    client = proxies.client(remote, request.headers.getall("X-Forwarded-For", []))
    scheme = scheme_of(request.scheme, request.headers.getall("X-Forwarded-Proto", []))
    return request.clone(remote=client, scheme=scheme)


def _sender(request: web.Request) -> str:
    """What a refused request said of itself."""
    said = {name: request.headers.get(name) for name in ("Host", "Origin", "Sec-Fetch-Site")}
    return " ".join(f"{name}={value!r}" for name, value in said.items() if value is not None)


def problem(status: int, code: str, detail: str) -> web.Response:
    """Problem details (RFC 9457), with the socket's code."""
    body = {"type": "about:blank", "title": code.replace("_", " "), "status": status, "code": code, "detail": detail}
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/problem+json")


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    is_text = _TEXT.fullmatch(content_type) is not None
    gzipped = gzip.compress(body, mtime=0) if is_text and len(body) > 512 else None
    hashed = path.parent.name == "assets" and _HASHED.fullmatch(path.name)
    return Asset(
        body,
        gzipped,
        f"{content_type}; charset=utf-8" if is_text else content_type,
        f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "public, max-age=31536000, immutable" if hashed else "no-cache",
    )
