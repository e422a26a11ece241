"""What a demo runs: each service with its command line and settings."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from tickstream.cli.stack.ports import LOOPBACK, free_port, is_free

_ROOT: Final = Path(__file__).resolve().parents[6]
_DATA: Final = _ROOT / "data" / "demo"
SESSION: Final = _DATA / "2013-10-08.parquet"
RULES: Final = _DATA / "rules.yaml"
GROUPS: Final = _DATA / "groups.yaml"

DASHBOARD_PORT: Final = 8080
_FIRST_PORT: Final = 8091


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the user asked for; `speed` is a number or "max", `path` none for the session in the repository."""

    source: Literal["replay", "simulate"] = "replay"
    path: Path | None = None
    speed: str | None = None
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """One process of the demo.

    Attributes:
        name: for people, and the name of its log.
        command: with its arguments.
        port: where it serves /readyz.
        settings: its environment, beside the machine's.
    """

    name: str
    command: tuple[str, ...]
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def ready_url(self) -> str:
        """Where it says whether it can do its work."""
        return f"http://{LOOPBACK}:{self.port}/readyz"


def services(options: DemoOptions, stack: Mapping[str, str]) -> list[Service]:
    """The demo's services in the order of their start; the bridge is the last but one, the producer the last."""
    names = ("alerting", "processor", "analytics", "ws-bridge", "producer")
    ports = _ports(names)
    extra: dict[str, dict[str, str]] = {
        "alerting": {"ALERTING_RULES_FILE": str(RULES)},
        "analytics": {"ANALYTICS_GROUPS_FILE": str(GROUPS)},
        "ws-bridge": {"WS_BRIDGE_ALERTING_URL": f"http://{LOOPBACK}:{ports['alerting']}"},
    }
    arguments = {"producer": _producer_arguments(options)}
    common = {**stack, "LOG_FORMAT": "json", "HTTP_HOST": LOOPBACK}
    return [
        Service(
            name,
            (_program(f"tickstream-{name}"), *arguments.get(name, ())),
            ports[name],
            {**common, "HTTP_PORT": str(ports[name]), **extra.get(name, {})},
        )
        for name in names
    ]


def _producer_arguments(options: DemoOptions) -> tuple[str, ...]:
    chosen = ("--symbols", ",".join(options.symbols)) if options.symbols else ()
    if options.source == "simulate":
        pace = ("--speed", options.speed) if options.speed else ()
        return ("--source", "simulate", "--calendar", "24/7", *pace, *chosen)
    path = options.path or SESSION
    return ("--source", "replay", "--path", str(path), "--speed", options.speed or "60", "--loop", *chosen)


def _ports(names: tuple[str, ...]) -> dict[str, int]:
    taken: set[int] = set()
    ports = {}
    for name in names:
        preferred = DASHBOARD_PORT if name == "ws-bridge" else _FIRST_PORT + len(taken)
        port = preferred if is_free(preferred) and preferred not in taken else free_port(preferred + 1, avoid=taken)
        taken.add(port)
        ports[name] = port
    return ports


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
