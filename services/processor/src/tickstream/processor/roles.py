"""Bars and sink in one service: what `PROCESSOR_ROLES` asks for, and nothing else.

Both roles together are two processes, so that the sink takes no time from the bars: the sink is
a child, started again when it dies, and ended with its parent. The child reads its standard
input, a pipe from the parent, and ends when that closes, also when the parent was killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar

from pydantic import Field, SecretStr, field_validator

from tickstream.core.logging import logger
from tickstream.core.service import Stop
from tickstream.core.settings import Names
from tickstream.processor.sink import main as sink
from tickstream.processor.sink.settings import SinkSettings

_LOG = logger(__name__)
_ROLES: Final = ("bars", "sink")
_PREFERRED_PORT: Final = 8092
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 30.0
_LOOK_EVERY: Final = 0.2
_GRACE: Final = 5.0


class RoleSettings(SinkSettings):
    """What the processor does in this process and its child."""

    roles: Names = Field(_ROLES, description="bars, sink or both")

    @field_validator("roles")
    @classmethod
    def _are_known(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        if not roles or not set(roles) <= set(_ROLES):
            raise ValueError(f"must be one or more of {', '.join(_ROLES)}")
        return roles


_Settings = TypeVar("_Settings", bound=RoleSettings)


def run(settings: _Settings, stop: Stop, run_bars: Callable[[_Settings, Stop], None]) -> None:
    """Do what the roles ask for until told to stop or, with `until_caught_up`, until all is done.

    Args:
        settings: the processor's.
        stop: says when to end.
        run_bars: makes the bars in this process until told to stop or caught up.
    """
    stores = "sink" in settings.roles
    if "bars" not in settings.roles:
        sink.run(settings, stop, settings.http_port, _PREFERRED_PORT)
    elif settings.until_caught_up or not stores or settings.store == "off":
        run_bars(settings, stop)
        if stores and not stop:
            sink.run(settings, stop, settings.http_port, _PREFERRED_PORT)
    else:
        with _sink_beside(settings, stop):
            run_bars(settings, stop)


@contextmanager
def _sink_beside(settings: SinkSettings, stop: Stop) -> Iterator[None]:
    """Keep a sink running in a child process."""
    done = threading.Event()
    environment = _environment(settings)
    keeper = threading.Thread(target=_keep, args=(environment, stop, done, settings.sink_timeout), name="sink-keeper")
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _keep(environment: Mapping[str, str], stop: Stop, done: threading.Event, limit: float) -> None:
    wait = _FIRST_WAIT
    while not (stop or done.is_set()):
        child = subprocess.Popen(
            [sys.executable, "-m", "tickstream.processor.sink"], env=environment, stdin=subprocess.PIPE
        )
        _LOG.info("sink_started", pid=child.pid)
        if _lives_on(child, stop, done, limit):
            return
        _LOG.error("sink_died", exit_code=child.returncode, restart_in=wait)
        done.wait(wait)
        wait = min(wait * 2, _LONGEST_WAIT)


def _lives_on(child: subprocess.Popen[bytes], stop: Stop, done: threading.Event, limit: float) -> bool:
    """Wait for the child's end, or end it when that is wanted; says which."""
    while child.poll() is None:
        if stop or done.wait(_LOOK_EVERY):
            _end(child, limit)
            return True
    return False


def _end(child: subprocess.Popen[bytes], limit: float) -> None:
    child.terminate()
    try:
        child.wait(limit + _GRACE)
    except subprocess.TimeoutExpired:
        _LOG.warning("sink_killed", pid=child.pid)
        child.kill()
        child.wait()


def _environment(settings: SinkSettings) -> dict[str, str]:
    """The environment in which the child reads the same settings, flags of the parent included."""
    given = {name: getattr(settings, name) for name in SinkSettings.model_fields if name != "sink_ends_with_stdin"}
    ours = {f"PROCESSOR_{name.upper()}": _plain(value) for name, value in given.items() if value is not None}
    return os.environ | ours | {"PROCESSOR_SINK_ENDS_WITH_STDIN": "true"}


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
