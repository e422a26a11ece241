"""How a rule came to stand where it does for a symbol, so that a revised bar can undo it.

What happened within the bars that may still be revised is kept: when a bar is, the rule goes
back to where it stood before, and through the bars once more. Where that tells another story
than the one that was told, the alert is amended, or retracted when it never began.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tickstream.alerting.domain.lifecycle import Observation, Standing, Transition, abandon, step
from tickstream.alerting.domain.rule import Rule

_RETRACTED = "retracted: after a revision of the bars the condition didn't begin to hold"
_AMENDED = "after a revision of the bars: "


@dataclass(frozen=True, slots=True)
class Mark:
    """A bar that changed something: its end, where the rule stood after it, and what was to be told."""

    ts: int
    standing: Standing
    transitions: tuple[Transition, ...] = ()


@dataclass(slots=True)
class Track:
    """The way of one rule and symbol.

    Attributes:
        base: where the rule stood before the marks.
        marks: in the order of their times.
        told: for each alert of the marks the number of the last transition that was told, and when.
    """

    base: Standing = field(default_factory=Standing)
    marks: list[Mark] = field(default_factory=list)
    told: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def standing(self) -> Standing:
        """Where the rule stands now."""
        return self.marks[-1].standing if self.marks else self.base

    def follow(self, rule: Rule, symbol: str, seen: Sequence[Observation]) -> list[Transition]:
        """Take observations into account, of bars that are new or have been revised, with all that follow them.

        Gives the transitions to tell, numbered.
        """
        undone = self._rewind(seen[0].ts)
        done: list[Transition] = []
        for each in seen:
            before = self.standing
            standing, transitions = step(rule, symbol, before, each)
            if standing != before:
                self.marks.append(Mark(each.ts, standing, tuple(transitions)))
                done += transitions
        return self._tell(undone, done)

    def forget_before(self, ts: int) -> None:
        """Forget how it came to where it stood at a time that no revision reaches any more."""
        gone = 0
        while gone < len(self.marks) and self.marks[gone].ts < ts:
            gone += 1
        if gone:
            self.base = self.marks[gone - 1].standing
            del self.marks[:gone]
            kept = {t.alert_id for mark in self.marks for t in mark.transitions} | {self.standing.alert_id}
            self.told = {i: told for i, told in self.told.items() if i in kept or told[1] >= ts}

    def leave(self, symbol: str, rule_id: str, ts: int, reason: str) -> Transition | None:
        """What ends the present alert, when nobody watches for its end any more."""
        ending = abandon(symbol, rule_id, self.standing, ts, reason)
        return None if ending is None else self._numbered(ending)

    def _rewind(self, ts: int) -> list[Transition]:
        kept = len(self.marks)
        while kept and self.marks[kept - 1].ts >= ts:
            kept -= 1
        undone = [transition for mark in self.marks[kept:] for transition in mark.transitions]
        del self.marks[kept:]
        return undone

    def _tell(self, undone: Sequence[Transition], done: Sequence[Transition]) -> list[Transition]:
        if not undone:
            return [self._numbered(transition) for transition in done]
        olds, news = _by_alert(undone), _by_alert(done)
        found = [self._restate(old[-1]) for alert_id, old in olds.items() if alert_id not in news]
        for alert_id, new in news.items():
            found += self._amend(olds.get(alert_id, []), new)
        return found

    def _restate(self, old: Transition) -> Transition:
        """An alert whose undone transitions have no counterpart: it is as it was before, or never was."""
        standing = self.standing
        if standing.alert_id != old.alert_id or standing.phase == "inactive":
            return self._numbered(
                replace(old, state="resolved", reason=_RETRACTED, summary=f"{old.symbol}: {_RETRACTED}")
            )
        return self._numbered(replace(old, state=standing.phase, value=standing.value, reason=f"{_AMENDED}it goes on"))

    def _amend(self, old: Sequence[Transition], new: Sequence[Transition]) -> list[Transition]:
        same = 0
        while same < min(len(old), len(new)) and _said(old[same]) == _said(new[same]):
            same += 1
        if same == len(old):
            return [self._numbered(transition) for transition in new[same:]]
        rest = new[same:] or new[-1:]
        first = replace(rest[0], reason=_AMENDED + rest[0].reason)
        return [self._numbered(transition) for transition in (first, *rest[1:])]

    def _numbered(self, transition: Transition) -> Transition:
        last = self.told.get(transition.alert_id, (-1, 0))[0]
        self.told[transition.alert_id] = last + 1, transition.ts_event
        return replace(transition, revision=last + 1)

    def dump(self) -> dict[str, Any]:
        """What `load` needs to go on from here, as JSON has it."""
        return {
            "base": asdict(self.base),
            "marks": [[m.ts, asdict(m.standing), [asdict(t) for t in m.transitions]] for m in self.marks],
            "told": self.told,
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> Track:
        """The track that was dumped."""
        marks = [
            Mark(ts, Standing(**standing), tuple(Transition(**each) for each in transitions))
            for ts, standing, transitions in dumped["marks"]
        ]
        return cls(Standing(**dumped["base"]), marks, {i: (told[0], told[1]) for i, told in dumped["told"].items()})


def _by_alert(transitions: Iterable[Transition]) -> dict[str, list[Transition]]:
    found: dict[str, list[Transition]] = {}
    for transition in transitions:
        found.setdefault(transition.alert_id, []).append(transition)
    return found


def _said(transition: Transition) -> tuple[str, int, float, float]:
    return transition.state, transition.ts_event, transition.value, transition.threshold
