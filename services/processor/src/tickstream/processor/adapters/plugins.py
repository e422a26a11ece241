"""Indicators that other packages bring, and what becomes of their errors."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import entry_points
from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.logging import logger
from tickstream.processor.domain.catalogue import Catalogue
from tickstream.processor.figures import Figures
from tickstream.processor.indicator import GROUP, Factory

_LOG = logger(__name__)
_LOG_EVERY: Final = 60.0


def factories(names: Collection[str]) -> dict[str, Factory]:
    """The factories of those names that installed packages have; nothing else of them is imported.

    Raises:
        ValueError: one can't be imported, or two packages have the same name.
    """
    found: dict[str, Factory] = {}
    for point in entry_points(group=GROUP):
        if point.name not in names:
            continue
        if point.name in found:
            raise ValueError(f"indicator {point.name!r} must come from one package, two have it")
        try:
            found[point.name] = point.load()
        except Exception as error:
            raise ValueError(f"indicator {point.name!r} of {point.value} can't be loaded: {error!r}") from error
    return found


class Complaints:
    """Counts what goes wrong in indicators of one's own, and logs it once in a while.

    Args:
        catalogue: has the indicators.
        figures: count.
        clock: says how long ago an indicator's last line was.
    """

    def __init__(self, catalogue: Catalogue, figures: Figures, clock: Clock) -> None:
        self._catalogue = catalogue
        self._figures = figures
        self._clock = clock
        self._told: dict[str, float] = {}

    def tell(self) -> None:
        """Count and log what has happened since the last call."""
        for name, failures in self._catalogue.failures().items():
            self._figures.indicator_errors.labels(name).inc(failures.count)
            now = self._clock.monotonic()
            if now - self._told.get(name, -_LOG_EVERY) >= _LOG_EVERY:
                self._told[name] = now
                _LOG.error("indicator_failed", indicator=name, bars=failures.count, last=failures.last)
