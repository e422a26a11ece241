"""Building influxd from its Go module and flux's Rust library, both pinned.

Go verifies the two modules by the sums below, and their dependencies by the module's own go.sum;
cargo verifies the crates by the lock file inside the flux module.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tickstream.cli.stack.errors import ChecksumError, MissingToolError, StackError


@dataclass(frozen=True, slots=True)
class GoModule:
    """A module at a version, with the sum that Go's tools know its source tree by."""

    path: str
    version: str
    tree_sum: str

    def __str__(self) -> str:
        return f"{self.path}@{self.version}"


INFLUXDB: Final = GoModule(
    "github.com/influxdata/influxdb/v2", "v2.7.12", "h1:m25dUSO7h6nm3zFC4v/aCNeFFmnN/mlN/uPo1T63bmk="
)
PKG_CONFIG: Final = GoModule(
    "github.com/influxdata/pkg-config", "v0.2.14", "h1:XLn40pDrzAj2q+WYfnczwcZy0xVXHHP+XuL/Mi54S2I="
)

ENTRY: Final = f"influxdb-{INFLUXDB.version.removeprefix('v')}"

_TOOLS: Final = {
    "go": "Go 1.24 or later (Debian: golang; https://go.dev/dl)",
    "cargo": "Rust with cargo (https://rustup.rs)",
    "cc": "a C compiler (Debian: gcc)",
}

# flux denies warnings that newer compilers than its own have learnt to give.
_RUSTC_WRAPPER: Final = '#!/bin/sh\nexec "$@" --cap-lints warn\n'


def missing_tools() -> list[str]:
    """What the build needs and this machine lacks, each with where to get it."""
    return [how for tool, how in _TOOLS.items() if shutil.which(tool) is None]


def build(directory: Path) -> None:
    """Make the program `influxd` in a directory. What the compilers say goes to stderr."""
    missing = missing_tools()
    if missing:
        raise MissingToolError(f"InfluxDB is built here, and that needs: {'; '.join(missing)}")
    work = directory / ".work"
    work.mkdir()
    try:
        _build(work, directory / "influxd")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _build(work: Path, target: Path) -> None:
    environment = _environment(work)
    source = _download(INFLUXDB, work, environment)
    _download(PKG_CONFIG, work, environment)
    _wrap(source, work)
    _run(["go", "install", str(PKG_CONFIG)], work, environment)
    flags = ["-trimpath", "-ldflags=-s -w", "-tags=sqlite_foreign_keys,sqlite_json", f"-o={target}"]
    _run(["go", "build", *flags, f"{INFLUXDB.path}/cmd/influxd"], work, environment)
    _run([str(target), "version"], work, environment)


def _environment(work: Path) -> Mapping[str, str]:
    wrapper = work / "rustc-wrapper"
    wrapper.write_text(_RUSTC_WRAPPER, encoding="utf-8")
    wrapper.chmod(0o755)
    binaries = work / "bin"
    environment = {
        **os.environ,
        "GOFLAGS": "-mod=mod -buildvcs=false",
        "GOBIN": str(binaries),
        "RUSTC_WRAPPER": str(wrapper),
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    rustup = shutil.which("rustup")
    if rustup and "RUSTUP_TOOLCHAIN" not in environment:
        # flux names a toolchain of its own, years old; the one that is installed serves.
        default = subprocess.run([rustup, "default"], capture_output=True, check=False, text=True).stdout.split()
        if default:
            environment["RUSTUP_TOOLCHAIN"] = default[0]
    return environment


def _download(module: GoModule, work: Path, environment: Mapping[str, str]) -> Path:
    """The module's source tree, verified."""
    answer = json.loads(_run(["go", "mod", "download", "-json", str(module)], work, environment))
    if answer["Sum"] != module.tree_sum:
        raise ChecksumError(f"{module} must have the sum {module.tree_sum}, and what was fetched has {answer['Sum']}")
    return Path(answer["Dir"])


def _wrap(source: Path, work: Path) -> None:
    """A module of our own around it, with its go.mod: `replace` lines count only in the main module."""
    _, _, requirements = (source / "go.mod").read_text(encoding="utf-8").partition("\n")
    wrapper = f"module influxd-build\n{requirements}\nrequire {INFLUXDB.path} {INFLUXDB.version}\n"
    (work / "go.mod").write_text(wrapper, encoding="utf-8")
    sums = (source / "go.sum").read_text(encoding="utf-8")
    (work / "go.sum").write_text(f"{sums}{INFLUXDB.path} {INFLUXDB.version} {INFLUXDB.tree_sum}\n", encoding="utf-8")


def _run(command: list[str], work: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=work, env=environment, stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
        raise StackError(f"`{' '.join(command[:3])}` ended with {done.returncode}")
    return done.stdout
