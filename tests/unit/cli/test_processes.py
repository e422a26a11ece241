from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tickstream.cli.stack.processes import Children, ProcessRecord, kill, plain_environment, stop, strays, tail

_WAIT_SECONDS = 20.0


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


@pytest.fixture
def stubborn() -> Iterator[subprocess.Popen[bytes]]:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_a_record_finds_its_process_until_it_ends(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    ProcessRecord.of(psutil.Process(sleeper.pid)).write(tmp_path / "pid.json")
    record = ProcessRecord.read(tmp_path / "pid.json")
    assert record is not None
    found = record.process()
    assert found is not None
    assert found.pid == sleeper.pid
    kill(found)
    assert record.process() is None


def test_a_process_id_that_another_process_got_since_is_stale(sleeper: subprocess.Popen[bytes]) -> None:
    now = ProcessRecord.of(psutil.Process(sleeper.pid))
    assert ProcessRecord(sleeper.pid, now.started - 3600).process() is None


def test_a_zombie_counts_as_ended() -> None:
    # Not waited for by anyone until the end of the test.
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    record = ProcessRecord.of(psutil.Process(child.pid))
    deadline = time.monotonic() + _WAIT_SECONDS
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert record.process() is None
    child.wait()


@pytest.mark.parametrize("contents", ["", "17", "{}", '{"pid": 1}', "[]", '{"pid": 1, "started": 2, "more": 3}'])
def test_a_pid_file_that_makes_no_sense_is_no_process(tmp_path: Path, contents: str) -> None:
    file = tmp_path / "pid.json"
    file.write_text(contents)
    assert ProcessRecord.read(file) is None


def test_a_process_that_ignores_the_signal_is_ended_by_force(stubborn: subprocess.Popen[bytes]) -> None:
    assert stop(psutil.Process(stubborn.pid), signal.SIGTERM, 0.2) is False
    assert not psutil.pid_exists(stubborn.pid)


def test_a_process_that_obeys_goes_by_itself(sleeper: subprocess.Popen[bytes]) -> None:
    assert stop(psutil.Process(sleeper.pid), signal.SIGTERM, _WAIT_SECONDS) is True


def test_started_programs_are_in_a_session_of_their_own_and_log_privately(tmp_path: Path) -> None:
    children = Children()
    log, pid_file = tmp_path / "log", tmp_path / "pid.json"
    code = "import os; print(os.getsid(0) == os.getpid(), flush=True); import time; time.sleep(600)"
    record = children.start([sys.executable, "-c", code], tmp_path, log, pid_file, os.environ)
    deadline = time.monotonic() + _WAIT_SECONDS
    while tail(log, 1) != "True":
        assert time.monotonic() < deadline, tail(log, 10)
        time.sleep(0.01)
    assert {stat.S_IMODE(file.stat().st_mode) for file in (log, pid_file)} == {0o600}
    process = record.process()
    assert process is not None
    kill(process)
    children.reap()
    assert not psutil.pid_exists(record.pid)


def test_strays_are_found_by_where_they_work_and_by_program(tmp_path: Path) -> None:
    below = tmp_path / "data"
    below.mkdir()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], cwd=below) as process:
        name = psutil.Process(process.pid).name()
        assert [stray.pid for stray in strays(tmp_path, name)] == [process.pid]
        assert strays(tmp_path, "another-program") == []
        assert strays(tmp_path / "elsewhere", name) == []
        process.kill()


def test_servers_get_no_secrets_from_our_environment() -> None:
    given = {"PATH": "/bin", "HOME": "/home/me", "KAFKA_SASL_PASSWORD": "x", "JAVA_TOOL_OPTIONS": "-Dx"}
    assert plain_environment(given) == {"PATH": "/bin", "HOME": "/home/me"}


def test_tail_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(10_000)))
    assert tail(log, 2) == "line 9998\nline 9999"
    assert tail(tmp_path / "none", 2) == ""
