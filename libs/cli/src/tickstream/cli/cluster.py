"""Which Kafka a command talks to."""

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
    return {**_running_stack(environment), **environment}


def _running_stack(environment: Mapping[str, str]) -> dict[str, str]:
    if environment.get("KAFKA_BOOTSTRAP_SERVERS"):
        return {}
    for name in _USUAL_STACKS:
        stack = Stack(name, environment=environment)
        if any(server.server == "kafka" and server.state == "up" for server in stack.status()):
            return stack.env()
    return {}
