"""The sink beside the bars: started with them, started again when it dies, ended with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.sink.conftest import DEADLINE, Market, eventually
from tests.integration.sink.test_sink import expected, identities, trades

pytestmark = pytest.mark.integration

PROCESSOR = """
import sys
from tickstream.core.service import run_service
from tickstream.processor import roles

def bars(settings, stop):
    print("bars", flush=True)
    while not stop and not settings.until_caught_up:
        stop.wait(0.05)
    print("bars ended", flush=True)

sys.exit(run_service("PROCESSOR", roles.RoleSettings, lambda settings, stop: roles.run(settings, stop, bars)))
"""


class Processor:
    """A processor whose bars do nothing."""

    def __init__(self, market: Market, log: Path, *flags: str) -> None:
        self.log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROCESSOR, *flags], env=os.environ | market.env, stdout=output, stderr=output
            )

    def sinks(self) -> list[psutil.Process]:
        if self.process.poll() is not None:
            return []
        return [child for child in psutil.Process(self.process.pid).children() if child.status() != "zombie"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def processor(market: Market, log: Path) -> Iterator[Processor]:
    made = Processor(market, log, "--sink-batch", "77")
    yield made
    for sink in made.sinks():
        sink.kill()
    made.process.kill()
    made.process.wait()


def test_a_sink_that_dies_is_started_again_and_stores_all(market: Market, processor: Processor) -> None:
    market.publish(trades(1, 101))
    eventually(processor.sinks, "a sink")
    processor.sinks()[0].kill()
    eventually(lambda: "sink_died" in processor.log.read_text(), "a word of its death")
    eventually(lambda: "started" in processor.log.read_text().partition("sink_died")[2], "another sink")
    eventually(lambda: has_stored(market, 300), "every trade stored")
    assert identities(market) == expected(1, 101)


def has_stored(market: Market, trades_: int) -> bool:
    try:
        return market.stored.count_trades() == trades_
    except Exception:  # noqa: BLE001 - the tables may not be there yet
        return False


def test_the_sink_has_the_settings_of_the_flags(processor: Processor) -> None:
    eventually(processor.sinks, "a sink")
    assert processor.sinks()[0].environ()["PROCESSOR_SINK_BATCH"] == "77"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_sink_ends_with_its_parent(processor: Processor, end: signal.Signals) -> None:
    eventually(lambda: "started" in processor.log.read_text(), "a running sink")
    (sink,) = processor.sinks()
    processor.process.send_signal(end)
    code = processor.process.wait(DEADLINE)
    eventually(lambda: not sink.is_running(), "the sink's end")
    assert code == (0 if end == signal.SIGTERM else -signal.SIGKILL)


def test_catching_up_makes_the_bars_first_and_then_stores(market: Market, log: Path) -> None:
    market.publish(trades(1, 51))
    processor = Processor(market, log, "--until-caught-up")
    assert processor.process.wait(DEADLINE) == 0
    assert identities(market) == expected(1, 51)
    assert "bars ended" in log.read_text()


def test_the_sink_alone_makes_no_bars(market: Market, log: Path) -> None:
    market.publish(trades(1, 51))
    processor = Processor(market, log, "--roles", "sink", "--until-caught-up")
    assert processor.process.wait(DEADLINE) == 0
    assert identities(market) == expected(1, 51)
    assert "bars" not in log.read_text()
