from __future__ import annotations

import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.ports import spare_port
from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.catalogue import SERVERS, servers_named
from tickstream.cli.stack.errors import StackError
from tickstream.cli.stack.places import Places
from tickstream.cli.stack.ports import is_free
from tickstream.cli.stack.register import Register

REDIS = SERVERS["redis"]
KAFKA = SERVERS["kafka"]


def _register(root: Path, name: str = "one") -> Register:
    register = Register(Places(root / "cache", root / "state"), name, Cache(root / "cache"))
    register.create()
    return register


def test_a_taken_port_gives_way_to_another_which_is_remembered(tmp_path: Path) -> None:
    register = _register(tmp_path)
    wished = spare_port()
    assert register.settle(REDIS, wished, running=False).port == wished
    with socket.create_server(("127.0.0.1", wished)):
        moved = register.settle(REDIS, None, running=False).port
        assert moved != wished
        assert is_free(moved)
    assert register.settle(REDIS, None, running=False).port == moved


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port}, asked for redis, is taken"):
            _register(tmp_path).settle(REDIS, port, running=False)


def test_the_other_ports_of_a_server_lie_beside_the_one_that_was_asked_for(tmp_path: Path) -> None:
    wished = spare_port()
    assert _register(tmp_path).settle(KAFKA, wished, running=False).ports == {"main": wished, "controller": wished + 1}


def test_the_ports_of_other_stacks_are_left_to_them(tmp_path: Path) -> None:
    one = _register(tmp_path, "one").settle(KAFKA, None, running=False)
    other = _register(tmp_path, "other").settle(KAFKA, None, running=False)
    assert len({*one.ports.values(), *other.ports.values()}) == 4


def test_a_running_server_keeps_its_ports(tmp_path: Path) -> None:
    register = _register(tmp_path)
    port = register.settle(REDIS, None, running=False).port
    with socket.create_server(("127.0.0.1", port)):
        assert register.settle(REDIS, None, running=True).port == port


def test_secrets_are_random_lasting_and_private(tmp_path: Path) -> None:
    register = _register(tmp_path)
    secret = register.settle(REDIS, None, running=False).secrets["password"]
    assert register.settle(REDIS, None, running=False).secrets["password"] == secret
    assert _register(tmp_path, "other").settle(REDIS, None, running=False).secrets["password"] != secret
    assert len(secret) >= 32
    assert stat.S_IMODE((register.directory / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(register.directory.stat().st_mode) == 0o700


@pytest.mark.parametrize("attempt", range(5))
def test_servers_settled_at_once_all_keep_their_ports_and_secrets(tmp_path: Path, attempt: int) -> None:
    register = _register(tmp_path)
    with ThreadPoolExecutor(len(SERVERS)) as pool:
        sites = list(pool.map(lambda server: register.settle(server, None, running=False), SERVERS.values()))
    assert [register.site(server) for server in SERVERS.values()] == sites


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-x", "x" * 50])
def test_a_stack_name_that_is_no_directory_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StackError, match="a stack's name must match"):
        _register(tmp_path, name)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    register = _register(tmp_path)
    (register.directory / "ports.json").write_text("")
    with pytest.raises(StackError, match=r"ports\.json must be JSON"):
        register.members()


def test_places_follow_the_settings_then_the_base_directories() -> None:
    own = {"TICKSTREAM_CACHE_DIR": "/c", "TICKSTREAM_STATE_DIR": "/s", "HOME": "/h", "XDG_CACHE_HOME": "/x"}
    assert Places.of(own) == Places(Path("/c"), Path("/s"))
    base = {"XDG_CACHE_HOME": "/xc", "XDG_STATE_HOME": "/xs", "HOME": "/h"}
    assert Places.of(base) == Places(Path("/xc/tickstream"), Path("/xs/tickstream"))
    assert Places.of({"HOME": "/h"}) == Places(Path("/h/.cache/tickstream"), Path("/h/.local/state/tickstream"))


def test_an_unknown_server_is_named() -> None:
    with pytest.raises(StackError, match=r"must be one of kafka, .* was mysql"):
        servers_named(["redis", "mysql"])
