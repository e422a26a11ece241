"""How a run is shared among workers, each with servers of its own, by the file: a module's fixtures are made once.

`pytest -n auto --dist loadfile --no-loadscope-reorder` (what `make test` does) takes as many workers as
cores and memory allow. Most tests wait for servers, so there are more workers than cores.

On a machine that has to compile a server first, that begins with the run, and the tests without servers
are the ones that don't wait for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.catalogue import DEFAULT, SERVERS
from tickstream.cli.stack.places import Places

_A_CORE: Final = 2
_MEMORY_EACH: Final = 3 << 29  # a stack, pytest, and the services under test
_SLOW_FIRST: Final = ("e2e", "integration", "contract", "unit/processor", "unit")
_TO_BUILD: Final = "servers_to_build"
_BUILD_SECONDS: Final = 3600
_TESTS: Final = Path(__file__).parents[1]


def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means."""
    by_memory = psutil.virtual_memory().available // _MEMORY_EACH
    return max(1, min(_A_CORE * (os.cpu_count() or 1), by_memory))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """All workers must agree on the order of the tests, so they are told what it depends on."""
    node.workerinput[_TO_BUILD] = _to_build()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The slow tests begin, and the quick ones fill the gaps at the end; while servers are built, these begin."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    missing = worker[_TO_BUILD] if worker else _to_build()
    waiting = [item for item in items if not item.path.is_relative_to(_TESTS / "unit")]
    if missing and waiting:
        for item in waiting:
            item.add_marker(pytest.mark.timeout(_BUILD_SECONDS))
        if not config.option.collectonly and (worker is None or worker["workerid"] == "gw0"):
            _build(missing)
    if missing or worker:
        items.sort(key=_turn, reverse=bool(missing))


def _turn(item: pytest.Item) -> int:
    return next(turn for turn, folder in enumerate(_SLOW_FIRST) if item.path.is_relative_to(_TESTS / folder))


def _to_build() -> list[str]:
    """The servers that this machine has to compile before it can start them."""
    if os.environ.get("TICKSTREAM_TEST_SERVERS", "native") != "native":
        return []
    return [name for name in DEFAULT if SERVERS[name].built_here and not SERVERS[name].installed(_cache())]


def _cache() -> Cache:
    return Cache(Places.of(os.environ).cache)


def _build(servers: list[str]) -> None:
    """Begin in the background; whoever starts such a server waits for this by the cache's lock."""
    for server in servers:
        with (Path(tempfile.gettempdir()) / f"build-{server}.log").open("wb") as log:
            command = [sys.executable, "-m", "tickstream.cli.stack.builder", server, str(_cache().root)]
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
