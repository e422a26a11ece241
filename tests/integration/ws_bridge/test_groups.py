"""Which groups of symbols have figures, as their readers may know it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.market import Market
from tests.support.programs import must, service, until
from tickstream.core.model import AnalyticsFigure

pytestmark = pytest.mark.integration

SCOPES = ("group:Energy", "market", "group:Banks & Co.", "SPY")


def asked(url: str, key: str | None = None) -> list[str]:
    request = urllib.request.Request(f"{url}/api/v1/groups")
    if key is not None:
        request.add_header("X-API-Key", key)
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: list[str] = json.load(answer)["groups"]
    return found


def refusal(url: str, key: str | None = None) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as error:
        asked(url, key)
    return error.value.code, json.load(error.value)["code"]


def figures() -> list[AnalyticsFigure]:
    return [AnalyticsFigure(scope, "breadth", 60_000_000_000, "1d", {"advancers": 1.0}) for scope in SCOPES]


def test_groups_are_named_once_they_have_figures(isolated_env: dict[str, str], tmp_path: Path) -> None:
    market = Market(isolated_env)
    with service("tickstream-ws-bridge", env=isolated_env, log=tmp_path / "bridge.log") as running:
        running.await_ready()
        assert asked(running.url) == []
        market.publish([*figures(), *figures()])
        until(lambda: asked(running.url) == ["Banks & Co.", "Energy"], lambda: str(asked(running.url)))


def test_a_key_is_told_of_the_groups_that_it_may_read(isolated_env: dict[str, str], tmp_path: Path) -> None:
    must("tickstream-alerting", "--migrate-only", env=isolated_env)

    def key(channel: str, symbols: str) -> str:
        arguments = ("keys", "create", "desk", "--channels", channel, "--symbols", symbols, "--json")
        made: str = json.loads(must("tickstream", *arguments, env=isolated_env))["key"]
        return made

    everyone, energy, trades = key("analytics", "*"), key("analytics", "group:E*"), key("ticks", "*")
    Market(isolated_env).publish(figures())
    env = isolated_env | {"WS_BRIDGE_AUTH": "key"}
    with service("tickstream-ws-bridge", env=env, log=tmp_path / "bridge.log") as running:
        running.await_ready()
        until(lambda: asked(running.url, everyone) == ["Banks & Co.", "Energy"], "not all groups for who may read all")
        assert asked(running.url, energy) == ["Energy"]
        assert refusal(running.url, trades) == (403, "forbidden")
        assert refusal(running.url) == (401, "unauthorized")
