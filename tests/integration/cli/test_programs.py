"""The servers' programs: built and tuned in the background, or missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.integration.cli.conftest import pids
from tests.support.programs import until
from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.catalogue import SERVERS
from tickstream.cli.stack.errors import StackError
from tickstream.cli.stack.places import Places
from tickstream.cli.stack.processes import strays
from tickstream.cli.stack.progress import Step
from tickstream.cli.stack.stack import Stack

pytestmark = pytest.mark.integration


def test_kafkas_later_starts_use_what_java_recorded_in_the_background(small: Callable[..., Stack]) -> None:
    one = small()
    one.up(["kafka"])
    # Minutes on a machine where no stack has run yet, at once elsewhere.
    cache = Cache(Places.of(os.environ).cache)
    until(lambda: SERVERS["kafka"].tuned(cache), one.log("kafka").with_name("build.log").read_text, limit=300)
    one.down()
    one.up(["kafka"])
    mapped = {Path(file.path).name for file in psutil.Process(pids(one)["kafka"]).memory_maps()}
    assert "kafka.aot" in mapped


def test_without_compilers_all_but_influxdb_start_and_time_series_go_to_postgres(
    small: Callable[..., Stack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for program in Places.of(os.environ).cache.glob("kafka-*"):
        (cache / program.name).symlink_to(program)
    programs = tmp_path / "bin"
    programs.mkdir()
    if setpriv := shutil.which("setpriv"):
        (programs / "setpriv").symlink_to(setpriv)
    monkeypatch.setenv("PATH", str(programs))
    one = small(TICKSTREAM_CACHE_DIR=str(cache))
    steps: list[Step] = []
    one.up(on_progress=steps.append)
    last = {step.server: step for step in steps}
    assert {server: step.phase for server, step in last.items()} == {
        **dict.fromkeys(("kafka", "postgres", "redis"), "up"),
        "influxdb": "missing",
    }
    assert "Rust with cargo" in last["influxdb"].detail
    assert one.env()["TIMESERIES"] == "postgres"
    assert "INFLUXDB_URL" not in one.env()


def test_a_stack_brought_down_while_something_is_built_stays_down(
    small: Callable[..., Stack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in ("go", "cargo", "cc"):
        (programs / tool).write_text("#!/bin/sh\nexec sleep 600\n")
        (programs / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    one = small(TICKSTREAM_CACHE_DIR=str(tmp_path / "cache"))
    one.up(["influxdb"], background_builds=True)
    assert [status.state for status in one.status()] == ["building"]
    assert "INFLUXDB_URL" in one.env()
    with ThreadPoolExecutor(1) as pool:
        finishing = pool.submit(one.finish_builds)
        one.down()
        with pytest.raises(StackError):
            finishing.result(30)
    assert [status.state for status in one.status()] == ["down"]
    assert strays(tmp_path / "cache", "sleep") == []
