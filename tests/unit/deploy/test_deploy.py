"""The Docker, compose and stack files, held to what the services really take."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tickstream.core.settings import ServiceSettings, load

ROOT = Path(__file__).parents[3]
PROGRAMS = Path(sys.executable).parent
COMPOSE, STACK = "docker-compose.yml", "docker-stack.yml"
SERVICES = ("producer", "processor", "analytics", "alerting", "ws_bridge")
DIGEST = hashlib.sha256(b"key").hexdigest()
SECRETS = {
    "POSTGRES_PASSWORD": "canary-postgres",
    "REDIS_PASSWORD": "canary-redis",
    "INFLUXDB_PASSWORD": "canary-influxdb",
    "INFLUXDB_TOKEN": "canary-token",
    "ALERTING_API_KEY": "canary-alerting",
    "WS_BRIDGE_RESUME_SECRET": "canary-resume-tokens",
    "WS_BRIDGE_API_KEY_SHA256": DIGEST,
}
GIVEN = {COMPOSE: SECRETS, STACK: {"TICKSTREAM_VERSION": "0.1.0", "KAFKA_CLUSTER_ID": "dGlja3N0cmVhbS10ZXN0LQ"}}
SECRET_FILES = {
    "database_url": "postgresql://tickstream:x@postgres:5432/tickstream",
    "redis_url": "redis://:x@redis:6379/0",
    "bridge_keys": f"dashboard:{DIGEST}:write",
    "resume_secret": "signs-what-clients-come-back-with",
}


def compose(file: str, given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAMS / "docker-compose"), "--env-file", os.devnull, "-f", file, "config", "--format", "json"]
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | given
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def read(file: str) -> dict[str, Any]:
    done = compose(file, GIVEN[file])
    assert done.stdout, done.stderr
    config: dict[str, Any] = json.loads(done.stdout)
    return config


def service_of(image: str) -> str | None:
    match = re.fullmatch(r"tickstream/([a-z-]+):.+", image)
    return match[1].replace("-", "_") if match else None


def ours(file: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(name in the file, our service, definition) of those that run our images."""
    for name, definition in read(file)["services"].items():
        service = service_of(definition["image"])
        if service is not None:
            yield name, service, definition


def settings_of(service: str) -> type[ServiceSettings]:
    module = importlib.import_module(f"tickstream.{service}.settings")
    name = "".join(word.capitalize() for word in service.split("_")) + "Settings"
    found: type[ServiceSettings] = getattr(module, name)
    return found


def variables(service: str) -> set[str]:
    """Every variable that a service reads, by its settings' class."""
    settings = settings_of(service)
    shared = set(ServiceSettings.model_fields) | getattr(settings, "shared_names", frozenset())
    found = set()
    for field, info in settings.model_fields.items():
        names = {f"{service.upper()}_{field.upper()}"} | ({field.upper()} if field in shared else set())
        secret = SecretStr in (info.annotation, *getattr(info.annotation, "__args__", ()))
        found |= names | ({f"{name}_FILE" for name in names} if secret else set())
    return found


def image_environment(service: str) -> dict[str, str]:
    final = (ROOT / "services" / service / "Dockerfile").read_text(encoding="utf-8").rpartition("\nFROM ")[2]
    return dict(re.findall(r"(HTTP_HOST|HTTP_PORT|LOG_FORMAT)=(\S+)", final))


def scripts(service: str) -> set[str]:
    project = tomllib.loads((ROOT / "services" / service / "pyproject.toml").read_text(encoding="utf-8"))
    return set(project["project"]["scripts"])


