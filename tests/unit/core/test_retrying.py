"""What is retried while a server is away."""

from __future__ import annotations

import threading

import pytest

from tickstream.core.errors import FatalError, RetryableError
from tickstream.core.kafka import retry_forever
from tickstream.core.service import Stop


def test_a_call_is_repeated_until_it_succeeds() -> None:
    outcomes = [RetryableError("away"), RetryableError("still away"), None]
    said: list[str] = []

    def call() -> None:
        outcome = outcomes.pop(0)
        if outcome:
            raise outcome

    retry_forever(call, Stop(), said.append)
    assert outcomes == []
    assert said == ["away", "still away"]


def test_the_end_is_not_waited_out() -> None:
    stop, waiting = Stop(), threading.Event()

    def call() -> None:
        raise RetryableError("away")

    thread = threading.Thread(target=retry_forever, args=(call, stop, lambda _: waiting.set()), daemon=True)
    thread.start()
    assert waiting.wait(30)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def test_what_trying_again_does_not_help_is_raised() -> None:
    def call() -> None:
        raise FatalError("refused")

    with pytest.raises(FatalError):
        retry_forever(call, Stop(), lambda _: None)
