"""Programs that outlive the command that starts them, told apart from whoever gets their process id later."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from tickstream.cli.stack.places import write_private

_SAME_START_SECONDS = 0.05
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "LOGNAME")


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """What a pid file holds.

    Attributes:
        pid: the process id.
        started: when it started, in seconds since the machine's boot: no clock change moves it.
    """

    pid: int
    started: float

    @classmethod
    def of(cls, process: psutil.Process) -> ProcessRecord:
        return cls(process.pid, process.create_time() - psutil.boot_time())

    @classmethod
    def read(cls, path: Path) -> ProcessRecord | None:
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, path: Path) -> None:
        write_private(path, json.dumps(asdict(self)))

    def process(self) -> psutil.Process | None:
        """The process while it lives; none when it has ended, also when its id is another's by now."""
        try:
            process = psutil.Process(self.pid)
            started = process.create_time() - psutil.boot_time()
            ended = process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return None if ended or abs(started - self.started) > _SAME_START_SECONDS else process


class Children:
    """The processes that this one has started, kept so that none stays behind as a zombie."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def start(
        self, command: Sequence[str], directory: Path, log: Path, pid_file: Path, environment: Mapping[str, str]
    ) -> ProcessRecord:
        """Start a program in a session of its own: neither Ctrl-C nor our end reaches it."""
        self.reap()
        with log.open("ab") as output:
            log.chmod(0o600)
            child = subprocess.Popen(
                command,
                cwd=directory,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        with self._lock:
            self._started.append(child)
        record = ProcessRecord.of(psutil.Process(child.pid))
        record.write(pid_file)
        return record

    def reap(self) -> None:
        """Take the exit codes of those that have ended."""
        with self._lock:
            self._started = [child for child in self._started if child.poll() is None]


def plain_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a server needs of our environment: nothing that changes how it runs, and no secrets."""
    return {name: environment[name] for name in _PASSED_ON if name in environment}


def stop(process: psutil.Process, gently: signal.Signals, seconds: float) -> bool:
    """End a process, by force once it has had its time; says whether it went by itself."""
    try:
        process.send_signal(gently)
        process.wait(seconds)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        kill(process)
        return False
    return True


def kill(process: psutil.Process) -> None:
    """End a process and its descendants at once."""
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=10)


def strays(directory: Path, program: str) -> list[psutil.Process]:
    """Processes of a program that work in a directory of ours, whatever the pid file says."""
    found = []
    for process in psutil.process_iter(["name", "cwd", "status"]):
        cwd = process.info["cwd"]
        if process.info["name"] == program and cwd and Path(cwd).is_relative_to(directory):
            found.append(process)
    return found


def tail(log: Path, lines: int) -> str:
    """The last lines of a log, read from its end."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - lines * 400))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
