"""Progress on stderr: live bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from tickstream.cli.stack.progress import Phase, Step

_SETTLED: Final = frozenset({"up", "own", "missing", "down"})


class Display:
    """Shows the steps that a stack tells, from whatever thread they come."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.fields[server]:<9}{task.fields[phase]:<9}"),
            BarColumn(bar_width=24),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, Phase] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._progress.stop()

    def __call__(self, step: Step) -> None:
        with self._lock:
            if self._console.is_terminal:
                self._draw(step)
            elif self._said.get(step.server) != step.phase:
                self._said[step.server] = step.phase
                self._console.print(f"{step.server}: {step.phase} {step.detail}".rstrip(), markup=False, soft_wrap=True)

    def _draw(self, step: Step) -> None:
        if step.server not in self._tasks:
            self._tasks[step.server] = self._progress.add_task("", total=None, server=step.server, phase=step.phase)
        settled = step.phase in _SETTLED
        total = 1 if settled else step.total or None
        self._progress.update(
            self._tasks[step.server],
            description=step.detail,
            total=total,
            completed=1 if settled else step.done,
            server=step.server,
            phase=step.phase,
        )
