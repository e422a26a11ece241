from __future__ import annotations

import pytest

from tickstream.core.errors import SettingsError
from tickstream.core.settings import load
from tickstream.ws_bridge.settings import WsBridgeSettings


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({}, "WS_BRIDGE_AUTH needs a valid one of WS_BRIDGE_API_KEYS_FILE, DATABASE_URL"),
        ({"WS_BRIDGE_JWT_SECRET": "too-short"}, "WS_BRIDGE_JWT_SECRET must have at least 32 bytes"),
        ({"WS_BRIDGE_JWT_PUBLIC_KEY": "/dev/null"}, "WS_BRIDGE_JWT_PUBLIC_KEY must hold an Ed25519 public key"),
        ({"WS_BRIDGE_JWT_PUBLIC_KEY": "/nowhere"}, "WS_BRIDGE_JWT_PUBLIC_KEY must be a readable file"),
        (
            {"WS_BRIDGE_JWT_SECRET": "x" * 32, "WS_BRIDGE_JWT_PUBLIC_KEY": "/dev/null"},
            "WS_BRIDGE_JWT_PUBLIC_KEY must not be given beside WS_BRIDGE_JWT_SECRET",
        ),
        ({"WS_BRIDGE_ORIGINS": "https://Dash.example"}, "WS_BRIDGE_ORIGINS must be a list of origins"),
        ({"WS_BRIDGE_ORIGINS": "*"}, "WS_BRIDGE_ORIGINS must be a list of origins"),
        ({"WS_BRIDGE_TRUSTED_PROXIES": "proxy.example"}, "WS_BRIDGE_TRUSTED_PROXIES must be a list of networks"),
        ({"WS_BRIDGE_TRUSTED_PROXIES": "10.0.0.1/8"}, "WS_BRIDGE_TRUSTED_PROXIES must be a list of networks"),
        ({"WS_BRIDGE_TRUSTED_PROXIES": "10.0.0.1,::/0"}, "WS_BRIDGE_TRUSTED_PROXIES must not trust everyone"),
    ],
)
def test_what_would_let_in_nobody_or_anybody_is_refused_without_showing_a_secret(
    given: dict[str, str], rule: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load(WsBridgeSettings, "WS_BRIDGE", [], {"WS_BRIDGE_AUTH": "key", **given})
    assert rule in str(refused.value)
    assert "too-short" not in str(refused.value)


@pytest.mark.parametrize("given", [{"DATABASE_URL": "postgresql://localhost/x"}, {"WS_BRIDGE_JWT_SECRET": "x" * 32}])
def test_one_way_to_recognise_clients_is_enough_to_listen_everywhere(given: dict[str, str]) -> None:
    settings = load(WsBridgeSettings, "WS_BRIDGE", [], {"WS_BRIDGE_AUTH": "key", "HTTP_HOST": "0.0.0.0", **given})
    assert settings.auth == "key"
