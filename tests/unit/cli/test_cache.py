from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.errors import StackError

_SLOW_INSTALL = """
import sys, time
from pathlib import Path
from tickstream.cli.stack.cache import Cache

def make(directory):
    (directory / "first").write_text("whole")
    print("half way", flush=True)
    time.sleep(float(sys.argv[2]))
    (directory / "second").write_text("whole")
    with (Path(sys.argv[1]) / "made.txt").open("a") as made:
        made.write("once\\n")

Cache(Path(sys.argv[1])).install("thing-1", make)
"""


def _installing(root: Path, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _SLOW_INSTALL, str(root), str(seconds)], stdout=subprocess.PIPE, text=True
    )


def _fill(directory: Path) -> None:
    (directory / "first").write_text("whole")
    (directory / "second").write_text("whole")


def test_an_install_killed_half_way_leaves_no_entry_and_the_next_one_is_whole(tmp_path: Path) -> None:
    with _installing(tmp_path, 60) as half_way:
        assert half_way.stdout is not None
        assert half_way.stdout.readline() == "half way\n"
        half_way.send_signal(signal.SIGKILL)
    cache = Cache(tmp_path)
    assert not cache.has("thing-1")

    entry = cache.install("thing-1", _fill)

    assert sorted(file.name for file in entry.iterdir()) == ["first", "second"]
    assert [file for file in tmp_path.iterdir() if ".tmp-" in file.name] == []


def test_of_two_first_runs_at_once_one_makes_the_entry_and_both_have_it(tmp_path: Path) -> None:
    with _installing(tmp_path, 0.5) as one, _installing(tmp_path, 0.5) as other:
        assert (one.wait(30), other.wait(30)) == (0, 0)
    assert (tmp_path / "made.txt").read_text() == "once\n"
    assert (tmp_path / "thing-1" / "second").exists()


def test_threads_of_one_process_wait_for_each_other_too(tmp_path: Path) -> None:
    made = []

    def make(directory: Path) -> None:
        made.append(directory)
        time.sleep(0.2)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: Cache(tmp_path).install("thing-1", make), range(2)))
    assert len(made) == 1


def test_a_failed_install_leaves_nothing(tmp_path: Path) -> None:
    def fail(directory: Path) -> None:
        (directory / "first").write_text("half")
        raise StackError("refused")

    with pytest.raises(StackError, match="refused"):
        Cache(tmp_path).install("thing-1", fail)
    assert [file.name for file in tmp_path.iterdir()] == [".thing-1.lock"]


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.install("thing-1", _fill)
    assert cache.install("thing-1", lambda _: pytest.fail("made again")) == tmp_path / "thing-1"
