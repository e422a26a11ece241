from __future__ import annotations

import os
import sys

import pytest

from tickstream.cli.bench.programs import Cost, run
from tickstream.core.errors import FatalError


def _python(code: str) -> Cost:
    return run([sys.executable, "-c", code], os.environ)


_IN_A_SMALL_PROCESS = """
import os, sys
from tickstream.cli.bench.programs import run

for code in sys.argv[1:]:
    cost = run([sys.executable, "-c", code], os.environ)
    print(cost.peak, cost.output.strip())
"""


def test_memory_that_a_program_held_is_its_peak() -> None:
    # A program's peak is at least what its parent held when it was started, and a test run holds much.
    codes = ["print('little')", "b'x' * 400_000_000; print('much')"]
    lines = run([sys.executable, "-c", _IN_A_SMALL_PROCESS, *codes], os.environ).output.splitlines()
    peaks = {name: int(peak) for peak, name in map(str.split, lines)}
    assert peaks["little"] < 400_000_000 < peaks["much"]


def test_a_start_is_taken_off_cpu_time_and_not_off_memory() -> None:
    cost = Cost(5.0, 4.0, 1000, "done").less(Cost(2.0, 1.0, 900, "idle"))
    assert cost == Cost(5.0, 3.0, 1000, "done")


def test_a_program_that_fails_is_named_with_its_last_words() -> None:
    with pytest.raises(FatalError, match=r"ended with 3:\n.*out of paper"):
        _python("import sys; print('out of paper', file=sys.stderr); sys.exit(3)")
