from __future__ import annotations

from pathlib import Path

import pytest

from tickstream.cli.stack import influxdb_build
from tickstream.cli.stack.errors import ChecksumError, MissingToolError, StackError
from tickstream.cli.stack.stack import Stack

_GO = """#!/bin/sh
echo '{"Dir": "/nowhere", "Sum": "h1:somethingElse="}'
"""


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose PATH is one empty directory."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    return programs


def _put(directory: Path, name: str, text: str = "#!/bin/sh\n") -> None:
    (directory / name).write_text(text)
    (directory / name).chmod(0o755)


def test_what_the_build_lacks_is_named_with_where_to_get_it(bare_machine: Path, tmp_path: Path) -> None:
    _put(bare_machine, "cc")
    with pytest.raises(MissingToolError, match=r"Go 1\.24 or later .*; Rust with cargo"):
        influxdb_build.build(tmp_path)


def test_a_module_with_another_sum_is_refused(bare_machine: Path, tmp_path: Path) -> None:
    for tool in ("cc", "cargo"):
        _put(bare_machine, tool)
    _put(bare_machine, "go", _GO)
    with pytest.raises(ChecksumError, match=r"influxdb/v2@v2\.7\.12 must have the sum h1:m25d.* has h1:somethingElse="):
        influxdb_build.build(tmp_path)
    assert not (tmp_path / "influxd").exists()


def test_without_compilers_the_stack_says_so_and_stores_time_series_in_postgres(
    bare_machine: Path, tmp_path: Path
) -> None:
    stack = Stack("bare", environment={"TICKSTREAM_CACHE_DIR": str(tmp_path), "TICKSTREAM_STATE_DIR": str(tmp_path)})
    with pytest.raises(
        StackError, match=r"influxdb is compiled .* lacks Go .* set INFLUXDB_URL to a server of your own"
    ):
        stack.up(["influxdb"])
    assert stack.env() == {"TIMESERIES": "postgres"}
