"""Everything that alerting knows of one partition, and what a batch changes in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tickstream.alerting.domain.levels import Levels
from tickstream.alerting.domain.lifecycle import Against, Standing, Transition, abandon, follow, lose, wait
from tickstream.alerting.domain.memory import TickMemory
from tickstream.alerting.domain.rule import ON_TICKS, Rule, RuleBook, Signals
from tickstream.core.columns import Floats, Ints

_Become = Callable[[Rule, str, Standing, int], tuple[Standing, list[Transition]]]
Place = tuple[str, str]
"""A rule's id and a symbol."""


@dataclass(frozen=True, slots=True)
class Stood:
    """A standing, and the digest of the rule that it is of."""

    digest: str
    standing: Standing


@dataclass(slots=True)
class Changes:
    """What has changed since the shard was last saved."""

    transitions: list[Transition] = field(default_factory=list)
    symbols: set[str] = field(default_factory=set)
    places: set[Place] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.transitions or self.symbols or self.places)


@dataclass(slots=True)
class Shard:
    """One partition's symbols: what is remembered of each, and where each rule stands for it."""

    memories: dict[str, TickMemory] = field(default_factory=dict)
    stood: dict[Place, Stood] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)
    _levels: dict[str, Levels] = field(default_factory=dict)

    def levels_of(self, symbol: str, rules: Sequence[Rule]) -> Levels:
        """The index of a symbol's price levels."""
        found = self._levels.get(symbol)
        if found is None or found.rules is not rules:
            found = self._levels[symbol] = Levels(rules, [self.standing(rule, symbol) for rule in rules])
        return found

    def standing(self, rule: Rule, symbol: str) -> Standing:
        """Where a rule stands for a symbol."""
        found = self.stood.get((rule.id, symbol))
        return found.standing if found else Standing()

    def follow(
        self, rule: Rule, symbol: str, ts: Ints, values: Floats, signals: Signals, against: Against | None = None
    ) -> None:
        """Take a batch of observations of one rule and symbol into account."""
        before = self.standing(rule, symbol)
        after, transitions = follow(rule, symbol, before, ts, values, signals, against)
        self._stands(rule, symbol, before, after, transitions)

    def _stands(
        self, rule: Rule, symbol: str, before: Standing, after: Standing, transitions: Sequence[Transition]
    ) -> None:
        self.changes.transitions += transitions
        if after != before:
            self.stood[rule.id, symbol] = Stood(rule.digest, after)
            self.changes.places.add((rule.id, symbol))

    def lose(self, rules: RuleBook, symbol: str, ts: int) -> bool:
        """Nothing of a symbol is seen any more from a time on; says whether that changes anything."""
        return self._each(lose, rules, symbol, ts)

    def wait(self, rules: RuleBook, symbol: str, ts: int) -> bool:
        """Time has come as far as this without another trade of a symbol; says whether that changes anything."""
        return self._each(wait, rules, symbol, ts)

    def _each(self, become: _Become, rules: RuleBook, symbol: str, ts: int) -> bool:
        changed = False
        for rule in (rule for kind in ON_TICKS for rule in rules.watching(symbol, kind)):
            before = self.standing(rule, symbol)
            after, transitions = become(rule, symbol, before, ts)
            self._stands(rule, symbol, before, after, transitions)
            changed |= after != before
        if changed:
            self._levels.pop(symbol, None)
        return changed

    def reconcile(self, rules: RuleBook) -> None:
        """Forget where rules stood that are gone, switched off, or ask for something else now; end their alerts."""
        for (rule_id, symbol), stood in list(self.stood.items()):
            rule = rules.get(rule_id)
            if rule is None:
                reason = "the rule was deleted or switched off"
            elif rule.digest != stood.digest:
                reason = f"the rule was changed to version {rule.version}"
            elif not rule.watches(symbol):
                reason = f"version {rule.version} of the rule doesn't watch the symbol"
            else:
                continue
            self._leave(rule_id, symbol, reason)

    def forget(self, reason: str) -> None:
        """Forget everything; end the alerts."""
        for rule_id, symbol in list(self.stood):
            self._leave(rule_id, symbol, reason)
        self.changes.symbols |= self.memories.keys()
        self.memories = {}

    def _leave(self, rule_id: str, symbol: str, reason: str) -> None:
        memory = self.memories.get(symbol)
        stood = self.stood.pop((rule_id, symbol))
        self._levels.pop(symbol, None)
        ending = abandon(symbol, rule_id, stood.standing, memory.ts if memory else 0, reason)
        if ending is not None:
            self.changes.transitions.append(ending)
        self.changes.places.add((rule_id, symbol))
