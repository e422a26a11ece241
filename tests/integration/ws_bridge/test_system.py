"""What the services say of themselves, over HTTP."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.market import Market
from tests.support.programs import Running, service, until
from tickstream.core.model import SystemMetrics

pytestmark = pytest.mark.integration

KEY = "a key from a file"


def figures(url: str, **headers: str) -> dict[str, Any]:
    """The answer, by service and instance."""
    request = urllib.request.Request(f"{url}/api/v1/system", headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        said = json.load(answer)
    return {f"{one['service']} {one['instance']}": one for one in said["services"]}


def report(service: str, instance: str, age: float, **metrics: float) -> SystemMetrics:
    """Figures of some seconds ago."""
    return SystemMetrics(service, instance, time.time_ns() - int(age * 1e9), metrics)


def test_the_newest_figures_of_each_instance_are_there(bridge: Running, market: Market) -> None:
    market.publish(
        [
            report("alpha", "1", 9, lag=7.0, beat=1.0),
            report("alpha", "1", 4, lag=3.0),
            report("alpha", "2", 4, lag=5.0),
            report("beta", "1", 4, records_total=12.0),
        ]
    )
    wanted = {
        "alpha 1": {"lag": 3.0, "beat": 1.0},
        "alpha 2": {"lag": 5.0},
        "beta 1": {"records_total": 12.0},
    }

    def found() -> dict[str, Any]:
        return {name: one["metrics"] for name, one in figures(bridge.url).items() if name in wanted}

    until(lambda: found() == wanted, lambda: str(found()))
    assert time.time() - figures(bridge.url)["alpha 2"]["ts_event_ms"] / 1000 >= 4


def test_they_are_for_those_whom_the_bridge_knows(env: dict[str, str], market: Market, tmp_path: Path) -> None:
    market.publish([report("gamma", "1", 1, lag=7.0)])
    (tmp_path / "keys").write_text(f"ann:{hashlib.sha256(KEY.encode()).hexdigest()}\n")
    own = {"WS_BRIDGE_AUTH": "key", "WS_BRIDGE_API_KEYS_FILE": str(tmp_path / "keys")}
    with service("tickstream-ws-bridge", env=env | own, log=tmp_path / "log") as guarded:
        guarded.await_ready()
        for headers, status in (({}, 401), ({"X-API-Key": "another"}, 401)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                figures(guarded.url, **headers)
            assert refused.value.code == status
        assert figures(guarded.url, **{"X-API-Key": KEY})["gamma 1"]["metrics"] == {"lag": 7.0}
