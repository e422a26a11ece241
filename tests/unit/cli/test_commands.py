from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tickstream.cli.main import application

_HEAVY = ("psycopg", "confluent_kafka", "influxdb_client", "jgo", "redis", "aiohttp", "pyarrow", "tickstream.cli.stack")


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(application(arguments), list(arguments))
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKSTREAM_STATE_DIR", str(tmp_path))
    for setting in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL", "INFLUXDB_URL", "SCHEMA_REGISTRY_URL"):
        monkeypatch.delenv(setting, raising=False)


def test_the_overview_imports_no_command() -> None:
    code = (
        "import sys; from tickstream.cli.main import application; application(['--help']);"
        f"print([name for name in {_HEAVY!r} if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert answer.stdout == "[]\n"


def test_the_overview_names_the_commands() -> None:
    code, output = _run("--help")
    assert code == 0
    assert "stack" in output
    assert "doctor" in output


@pytest.mark.parametrize("wish", ["kafka", "kafka=", "kafka=0", "kafka=70000", "mysql=3306", "=1"])
def test_a_wish_for_a_port_that_is_none_is_refused(wish: str) -> None:
    code, output = _run("stack", "up", "redis", "--port", wish)
    assert code == 1
    assert f"--port must be a server and a port such as kafka=29092, was '{wish}'" in output


def test_an_unknown_server_is_refused() -> None:
    code, output = _run("stack", "up", "mysql")
    assert (code, "was mysql" in output) == (1, True)


def test_a_stack_that_never_was_has_no_servers_and_no_logs() -> None:
    assert _run("stack", "status", "--json") == (1, "[]\n")
    assert _run("stack", "down")[0] == 0
    code, output = _run("stack", "logs", "kafka")
    assert (code, "has had no kafka yet" in output) == (1, True)


def test_the_environment_of_no_stack_is_still_valid_shell() -> None:
    code, output = _run("stack", "env")
    assert code == 0
    assert output.startswith("export TIMESERIES=postgres\n")
