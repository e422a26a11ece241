"""A simulated market, by one of several producers at a time."""

from __future__ import annotations

from typing import Final

from tickstream.core.clock import NANOS_PER_MILLI
from tickstream.core.errors import RetryableError
from tickstream.core.logging import logger
from tickstream.core.model import MarketEvent, Progress
from tickstream.core.topics import STOCK_TICKS
from tickstream.producer.adapters.lease import Lease, log_ends
from tickstream.producer.config_file import Changeable
from tickstream.producer.domain.characters import Character
from tickstream.producer.domain.progress import Mark
from tickstream.producer.domain.selection import Selection
from tickstream.producer.domain.simulator import Simulator
from tickstream.producer.parts import Parts

_LOG = logger(__name__)
_TURN: Final = 0.2


class Simulation:
    """Publishes a simulated market until told to stop.

    Args:
        parts: what it works with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings = parts.settings

    def run(self) -> None:
        """Publish, or stand by until it is this producer's turn.

        Raises:
            FatalError: a trade did not arrive.
        """
        if not self._settings.standby:
            self._publish(self._source())
            return
        while not self._parts.stop:
            lease = Lease(self._parts.kafka, self._group(), self._parts.clock)
            try:
                if self._await(lease):
                    self._publish_with(lease)
            finally:
                lease.close()
            if self._settings.count is not None:
                return

    def _group(self) -> str:
        return f"simulate-{self._settings.replica}-of-{self._settings.replicas}"

    def _await(self, lease: Lease) -> bool:
        """Stand by; says whether the lease is ours."""
        _LOG.info("standing_by", group=self._group())
        while not self._parts.stop:
            if lease.wait(_TURN):
                return True
        return False

    def _publish_with(self, lease: Lease) -> None:
        source = self._source()
        try:
            gone = lease.source()
            lease.leave(source)
        except RetryableError as error:
            _LOG.warning("lease_lost", reason=str(error))
            return
        if gone:
            self._bury(gone)
        self._parts.outside.may_publish = lease.held
        self._publish(source)
        self._leave(lease)

    def _leave(self, lease: Lease) -> None:
        """After a good end nothing has to be said for us."""
        try:
            lease.leave("")
        except RetryableError as error:
            _LOG.warning("lease_lost", reason=str(error))

    def _bury(self, source: str) -> None:
        """Say for a producer that died that its source has ended: nobody is to wait for it."""
        parts, now = self._parts, self._parts.clock.now_ns()
        _LOG.warning("taken_over", source=source)
        ends = log_ends(parts.kafka, parts.kafka.topic(STOCK_TICKS.name), parts.share.partitions)
        parts.announcer.mark(
            Mark(partition, Progress(source, now, end, final=True)) for partition, end in enumerate(ends)
        )
        parts.announcer.event(MarketEvent("feed_down", now, source=source))

    def _publish(self, source: str) -> None:
        parts, settings = self._parts, self._settings
        start = parts.clock.now_ns() if settings.sim_start is None else settings.sim_start
        characters = self._characters(parts.outside.now)
        simulator = Simulator(characters, source, settings.seed, settings.calendar, start)
        parts.outside.changed = lambda now: simulator.reconfigure(self._characters(now))
        feed = parts.feed()
        feed.start(source, start, {parts.share.partition(symbol) for symbol in characters})
        _LOG.info("simulating", source=source, seed=settings.seed, symbols=list(characters))
        feed.run(Selection(parts.share, (), None, None, settings.count).of(simulator.chunks()))
        feed.finish(complete=False)

    def _characters(self, now: Changeable) -> dict[str, Character]:
        """This replica's symbols and how they behave."""
        return {symbol: one for symbol, one in now.simulated().items() if self._parts.share.holds(symbol)}

    def _source(self) -> str:
        """A name that no run had before: a restarted simulator can't continue its count."""
        settings, started = self._settings, self._parts.clock.now_ns() // NANOS_PER_MILLI
        name = settings.source_name or f"sim-{settings.seed}"
        return f"{name}-{started}" if settings.replicas == 1 else f"{name}-{started}-{settings.replica}"
