"""The gateway's tokens: JSON web tokens (RFC 7519) that say what their bearer may do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tickstream.core.access import Scope
from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.ws_bridge.domain.grant import Allowance, Grant
from tickstream.ws_bridge.domain.protocol import RefusalError

MIN_SECRET_BYTES: Final = 32
"""Of a secret for HS256 (RFC 7518, 3.2)."""
_MAX_LENGTH: Final = 16_384
_LEEWAY_SECONDS: Final = 5
"""By how much the gateway's clock may differ from ours."""
_CLAIMS: Final = ("exp", "aud", "sub", "channels", "symbols")
_LIMITS: Final = ("connections", "subscriptions", "commandsPerSecond")

Algorithm = Literal["HS256", "EdDSA"]


class Tokens:
    """Checks tokens of one signer.

    Args:
        key: what they are signed with, or the public half of it.
        algorithm: the one they are signed with; no other is taken, whatever a token says.
        audience: whom they must be meant for.
    """

    def __init__(self, key: bytes | Ed25519PublicKey, algorithm: Algorithm, audience: str) -> None:
        self._key = key
        self._algorithm = algorithm
        self._audience = audience

    def grant(self, token: object) -> Grant:
        """What a token allows.

        Raises:
            RefusalError: it isn't valid, or not now.
        """
        if not isinstance(token, str) or not 0 < len(token) <= _MAX_LENGTH:
            raise RefusalError("unauthorized", f"token must be a text of 1 to {_MAX_LENGTH} characters")
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[self._algorithm],
                audience=self._audience,
                leeway=_LEEWAY_SECONDS,
                options={"require": list(_CLAIMS)},
            )
            return _grant(claims)
        except jwt.PyJWTError as error:
            raise RefusalError("unauthorized", f"the token is not valid: {_reason(error)}") from None
        except (ValueError, TypeError, OverflowError, RecursionError):
            raise RefusalError("unauthorized", "the token is not valid: its claims can't be read") from None


def read_public_key(path: Path) -> Ed25519PublicKey:
    """The key in a PEM file.

    Raises:
        OSError: the file can't be read.
        ValueError: it holds something else.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("must hold an Ed25519 public key in PEM")  # noqa: TRY004 - of the file, not of an argument
    return key


def _grant(claims: dict[str, Any]) -> Grant:
    limits = claims.get("limits", {})
    if not isinstance(limits, dict):
        raise TypeError("limits are an object")
    counts = [limits.get(name) for name in _LIMITS]
    if not all(count is None or (type(count) is int and count > 0) for count in counts):
        raise ValueError("a limit is a whole number above 0")
    may_write = claims.get("write", False)
    if not isinstance(may_write, bool):
        raise TypeError("write is true or false")
    return Grant(
        f"subject:{claims['sub']}",
        claims["sub"],
        Scope.of(_texts(claims["channels"]), _texts(claims["symbols"])),
        Allowance(*counts),
        (int(claims["exp"]) + _LEEWAY_SECONDS) * NANOS_PER_SECOND,
        may_write=may_write,
    )


def _texts(claim: object) -> list[str]:
    if not isinstance(claim, list) or not all(isinstance(text, str) for text in claim):
        raise ValueError("a list of texts is wanted")
    return claim


def _reason(error: jwt.PyJWTError) -> str:
    match error:
        case jwt.ExpiredSignatureError():
            return "it has expired"
        case jwt.ImmatureSignatureError():
            return "its time has not come"
        case jwt.InvalidAudienceError():
            return "it is meant for another audience"
        case jwt.MissingRequiredClaimError():
            return f"the claim {error.claim} is missing"
        case _:
            return "it can't be read, or its signature is wrong"
