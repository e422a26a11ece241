"""How a run is shared among workers, each with servers of its own.

`pytest -n auto --dist loadgroup --no-loadscope-reorder` (what `make test` does) takes as many as cores and
memory allow; most tests wait for servers, so there are more workers than cores.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import psutil
import pytest

_A_CORE: Final = 2
_MEMORY_EACH: Final = 3 << 29  # a stack, pytest, and the services under test
_LONGEST_FIRST: Final = ("e2e", "integration", "contract", "unit")


def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means."""
    by_memory = psutil.virtual_memory().available // _MEMORY_EACH
    return max(1, min(_A_CORE * (os.cpu_count() or 1), by_memory))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a module's fixtures go to one worker; the slow ones begin, and the quick ones fill the gaps."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    for item in items:
        if _shares(item) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
    items.sort(key=_turn)


def _shares(item: pytest.Item) -> bool:
    fixtures = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    return any(fixture[-1].scope == "module" for fixture in fixtures.values())


def _turn(item: pytest.Item) -> int:
    kind = item.path.relative_to(Path(__file__).parents[1]).parts[0]
    return _LONGEST_FIRST.index(kind) if kind in _LONGEST_FIRST else 0
