from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tickstream.cli.bench.kafka_streams import KafkaStreamsJob
from tickstream.cli.bench.peers import PEERS, Peer
from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.errors import MissingToolError
from tickstream.core.errors import FatalError

ROOT = Path(__file__).parents[3]
MAVEN = """#!/bin/sh
for argument; do case "$argument" in -Dbuilt=*) built="${argument#-Dbuilt=}";; esac; done
mkdir -p "$built/lib"
touch "$built/job.jar" "$built/lib/library.jar"
echo built >> "$COUNT"
"""


@pytest.fixture
def job(tmp_path: Path) -> KafkaStreamsJob:
    """The job's sources, where a test may change them."""
    ignored = shutil.ignore_patterns("target", "__pycache__")
    sources = shutil.copytree(ROOT / "tests" / "bench" / "peers" / "kafka_streams", tmp_path / "job", ignore=ignored)
    return KafkaStreamsJob(sources, ROOT / "schemas")


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Maven on the PATH that fetches and compiles nothing; the file it writes a line to at each build."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in {"mvn": MAVEN, "javac": "#!/bin/sh\n"}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    count = tmp_path / "count"
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COUNT", str(count))
    return count


def test_the_job_is_built_once_and_again_when_a_source_changes(
    job: KafkaStreamsJob, maven: Path, tmp_path: Path
) -> None:
    cache = Cache(tmp_path / "cache")
    first = job.command(cache)
    assert job.command(cache) == first
    assert maven.read_text() == "built\n"
    (job.sources / "src" / "main" / "java" / "tickstream" / "bench" / "MinuteBars.java").write_text("// other\n")
    assert job.command(cache) != first
    assert maven.read_text() == "built\nbuilt\n"


def test_the_built_jars_are_on_the_class_path_and_nothing_is_left_of_the_build(
    job: KafkaStreamsJob, maven: Path, tmp_path: Path
) -> None:
    command = job.command(Cache(tmp_path / "cache"))
    built = Path(command[command.index("-cp") + 1]).parent
    assert sorted(path.name for path in built.iterdir()) == ["job.jar", "library.jar"]


@pytest.mark.parametrize(("present", "missing"), [([], "mvn"), (["mvn"], "javac")])
def test_a_missing_tool_is_named_in_one_line(
    job: KafkaStreamsJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, present: list[str], missing: str
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in present:
        (tools / name).write_text("#!/bin/sh\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(MissingToolError, match=rf"^[^\n]*{missing} is not on the PATH[^\n]*$"):
        job.command(Cache(tmp_path / "cache"))


def test_a_failed_build_leaves_nothing_that_passes_for_a_built_job(
    job: KafkaStreamsJob, maven: Path, tmp_path: Path
) -> None:
    (tmp_path / "tools" / "mvn").write_text("#!/bin/sh\necho no such plugin\nexit 1\n")
    cache = Cache(tmp_path / "cache")
    with pytest.raises(FatalError, match="no such plugin"):
        job.command(cache)
    assert not cache.has(job.entry)


def test_every_peer_is_told_how_many_trades_to_read(tmp_path: Path) -> None:
    peer = Peer("echo", "says", (sys.executable, "-c", "import sys; print(sys.argv[1])"), idle=0.001)
    assert [peer.run(ticks, os.environ).output for ticks in (0, 7)] == ["0\n", "7\n"]


def test_peers_that_need_no_other_program_are_always_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("TICKSTREAM_CACHE_DIR", str(tmp_path / "cache"))
    there = []
    for make in PEERS:
        try:
            there.append(make().name)
        except MissingToolError:
            continue
    assert there == ["plain confluent-kafka loop", "Quix Streams"]
