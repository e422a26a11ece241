"""Which Kafka, and which PostgreSQL, a command talks to."""

from __future__ import annotations

from collections.abc import Mapping

from tickstream.cli.stack.stack import Stack
from tickstream.core.settings import KafkaSettings, load

_USUAL_STACKS = ("demo", "default")


def kafka_settings(environment: Mapping[str, str]) -> KafkaSettings:
    """The settings given, or else those of the demo or the stack that runs on this machine.

    Raises:
        SettingsError: a setting breaks a rule.
    """
    return load(KafkaSettings, "TICKSTREAM", [], kafka_environment(environment))


def kafka_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment, with the settings of the stack that runs on this machine where it names no Kafka."""
    if environment.get("KAFKA_BOOTSTRAP_SERVERS"):
        return dict(environment)
    return {**_running_stack("kafka", environment), **environment}


def database_url(environment: Mapping[str, str]) -> str | None:
    """Where PostgreSQL is, as given, or else that of the stack that runs on this machine, if one does."""
    return environment.get("DATABASE_URL") or _running_stack("postgres", environment).get("DATABASE_URL")


def _running_stack(wanted: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of the stack on this machine in which this server runs."""
    for name in _USUAL_STACKS:
        stack = Stack(name, environment=environment)
        if any(server.server == wanted and server.state == "up" for server in stack.status()):
            return stack.env()
    return {}