@pytest.mark.parametrize("file", [COMPOSE, STACK])
def test_the_file_keeps_to_the_compose_specification(file: str) -> None:
    command = [str(PROGRAMS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(ROOT / file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert compose(file, GIVEN[file]).stderr == ""


@pytest.mark.parametrize("file", [COMPOSE, STACK])
def test_what_is_missing_is_named(file: str) -> None:
    for name in GIVEN[file]:
        done = compose(file, {key: value for key, value in GIVEN[file].items() if key != name})
        assert f"required variable {name} is missing" in done.stderr


def test_the_example_names_every_secret_and_holds_none() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == [f"{name}=" for name in SECRETS]


@pytest.mark.parametrize("file", [COMPOSE, STACK])
def test_every_setting_given_is_one_that_the_service_has(file: str) -> None:
    found = list(ours(file))
    assert {service for _name, service, _definition in found} == set(SERVICES)
    unknown = {(n, variable) for n, service, d in found for variable in set(d["environment"]) - variables(service)}
    assert unknown == set()


@pytest.mark.parametrize("file", [COMPOSE, STACK])
def test_the_services_take_the_settings_as_the_file_gives_them(file: str, tmp_path: Path) -> None:
    for name in ("alerting_api_key", "influxdb_token"):
        (tmp_path / name).write_text("secret", encoding="utf-8")
    for name, text in SECRET_FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for _name, service, definition in ours(file):
        environment = image_environment(service) | {k: v or "" for k, v in definition["environment"].items()}
        here = {
            variable: re.sub("^/data/", f"{ROOT}/data/demo/", re.sub("^/run(/secrets)?/", f"{tmp_path}/", value))
            for variable, value in environment.items()
        }
        assert here["HTTP_PORT"]
        load(settings_of(service), service.upper(), [], here)


@pytest.mark.parametrize("file", [COMPOSE, STACK])
def test_commands_are_console_scripts(file: str) -> None:
    for _name, service, definition in ours(file):
        if definition.get("command"):
            assert definition["command"][0] in scripts(service)


@pytest.mark.parametrize("file", [COMPOSE, STACK])
def test_every_service_is_watched_for_its_health(file: str) -> None:
    unwatched = {
        name
        for name, definition in read(file)["services"].items()
        if service_of(definition["image"]) is None and "healthcheck" not in definition
    }
    assert unwatched == set()


@pytest.mark.parametrize("file", [COMPOSE, STACK])
def test_services_may_write_nowhere_but_in_tmp(file: str) -> None:
    for name, _service, definition in ours(file):
        mounts = {volume["target"] for volume in definition.get("volumes", []) if volume["type"] == "tmpfs"}
        assert definition["read_only"], name
        assert "/tmp" in mounts | set(definition.get("tmpfs", [])), name  # noqa: S108 - a path in a container


@pytest.mark.parametrize("file", [COMPOSE, STACK])
def test_a_processor_that_makes_bars_keeps_its_name_when_it_is_started_again(file: str) -> None:
    names = [
        d.get("hostname")
        for _n, s, d in ours(file)
        if s == "processor" and d["environment"].get("PROCESSOR_ROLES") != "sink"
    ]
    assert all(names)


def test_for_development_only_loopback_ports_are_published() -> None:
    ports = [port for definition in read(COMPOSE)["services"].values() for port in definition.get("ports", [])]
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}
    assert "8080" in {port["published"] for port in ports}


def test_in_the_stack_everything_has_limits_and_rolls_back() -> None:
    for name, definition in read(STACK)["services"].items():
        deploy = definition["deploy"]
        assert deploy["resources"].keys() == {"limits", "reservations"}, name
        assert deploy["update_config"]["failure_action"] == "rollback", name
        assert {"rollback_config", "restart_policy", "replicas"} <= deploy.keys(), name


def test_the_stack_has_three_brokers_of_one_cluster_on_nodes_of_their_own() -> None:
    brokers = {name: d for name, d in read(STACK)["services"].items() if name.startswith("kafka-")}
    assert len(brokers) == 3
    settings = [definition["environment"] for definition in brokers.values()]
    assert [each["KAFKA_NODE_ID"] for each in settings] == ["1", "2", "3"]
    assert {each["KAFKA_CONTROLLER_QUORUM_VOTERS"] for each in settings} == {
        "1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093"
    }
    assert {(each["KAFKA_DEFAULT_REPLICATION_FACTOR"], each["KAFKA_MIN_INSYNC_REPLICAS"]) for each in settings} == {
        ("3", "2")
    }
    assert len({tuple(d["deploy"]["placement"]["constraints"]) for d in brokers.values()}) == 3


def test_no_secret_stands_in_the_stack() -> None:
    config = read(STACK)
    assert all(secret["external"] for secret in config["secrets"].values())
    for name, definition in config["services"].items():
        plain = [
            variable
            for variable in definition.get("environment") or {}
            if re.search("PASSWORD|TOKEN|SECRET|_KEY$|_URL$", variable)
        ]
        allowed = {"INFLUXDB_URL", "WS_BRIDGE_ALERTING_URL"}
        assert set(plain) - allowed <= {variable for variable in plain if variable.endswith("_FILE")}, name


@pytest.mark.parametrize("service", SERVICES)
def test_a_dockerfile_passes_the_linter(service: str) -> None:
    command = [PROGRAMS / "hadolint", ROOT / "services" / service / "Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_runs_its_own_command_as_nobody_s_root(service: str) -> None:
    text = (ROOT / "services" / service / "Dockerfile").read_text(encoding="utf-8")
    builder, _, final = text.rpartition("\nFROM ")
    project = f"tickstream-{service.replace('_', '-')}"
    assert f"uv sync --locked --no-dev --package {project} --no-editable" in builder
    assert "pip install" not in final
    assert re.search(r"^USER (\d+):\1$", final, re.MULTILINE)
    assert re.search(r"^STOPSIGNAL SIGTERM$", final, re.MULTILINE)
    assert "/healthz" in final
    (command,) = re.findall(r'^CMD \["([^"]+)"\]$', final, re.MULTILINE)
    assert command in scripts(service)


def test_images_are_built_by_the_workspace_s_own_uv() -> None:
    pinned = re.findall(r"^version=(\S+)$", (ROOT / "tools/uv.sh").read_text(encoding="utf-8"), re.MULTILINE)
    for service in SERVICES:
        text = (ROOT / "services" / service / "Dockerfile").read_text(encoding="utf-8")
        assert re.findall(r"ARG UV_VERSION=(\S+)", text) == pinned


def test_the_build_s_context_holds_all_that_the_sources_point_to() -> None:
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"]
    held = {path for pattern in let_in for path in ROOT.glob(pattern)}
    members = {path.parent for place in ("libs", "services") for path in ROOT.glob(f"{place}/*/pyproject.toml")}
    assert {ROOT / "pyproject.toml", ROOT / "uv.lock"} <= held
    assert {member / name for member in members for name in ("pyproject.toml", "src")} <= held
    links = {path.resolve() for member in members for path in (member / "src").rglob("*") if path.is_symlink()}
    assert {link for link in links if not {link, *link.parents} & held} == set()
