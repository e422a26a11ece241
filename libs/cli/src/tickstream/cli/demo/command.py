"""The command line of `tickstream demo`."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Final, Literal

import typer
from rich.console import Console

from tickstream.cli.demo.crew import Crew, stop_leftovers
from tickstream.cli.demo.guard import start_guard
from tickstream.cli.demo.plan import DemoOptions, Service, services
from tickstream.cli.stack.display import Display
from tickstream.cli.stack.errors import StackError
from tickstream.cli.stack.places import Places
from tickstream.cli.stack.ports import LOOPBACK
from tickstream.cli.stack.progress import Step
from tickstream.cli.stack.stack import Stack
from tickstream.core.errors import TickstreamError

_NAME: Final = "demo"
_WATCH_SECONDS: Final = 0.5


class _Ended(Exception):  # noqa: N818 (no error: the user's wish)
    """A signal asks for the end."""


def register(root: typer.Typer) -> None:
    """Add `demo` to the command line."""
    root.command("demo")(demo)


def demo(
    source: Annotated[str, typer.Option(metavar="replay|simulate", help="Where the trades come from.")] = "replay",
    path: Annotated[Path | None, typer.Option(help="A recording: a file or a folder.", exists=True)] = None,
    speed: Annotated[str | None, typer.Option(metavar="X|max", help="How many times as fast as it happened.")] = None,
    symbols: Annotated[str, typer.Option(metavar="A,B", help="Only these.")] = "",
    headless: Annotated[bool, typer.Option("--headless", help="Plain lines, no live display.")] = False,  # noqa: FBT002 (a flag)
    seconds: Annotated[float | None, typer.Option("--for", metavar="SECONDS", help="End by itself after that.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Go on with the data of the last demo.")] = False,  # noqa: FBT002 (a flag)
) -> None:
    """Run everything: servers, topics, services, and the dashboard; Ctrl-C stops all of it."""
    console = Console(stderr=True, force_terminal=False if headless else None)
    if source not in ("replay", "simulate"):
        console.print(f"--source must be replay or simulate, was {source}", markup=False)
        raise typer.Exit(2)
    chosen: Literal["replay", "simulate"] = "simulate" if source == "simulate" else "replay"
    options = DemoOptions(chosen, path, speed, tuple(part for part in symbols.split(",") if part))
    try:
        with _alone(), _signals():
            _Demo(options, console).run(seconds, keep=keep)
    except _Ended:
        pass
    except TickstreamError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


class _Demo:
    def __init__(self, options: DemoOptions, console: Console) -> None:
        self._options = options
        self._console = console
        self._directory = Places.of(os.environ).state / _NAME
        self._stack = Stack(_NAME, die_with_parent=True)
        self._crew = Crew(self._directory, self._say)
        self._ending = False

    def run(self, seconds: float | None, *, keep: bool) -> None:
        started = time.monotonic()
        self._clear(keep=keep)
        guard = start_guard(self._directory)
        try:
            crew = self._start()
            self._announce(crew, time.monotonic() - started)
            until = None if seconds is None else time.monotonic() + seconds
            while until is None or time.monotonic() < until:
                self._crew.watch()
                time.sleep(_WATCH_SECONDS)
        finally:
            self._ending = True
            self._say("stopping")
            with _deaf():
                self._crew.stop()
                self._stack.down()
                guard.kill()
                guard.communicate()
            self._say("everything has stopped")

    def _clear(self, *, keep: bool) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._directory.chmod(0o700)
        stop_leftovers(self._directory)
        if not keep:
            self._stack.wipe(force=True)
        for log in self._directory.glob("*.log"):
            log.unlink()

    def _start(self) -> list[Service]:
        with Display(self._console) as display:
            self._stack.up(on_progress=display, background_builds=True)
            threading.Thread(target=self._finish_builds, name="builds", daemon=True).start()
            crew = services(self._options, self._stack.env())
            for service in crew:
                self._crew.start(service)

            def progress(name: str, state: str) -> None:
                display(Step(name, "up", "") if state == "ready" else Step(name, "starting", state))

            self._crew.await_ready([service for service in crew if service.name != "producer"], progress)
        return crew

    def _finish_builds(self) -> None:
        try:
            self._stack.finish_builds()
        except StackError as error:
            if self._ending:
                return
            self._say(f"InfluxDB could not be built, its points wait in Kafka: {error}")

    def _announce(self, crew: list[Service], took: float) -> None:
        bridge = next(service for service in crew if service.name == "ws-bridge")
        self._say(f"up in {took:.0f} s")
        self._say(f"  dashboard   http://localhost:{bridge.port}")
        for server in self._stack.status():
            self._say(f"  {server.server:<11} {server.address} {'' if server.state == 'up' else server.state}".rstrip())
        for service in crew:
            if service is not bridge:
                self._say(f"  {service.name:<11} http://{LOOPBACK}:{service.port}/metrics")
        self._say(f"  logs        {self._directory}")
        self._say("follow it in a second terminal: tickstream tail stock_ticks --symbol SPY")
        self._say("Ctrl-C stops all of it")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _alone() -> Iterator[None]:
    """One demo at a time; the kernel lets go of the lock when its holder dies."""
    state = Places.of(os.environ).state
    state.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(state / f".{_NAME}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StackError("a demo runs already on this machine; end it with Ctrl-C first") from None
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _signals() -> Iterator[None]:
    """SIGINT and SIGTERM end the demo in good order."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise _Ended

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _deaf() -> Iterator[None]:
    """A second Ctrl-C doesn't cut the end short."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
