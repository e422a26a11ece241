"""A stack's processes: found again whatever happened to their pid files, and ended when they should be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest

from tests.integration.cli.conftest import directory_of, pids
from tests.support.programs import until
from tickstream.cli.stack.errors import StackError
from tickstream.cli.stack.stack import Stack

pytestmark = pytest.mark.integration


def test_pid_files_of_a_dead_server_whose_id_another_process_got(
    environment: dict[str, str], small: Callable[..., Stack]
) -> None:
    one = small()
    one.up(["postgres"])
    directory = directory_of(environment, one) / "postgres"
    postmaster = (directory / "data" / "postmaster.pid").read_text().splitlines()
    one.kill("postgres")
    # This test's own process lives, and is no PostgreSQL.
    record = json.loads((directory / "pid.json").read_text())
    (directory / "pid.json").write_text(json.dumps(record | {"pid": os.getpid()}))
    (directory / "data" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *postmaster[1:]]))

    assert one.status()[0].state == "down"
    one.up(["postgres"])
    assert one.status()[0].state == "up"


def test_a_server_without_its_pid_file_is_found_and_replaced(
    environment: dict[str, str], small: Callable[..., Stack]
) -> None:
    one = small()
    one.up(["redis"])
    lost = pids(one)["redis"]
    assert lost is not None
    (directory_of(environment, one) / "redis" / "pid.json").unlink()
    one.up(["redis"])
    assert pids(one)["redis"] != lost
    assert not psutil.pid_exists(lost) or psutil.Process(lost).status() == psutil.STATUS_ZOMBIE


def test_a_start_that_fails_shows_the_end_of_the_log(environment: dict[str, str], small: Callable[..., Stack]) -> None:
    one = small()
    one.up(["redis"])
    one.down()
    (appended,) = (directory_of(environment, one) / "redis" / "data").rglob("*.aof*")
    appended.write_bytes(b"nothing that Redis wrote")
    with pytest.raises(
        StackError, match=r"redis ended while it was starting; the end of its log, .*\n(.*\n)*.*Bad file"
    ):
        one.up(["redis"])


def test_servers_outlive_the_command_that_started_them(
    environment: dict[str, str], small: Callable[..., Stack]
) -> None:
    one = small()
    command = [sys.executable, "-m", "tickstream.cli", "stack", "up", "redis", "--name", one.name]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert [(status.server, status.state) for status in one.status()] == [("redis", "up")]


def test_an_owners_servers_die_with_it_even_when_it_is_killed(
    environment: dict[str, str], small: Callable[..., Stack]
) -> None:
    one = small()
    code = (
        "import sys, time; from tickstream.cli.stack.stack import Stack;"
        "Stack(sys.argv[1], die_with_parent=True).up(['redis']); print('up', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, one.name], env=environment, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        assert one.status()[0].state == "up"
        owner.kill()
    until(lambda: one.status()[0].state == "down", "the server outlives its owner", limit=30)
