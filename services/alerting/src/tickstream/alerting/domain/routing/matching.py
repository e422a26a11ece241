"""Which alerts are meant: patterns for their labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

Labels = Mapping[str, str]

_NOT: Final = "!"


@dataclass(frozen=True, slots=True)
class Matcher:
    """What one label has to be.

    Attributes:
        label: its name; an alert without it has it empty.
        patterns: with `*` and `?`, of which one has to fit, or none when `negated`.
    """

    label: str
    patterns: tuple[str, ...]
    negated: bool = False

    def fits(self, labels: Labels) -> bool:
        """Whether the label is so."""
        value = labels.get(self.label, "")
        return any(fnmatchcase(value, pattern.replace("[", "[[]")) for pattern in self.patterns) != self.negated


@dataclass(frozen=True, slots=True)
class Match:
    """What all of some labels have to be; nothing fits everything."""

    matchers: tuple[Matcher, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Iterable[str]]) -> Match:
        """The match of label names with patterns; those that begin with `!` must not fit."""
        found = []
        for label, patterns in sorted(given.items()):
            wanted = tuple(pattern for pattern in patterns if not pattern.startswith(_NOT))
            unwanted = tuple(pattern.removeprefix(_NOT) for pattern in patterns if pattern.startswith(_NOT))
            found += [Matcher(label, wanted)] if wanted else []
            found += [Matcher(label, unwanted, negated=True)] if unwanted else []
        return cls(tuple(found))

    def fits(self, labels: Labels) -> bool:
        """Whether an alert with these labels is meant."""
        return all(matcher.fits(labels) for matcher in self.matchers)
