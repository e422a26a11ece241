"""A stack's ports, and what happens when another program has them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from redis import Redis

from tickstream.cli.stack.kafka import KafkaServer
from tickstream.cli.stack.servers import Site
from tickstream.cli.stack.stack import Stack

pytestmark = pytest.mark.integration


def test_when_its_port_is_taken_a_server_moves_and_says_where(small: Callable[..., Stack]) -> None:
    one = small()
    one.up(["redis"])
    before = one.env()["REDIS_URL"]
    one.down()
    port = int(before.rpartition(":")[2].partition("/")[0])
    with socket.create_server(("127.0.0.1", port)):
        Stack(one.name, environment=one._environment).up(["redis"])
    moved = one.env()["REDIS_URL"]
    assert moved != before
    with Redis.from_url(moved) as client:
        assert client.ping()


def test_a_port_taken_between_our_look_and_the_servers_is_given_up(
    small: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = KafkaServer.prepare
    with ExitStack() as taken:

        def lose_the_controllers_port(server: KafkaServer, site: Site) -> list[str]:
            command = prepare(server, site)
            monkeypatch.undo()
            taken.enter_context(socket.create_server(("127.0.0.1", site.ports["controller"])))
            return command

        monkeypatch.setattr(KafkaServer, "prepare", lose_the_controllers_port)
        one = small()
        one.up(["kafka"])
        assert one.status()[0].state == "up"
