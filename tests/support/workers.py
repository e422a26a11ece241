"""How a run is shared among workers, each with servers of its own, by the file: a module's fixtures are made once.

`pytest -n auto --dist loadfile --no-loadscope-reorder` (what `make test` does) takes as many workers as
cores and memory allow. Most tests wait for servers, so there are more workers than cores.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import psutil
import pytest

_A_CORE: Final = 2
_MEMORY_EACH: Final = 3 << 29  # a stack, pytest, and the services under test
_SLOW_FIRST: Final = ("e2e", "integration", "contract", "unit")
_TESTS: Final = Path(__file__).parents[1]


def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means."""
    by_memory = psutil.virtual_memory().available // _MEMORY_EACH
    return max(1, min(_A_CORE * (os.cpu_count() or 1), by_memory))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow tests begin, and the quick ones fill the gaps at the end."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: _SLOW_FIRST.index(item.path.relative_to(_TESTS).parts[0]))
