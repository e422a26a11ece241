"""Which alerts keep others quiet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tickstream.alerting.domain.routing.alert import Change
from tickstream.alerting.domain.routing.matching import Labels
from tickstream.alerting.domain.routing.plan import Inhibition

_Place = tuple[int, tuple[str, ...], bool]
"""The inhibition's number, the values of its equal labels, and whether the source fits its target, too."""


class Inhibitors:
    """The present alerts that are a source of inhibitions, found by what they have in common with a target."""

    def __init__(self, inhibitions: Sequence[Inhibition]) -> None:
        self._inhibitions: Final = tuple(inhibitions)
        self._sources: dict[_Place, dict[str, Change]] = {}

    def add(self, change: Change) -> None:
        """An alert fires."""
        for place in self._places(change.labels):
            self._sources.setdefault(place, {})[change.alert_id] = change

    def discard(self, change: Change) -> None:
        """It fires no more."""
        for place in self._places(change.labels):
            found = self._sources.get(place, {})
            found.pop(change.alert_id, None)
            if not found:
                self._sources.pop(place, None)

    def of(self, change: Change) -> Change | None:
        """An alert that keeps this one quiet.

        An alert that fits both sides of an inhibition keeps only those quiet that don't.
        """
        labels = change.labels
        for number, each in enumerate(self._inhibitions):
            if not each.target.fits(labels):
                continue
            equal = tuple(labels.get(name, "") for name in each.equal)
            both = each.source.fits(labels)
            for also_target in (False,) if both else (False, True):
                for source in self._sources.get((number, equal, also_target), {}).values():
                    return source
        return None

    def _places(self, labels: Labels) -> list[_Place]:
        return [
            (number, tuple(labels.get(name, "") for name in each.equal), each.target.fits(labels))
            for number, each in enumerate(self._inhibitions)
            if each.source.fits(labels)
        ]
