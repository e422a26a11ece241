"""A native stack through everything that happens to one on a user's machine."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg
import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from redis import Redis

from tests.support.servers import spare_ports, unnamed_servers
from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.catalogue import SERVERS
from tickstream.cli.stack.errors import StackError
from tickstream.cli.stack.kafka import KafkaServer
from tickstream.cli.stack.places import Places
from tickstream.cli.stack.processes import strays
from tickstream.cli.stack.progress import Step
from tickstream.cli.stack.servers import Site
from tickstream.cli.stack.stack import Stack
from tickstream.core.kafka import Kafka
from tickstream.core.settings import KafkaSettings

pytestmark = pytest.mark.integration

ALL = ("kafka", "influxdb", "postgres", "redis")
_WAIT_SECONDS = 30.0


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return unnamed_servers(os.environ) | {"TICKSTREAM_STATE_DIR": str(tmp_path_factory.mktemp("state"))}


@pytest.fixture(scope="module")
def stack(environment: dict[str, str]) -> Iterator[Stack]:
    stack = Stack("whole", environment=environment, ports=spare_ports(), die_with_parent=True)
    stack.up(ALL)
    yield stack
    stack.wipe(force=True)


@pytest.fixture
def small(environment: dict[str, str]) -> Iterator[Callable[..., Stack]]:
    """Makes stacks for one test each."""
    made: list[Stack] = []

    def make(**settings: str) -> Stack:
        name = f"small-{uuid.uuid4().hex[:8]}"
        made.append(Stack(name, environment=environment | settings, ports=spare_ports(), die_with_parent=True))
        return made[-1]

    yield make
    for one in made:
        one.wipe(force=True)


def _pids(stack: Stack) -> dict[str, int | None]:
    return {server.server: server.pid for server in stack.status()}


def _secrets(stack: Stack) -> list[str]:
    env = stack.env()
    urls = [env[name].partition("@")[0].rpartition(":")[2] for name in ("DATABASE_URL", "REDIS_URL")]
    return [*urls, env["INFLUXDB_TOKEN"]]


def _directory(environment: dict[str, str], stack: Stack) -> Path:
    return Path(environment["TICKSTREAM_STATE_DIR"], "stacks", stack.name)


def _write_everywhere(env: dict[str, str], word: str) -> None:
    kafka = Kafka(KafkaSettings(kafka_bootstrap_servers=env["KAFKA_BOOTSTRAP_SERVERS"], kafka_topic_prefix=word))
    kafka.ensure_topics()
    with psycopg.connect(env["DATABASE_URL"]) as database:
        database.execute("CREATE TABLE IF NOT EXISTS words (word text)")
        database.execute("INSERT INTO words VALUES (%s)", [word])
    with Redis.from_url(env["REDIS_URL"]) as redis:
        redis.set(word, "kept")
    with InfluxDBClient(env["INFLUXDB_URL"], env["INFLUXDB_TOKEN"], org=env["INFLUXDB_ORG"]) as influx:
        influx.write_api(write_options=SYNCHRONOUS).write(env["INFLUXDB_BUCKET"], record=f"words {word}=1 1000")


def _found(env: dict[str, str], word: str) -> dict[str, bool]:
    kafka = Kafka(KafkaSettings(kafka_bootstrap_servers=env["KAFKA_BOOTSTRAP_SERVERS"], kafka_topic_prefix=word))
    with psycopg.connect(env["DATABASE_URL"]) as database:
        row = database.execute("SELECT 1 FROM words WHERE word = %s", [word]).fetchone()
    with Redis.from_url(env["REDIS_URL"]) as redis:
        value = redis.get(word)
    with InfluxDBClient(env["INFLUXDB_URL"], env["INFLUXDB_TOKEN"], org=env["INFLUXDB_ORG"]) as influx:
        query = (
            f'from(bucket: "{env["INFLUXDB_BUCKET"]}") |> range(start: 0) |> filter(fn: (r) => r._field == "{word}")'
        )
        tables = influx.query_api().query(query)
    return {
        "kafka": kafka.topic("bars") in kafka.existing(),
        "postgres": row is not None,
        "redis": value == b"kept",
        "influxdb": bool(tables),
    }


def test_a_second_up_leaves_what_runs_as_it_is(stack: Stack) -> None:
    before = _pids(stack)
    assert set(before) == set(ALL)
    steps: list[Step] = []
    stack.up(ALL, steps.append)
    assert _pids(stack) == before
    assert {(step.server, step.phase) for step in steps} == {(server, "up") for server in ALL}


def test_secrets_are_in_no_command_line_and_in_no_log(environment: dict[str, str], stack: Stack) -> None:
    processes = [psutil.Process(pid) for pid in _pids(stack).values() if pid]
    family = [*processes, *(child for process in processes for child in process.children(recursive=True))]
    commands = " ".join(" ".join(process.cmdline()) for process in family)
    surroundings = " ".join(" ".join(process.environ().values()) for process in processes)
    logs = " ".join(stack.log(server).read_text(errors="replace") for server in ALL)
    for secret in _secrets(stack):
        assert len(secret) >= 32
        assert secret not in commands
        assert secret not in surroundings
        assert secret not in logs


def test_files_with_secrets_are_for_their_owner_only(environment: dict[str, str], stack: Stack) -> None:
    directory = _directory(environment, stack)
    secrets = _secrets(stack)
    holding = [
        file
        for file in directory.rglob("*")
        if file.is_file()
        and "data" not in file.parts
        and any(secret in file.read_text("latin-1") for secret in secrets)
    ]
    assert {file.name for file in holding} == {"secrets.json", "redis.conf"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in holding} == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_every_server_listens_on_loopback_only(stack: Stack) -> None:
    for pid in _pids(stack).values():
        listening = [c.laddr.ip for c in psutil.Process(pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert listening
        assert set(listening) <= {"127.0.0.1", "::ffff:127.0.0.1"}


@pytest.mark.parametrize("password", ["", "wrong"])
def test_nobody_gets_in_without_the_secret(stack: Stack, password: str) -> None:
    env = stack.env()
    postgres, redis, _ = _secrets(stack)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(env["DATABASE_URL"].replace(postgres, password))
    with pytest.raises(Exception, match=r"(?i)auth|password"):
        Redis.from_url(env["REDIS_URL"].replace(redis, password)).ping()
    with (
        InfluxDBClient(env["INFLUXDB_URL"], password, org=env["INFLUXDB_ORG"]) as influx,
        pytest.raises(Exception, match="unauthorized"),
    ):
        influx.buckets_api().find_buckets()


def test_down_keeps_the_data(stack: Stack) -> None:
    env = stack.env()
    _write_everywhere(env, "calm")
    stack.down()
    assert {status.state for status in stack.status()} == {"down"}
    stack.up(ALL)
    assert stack.env() == env
    assert all(_found(env, "calm").values()), _found(env, "calm")


def test_after_kill_9_of_every_server_up_works_and_the_data_is_there(stack: Stack) -> None:
    env = stack.env()
    _write_everywhere(env, "storm")
    before = _pids(stack)
    for server in ALL:
        stack.kill(server)
    stack.up(ALL)
    assert stack.env() == env
    assert all(_found(env, "storm").values()), _found(env, "storm")
    assert not set(before.values()) & set(_pids(stack).values())


def test_env_gives_a_shell_in_which_the_services_work(environment: dict[str, str], stack: Stack) -> None:
    script = f'eval "$({sys.executable} -m tickstream.cli stack env --name {stack.name})" && env'
    shell = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, check=True, text=True)
    given = dict(line.partition("=")[::2] for line in shell.stdout.splitlines())
    assert stack.env().items() <= given.items()
    assert given["TIMESERIES"] == "influxdb"


def test_in_such_a_shell_the_stack_is_still_the_stacks_own(environment: dict[str, str], stack: Stack) -> None:
    steps: list[Step] = []
    Stack(stack.name, environment=environment | stack.env()).up(ALL, steps.append)
    assert {step.phase for step in steps} == {"up"}


def test_the_users_own_servers_are_asked_and_not_started(stack: Stack, small: Callable[..., Stack]) -> None:
    other = small(**stack.env())
    steps: list[Step] = []
    other.up(ALL, steps.append)
    assert {(step.server, step.phase) for step in steps} == {(server, "own") for server in ALL}
    assert {status.state for status in other.status()} == {"own"}
    assert other.env() == stack.env()


def test_a_users_own_server_that_is_away_is_named_by_its_setting(small: Callable[..., Stack]) -> None:
    away = small(
        KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
        DATABASE_URL="postgresql://me:secret@127.0.0.1:1/x",
        REDIS_URL="redis://:secret@127.0.0.1:1/0",
        INFLUXDB_URL="http://127.0.0.1:1",
    )
    with pytest.raises(StackError) as error:
        away.up(ALL)
    for setting in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL", "INFLUXDB_URL"):
        assert f"{setting} is set" in str(error.value)
    assert "secret" not in str(error.value)
    assert {status.state for status in away.status()} == {"unreachable"}


def test_pid_files_of_a_dead_server_whose_id_another_process_got(
    environment: dict[str, str], small: Callable[..., Stack]
) -> None:
    one = small()
    one.up(["postgres"])
    directory = _directory(environment, one) / "postgres"
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
    lost = _pids(one)["redis"]
    assert lost is not None
    (_directory(environment, one) / "redis" / "pid.json").unlink()
    one.up(["redis"])
    assert _pids(one)["redis"] != lost
    assert not psutil.pid_exists(lost) or psutil.Process(lost).status() == psutil.STATUS_ZOMBIE


def test_when_its_port_is_taken_a_server_moves_and_says_where(small: Callable[..., Stack]) -> None:
    one = small()
    one.up(["redis"])
    before = one.env()["REDIS_URL"]
    one.down()
    port = int(before.rpartition(":")[2].partition("/")[0])
    with socket.create_server(("127.0.0.1", port)):
        Stack(one.name, environment=one._environment).up(["redis"])
    moved = one.env()["REDIS_URL"]
    assert moved != before
    with Redis.from_url(moved) as client:
        assert client.ping()


def test_a_port_taken_between_our_look_and_the_servers_is_given_up(
    small: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = KafkaServer.prepare
    with ExitStack() as taken:

        def lose_the_controllers_port(server: KafkaServer, site: Site) -> list[str]:
            command = prepare(server, site)
            monkeypatch.undo()
            taken.enter_context(socket.create_server(("127.0.0.1", site.ports["controller"])))
            return command

        monkeypatch.setattr(KafkaServer, "prepare", lose_the_controllers_port)
        one = small()
        one.up(["kafka"])
        assert one.status()[0].state == "up"


def test_wipe_refuses_while_a_server_runs_and_then_removes_all(
    environment: dict[str, str], small: Callable[..., Stack]
) -> None:
    one = small()
    one.up(["redis"])
    with pytest.raises(StackError, match="redis still run"):
        one.wipe()
    assert one.status()[0].state == "up"
    one.wipe(force=True)
    assert not _directory(environment, one).exists()
    assert one.status() == []
    one.wipe()


def test_a_start_that_fails_shows_the_end_of_the_log(environment: dict[str, str], small: Callable[..., Stack]) -> None:
    one = small()
    one.up(["redis"])
    one.down()
    (appended,) = (_directory(environment, one) / "redis" / "data").rglob("*.aof*")
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
    deadline = time.monotonic() + _WAIT_SECONDS
    while one.status()[0].state != "down":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_kafkas_later_starts_use_what_java_recorded_in_the_background(small: Callable[..., Stack]) -> None:
    one = small()
    one.up(["kafka"])
    # Minutes on a machine where no stack has run yet, at once elsewhere.
    deadline = time.monotonic() + 10 * _WAIT_SECONDS
    while not SERVERS["kafka"].tuned(Cache(Places.of(os.environ).cache)):
        assert time.monotonic() < deadline, one.log("kafka").with_name("build.log").read_text()
        time.sleep(0.1)
    one.down()
    one.up(["kafka"])
    mapped = {Path(file.path).name for file in psutil.Process(_pids(one)["kafka"]).memory_maps()}
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
            finishing.result(_WAIT_SECONDS)
    assert [status.state for status in one.status()] == ["down"]
    assert strays(tmp_path / "cache", "sleep") == []
