"""A native stack through everything that happens to one on a user's machine."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import psycopg
import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from redis import Redis

from tests.integration.cli.conftest import directory_of, environment_in, pids
from tests.support.servers import spare_ports
from tickstream.cli.stack.errors import StackError
from tickstream.cli.stack.progress import Step
from tickstream.cli.stack.stack import Stack
from tickstream.core.kafka import Kafka
from tickstream.core.settings import KafkaSettings

pytestmark = pytest.mark.integration

ALL = ("kafka", "influxdb", "postgres", "redis")


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return environment_in(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def stack(surroundings: dict[str, str]) -> Iterator[Stack]:
    stack = Stack("whole", environment=surroundings, ports=spare_ports(), die_with_parent=True)
    stack.up(ALL)
    yield stack
    stack.wipe(force=True)


def _secrets(stack: Stack) -> list[str]:
    env = stack.env()
    urls = [env[name].partition("@")[0].rpartition(":")[2] for name in ("DATABASE_URL", "REDIS_URL")]
    return [*urls, env["INFLUXDB_TOKEN"]]


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
    before = pids(stack)
    assert set(before) == set(ALL)
    steps: list[Step] = []
    stack.up(ALL, steps.append)
    assert pids(stack) == before
    assert {(step.server, step.phase) for step in steps} == {(server, "up") for server in ALL}


def test_secrets_are_in_no_command_line_and_in_no_log(surroundings: dict[str, str], stack: Stack) -> None:
    processes = [psutil.Process(pid) for pid in pids(stack).values() if pid]
    family = [*processes, *(child for process in processes for child in process.children(recursive=True))]
    commands = " ".join(" ".join(process.cmdline()) for process in family)
    variables = " ".join(" ".join(process.environ().values()) for process in processes)
    logs = " ".join(stack.log(server).read_text(errors="replace") for server in ALL)
    for secret in _secrets(stack):
        assert len(secret) >= 32
        assert secret not in commands
        assert secret not in variables
        assert secret not in logs


def test_files_with_secrets_are_for_their_owner_only(surroundings: dict[str, str], stack: Stack) -> None:
    directory = directory_of(surroundings, stack)
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
    for pid in pids(stack).values():
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
    before = pids(stack)
    for server in ALL:
        stack.kill(server)
    stack.up(ALL)
    assert stack.env() == env
    assert all(_found(env, "storm").values()), _found(env, "storm")
    assert not set(before.values()) & set(pids(stack).values())


def test_env_gives_a_shell_in_which_the_services_work(surroundings: dict[str, str], stack: Stack) -> None:
    script = f'eval "$({sys.executable} -m tickstream.cli stack env --name {stack.name})" && env'
    shell = subprocess.run(["sh", "-c", script], env=surroundings, capture_output=True, check=True, text=True)
    given = dict(line.partition("=")[::2] for line in shell.stdout.splitlines())
    assert stack.env().items() <= given.items()
    assert given["TIMESERIES"] == "influxdb"


def test_in_such_a_shell_the_stack_is_still_the_stacks_own(surroundings: dict[str, str], stack: Stack) -> None:
    steps: list[Step] = []
    Stack(stack.name, environment=surroundings | stack.env()).up(ALL, steps.append)
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


def test_wipe_refuses_while_a_server_runs_and_then_removes_all(
    environment: dict[str, str], small: Callable[..., Stack]
) -> None:
    one = small()
    one.up(["redis"])
    with pytest.raises(StackError, match="redis still run"):
        one.wipe()
    assert one.status()[0].state == "up"
    one.wipe(force=True)
    assert not directory_of(environment, one).exists()
    assert one.status() == []
    one.wipe()
