"""Which name an instance takes, by real processes that end well or are killed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tickstream.core.errors import FatalError
from tickstream.processor.adapters.identity import place

HOLD = """
import sys
from tickstream.processor.adapters.identity import place
with place("some") as held:
    print(held.name, flush=True)
    if sys.stdin.readline():
        held.clear()
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


@contextmanager
def holder() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that holds a place until its input closes, and the end of the name that it has."""
    child = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout
    with child:
        try:
            yield child, child.stdout.readline().strip()[-2:]
        finally:
            child.kill()


def leave(child: subprocess.Popen[str], *, well: bool = True) -> None:
    assert child.stdin
    child.stdin.write("all is over\n" * well)
    child.stdin.close()
    assert child.wait() == 0


def taken() -> str:
    with place("some") as held:
        held.clear()
        return held.name[-2:]


def test_instances_at_the_same_time_have_different_names_and_the_first_free_one_is_taken() -> None:
    with holder() as (first, name), holder() as (_, other):
        assert (name, other) == ("-0", "-1")
        leave(first)
        assert taken() == "-0"


def test_the_place_of_one_that_was_killed_is_taken_before_one_that_is_free() -> None:
    with holder() as (first, _), holder() as (second, _):
        leave(first)
        second.kill()
        second.wait()
        assert [taken(), taken()] == ["-1", "-0"]


def test_so_is_the_place_of_one_that_left_a_transaction_behind() -> None:
    with holder() as (first, _), holder() as (second, _):
        leave(first)
        leave(second, well=False)
        assert [taken(), taken()] == ["-1", "-0"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setattr(tempfile, "tempdir", str(file))
    with pytest.raises(FatalError, match="must be a folder for lock files"), place("some"):
        pass
