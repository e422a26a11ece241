"""The examples of docs/socket.md, run as they are but for the address."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.java_client import compiled, java_client
from tests.support.market import Market, tick
from tests.support.node import installed, node
from tests.support.programs import Running

pytestmark = pytest.mark.integration

DOCS = Path(__file__).parents[3] / "docs" / "socket.md"
CLIENTS = re.search(r"^## Clients\n(.*?)^## ", DOCS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
EXAMPLES = re.findall(r"```(\w+)\n(.*?)```", CLIENTS[1] if CLIENTS else "", re.DOTALL)
ANSWERED = re.compile(r"^(?=.*\bok['\"]?: ?true)(?=.*\bSPY\b)", re.DOTALL | re.IGNORECASE)
JAVA = """
import io.socket.client.Ack;
import io.socket.client.IO;
import io.socket.client.Socket;
import java.net.URI;
import java.util.*;
import org.json.*;
public final class Example {{ public static void main(String[] none) throws Exception {{ {} }} }}
"""


def command_of(language: str, code: str, folder: Path) -> list[str]:
    if language == "python":
        return [sys.executable, "-c", code]
    if language == "js":
        return [str(node()), "--input-type=module", "--eval", code]
    source = folder / "Example.java"
    source.write_text(JAVA.format(code), encoding="utf-8")
    jars = java_client()
    compiled(source, folder)
    return [*jars[:-2], f"{folder}:{jars[-2]}", "Example"]


@pytest.mark.parametrize(
    ("language", "code"), EXAMPLES, ids=[f"{language}{n}" for n, (language, _) in enumerate(EXAMPLES)]
)
def test_an_example_of_the_docs_runs(bridge: Running, market: Market, tmp_path: Path, language: str, code: str) -> None:
    own = code.replace("http://localhost:8080", bridge.url)
    assert own != code
    child = subprocess.Popen(
        command_of(language, own, tmp_path),
        cwd=installed() if language == "js" else tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        assert child.stdout is not None
        said = ""
        for line in child.stdout:
            said += line
            market.publish([tick("SPY", 1)])
            if ANSWERED.search(said):
                break
        assert ANSWERED.search(said), said
    finally:
        child.kill()
        child.communicate()


def test_there_is_an_example_for_each_language() -> None:
    assert [language for language, _code in EXAMPLES] == ["js", "python", "java", "js", "python"]
