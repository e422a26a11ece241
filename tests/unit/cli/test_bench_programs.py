from __future__ import annotations

import os
import sys

import pytest

from tickstream.cli.bench.programs import Cost, run
from tickstream.core.errors import FatalError


def _python(code: str) -> Cost:
    return run([sys.executable, "-c", code], os.environ)


def test_memory_that_a_program_held_is_its_peak() -> None:
    little, much = _python("print(1)"), _python("b'x' * 400_000_000; print(2)")
    assert much.peak > 400_000_000
    assert little.peak < much.peak
    assert (little.output, much.output) == ("1\n", "2\n")


def test_a_start_is_taken_off_time_and_not_off_memory() -> None:
    cost = Cost(5.0, 4.0, 1000, "done").less(Cost(2.0, 1.0, 900, "idle"))
    assert cost == Cost(3.0, 3.0, 1000, "done")


def test_a_program_that_fails_is_named_with_its_last_words() -> None:
    with pytest.raises(FatalError, match=r"ended with 3:\n.*out of paper"):
        _python("import sys; print('out of paper', file=sys.stderr); sys.exit(3)")
