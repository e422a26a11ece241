"""Tokens made by hand, part by part, as RFC 7515 and RFC 7519 say, and not by the library that checks them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tickstream.core.access import Scope
from tickstream.ws_bridge.adapters.tokens import Tokens, read_public_key
from tickstream.ws_bridge.domain.grant import Allowance
from tickstream.ws_bridge.domain.protocol import RefusalError

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = int(time.time())
CLAIMS: dict[str, Any] = {
    "sub": "ann",
    "aud": "tickstream",
    "exp": NOW + 86_400,
    "channels": ["ticks", "bars"],
    "symbols": ["SPY", "B*"],
}


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(claims: object, algorithm: str = "HS256") -> str:
    header = {"alg": algorithm, "typ": "JWT"}
    return f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"


def hs256(claims: object, secret: bytes = SECRET, algorithm: str = "HS256") -> str:
    text = unsigned(claims, algorithm)
    return f"{text}.{part(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def test_a_token_grants_what_its_claims_say() -> None:
    limits = {"connections": 2, "subscriptions": None, "commandsPerSecond": 5}
    grant = Tokens(SECRET, "HS256", "tickstream").grant(hs256(CLAIMS | {"limits": limits}))
    assert (grant.holder, grant.name, grant.key_id) == ("subject:ann", "ann", None)
    assert grant.scope == Scope.of(["ticks", "bars"], ["SPY", "B*"])
    assert grant.allowance == Allowance(2, None, 5)
    assert grant.expires_ns is not None
    assert 0 <= grant.expires_ns // 10**9 - CLAIMS["exp"] <= 10


def test_a_token_may_write_only_where_it_says_so() -> None:
    tokens = Tokens(SECRET, "HS256", "tickstream")
    assert [tokens.grant(hs256(CLAIMS | more)).may_write for more in ({}, {"write": False}, {"write": True})] == [
        False,
        False,
        True,
    ]
    for strange in ("true", 1, None, ["*"]):
        with pytest.raises(RefusalError, match="claims"):
            tokens.grant(hs256(CLAIMS | {"write": strange}))


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": NOW - 60},
        {"nbf": NOW + 3600},
        {"aud": "elsewhere"},
        {"aud": ["elsewhere"]},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 1e400},
        {"sub": None},
        {"sub": 7},
        {"channels": None},
        {"channels": "ticks"},
        {"channels": ["quotes"]},
        {"symbols": None},
        {"symbols": []},
        {"symbols": [7]},
        {"limits": {"connections": 0}},
        {"limits": {"connections": True}},
        {"limits": 7},
    ],
)
def test_a_token_with_a_claim_that_is_missing_or_wrong_is_refused(changed: dict[str, Any]) -> None:
    claims = {name: value for name, value in (CLAIMS | changed).items() if value is not None}
    with pytest.raises(RefusalError) as refused:
        Tokens(SECRET, "HS256", "tickstream").grant(hs256(claims))
    assert refused.value.code == "unauthorized"


@pytest.mark.parametrize(
    "token",
    [
        None,
        7,
        "",
        "x",
        "a.b.c",
        "x" * 100_000,
        hs256(CLAIMS, b"another secret, of the right size"),
        hs256(CLAIMS)[:-2],
        unsigned(CLAIMS, "none") + ".",
        hs256(CLAIMS, algorithm="HS512"),
        hs256([1]),
        f"{part(b'[' * 6000)}.{part(b'{}')}.{part(b'x')}",
        "\ud800",
    ],
)
def test_what_was_not_signed_so_is_refused(token: object) -> None:
    with pytest.raises(RefusalError) as refused:
        Tokens(SECRET, "HS256", "tickstream").grant(token)
    assert refused.value.code == "unauthorized"
    assert str(token)[:30] not in str(refused.value) or not token or token == "x"


def test_with_a_public_key_only_its_private_half_can_sign(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    tokens = Tokens(read_public_key(tmp_path / "key.pem"), "EdDSA", "tickstream")
    text = unsigned(CLAIMS, "EdDSA")
    assert tokens.grant(f"{text}.{part(private.sign(text.encode()))}").name == "ann"
    stranger = Ed25519PrivateKey.generate()
    for forged in (f"{text}.{part(stranger.sign(text.encode()))}", hs256(CLAIMS, pem), hs256(CLAIMS, pem, "EdDSA")):
        with pytest.raises(RefusalError):
            tokens.grant(forged)


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"]
)
def test_a_file_that_holds_no_such_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(ValueError, match="Ed25519"):
        read_public_key(tmp_path / "key.pem")
