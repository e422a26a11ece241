"""The rules about bars, over bars, indicators and figures of all symbols.

A moment of a rule is the end of a bar; it is looked at when the rows are there of everything that
the rule speaks of. When a row is revised, or comes late, the moments from there on are looked at
once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.alerting.domain.compute import Computer
from tickstream.alerting.domain.day import DAY_FIELDS, put_bar
from tickstream.alerting.domain.frame import FIGURES_INTERVAL, Frame, Need, field_of, need_of
from tickstream.alerting.domain.lifecycle import Transition
from tickstream.alerting.domain.names import ACTIVITIES, ACTIVITY, BAR_FIELDS, CLOCK_FIELDS, SESSION
from tickstream.alerting.domain.rule import KEEPS, RuleBook
from tickstream.alerting.domain.shard import Place
from tickstream.alerting.domain.tape import NEVER, Tape, TapeKey
from tickstream.alerting.domain.track import Track
from tickstream.alerting.domain.watch import Watch
from tickstream.core.columns import Ints
from tickstream.core.intervals import Interval

_FEED_DOWN: Final = float(ACTIVITIES.index("feed_down"))
_AT_ONCE: Final = 32
"""New rows of a symbol that are looked at together, at most."""
_HOUR: Final = 3_600_000_000_000
_REVISED: Final = (16, 600)
"""How many rows back a revision reaches at least, and at most; between the two an hour."""
_BAR: Final = (*BAR_FIELDS, *CLOCK_FIELDS, *DAY_FIELDS, SESSION, ACTIVITY)

Bools = NDArray[np.bool_]
RowKey = tuple[TapeKey, str, int]
"""A tape, a symbol, and a row's end."""


@dataclass(frozen=True, slots=True)
class Row:
    """A bar, a set of indicators, or figures; `session` is a bar's."""

    kind: str
    interval: str
    symbol: str
    end: int
    values: Mapping[str, float]
    session: str = ""


@dataclass(slots=True)
class LaneChanges:
    """What has changed since the lane was last saved; `tapes` is whether there are others than before."""

    transitions: list[Transition] = field(default_factory=list)
    rows: set[RowKey] = field(default_factory=set)
    places: set[Place] = field(default_factory=set)
    tapes: bool = False

    def __bool__(self) -> bool:
        return bool(self.transitions or self.rows or self.places or self.tapes)


@dataclass(frozen=True, slots=True)
class Moments:
    """The last rows of some symbols, (symbols, rows), as a group looks at them.

    Attributes:
        ends: when each ended, 0 where there is none.
        fresh: which are to be looked at.
        stale: which were made of no data.
        revised: of which symbols some were looked at before.
        horizon: for each symbol the end before which nothing is looked at any more.
    """

    computer: Computer
    ends: Ints
    fresh: Bools
    stale: Bools
    revised: Bools
    horizon: Ints


@dataclass(slots=True)
class Group:
    """The watches of a tape that need the same, and the newest moment that each symbol was looked at."""

    needs: frozenset[Need]
    watches: list[Watch] = field(default_factory=list)
    seen: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def saw(self, moments: Moments) -> None:
        """These were looked at."""
        places = moments.computer.frame.places
        newest = np.where(moments.fresh, moments.ends, 0).max(axis=1)
        self.seen[places] = np.maximum(self.seen[places], newest)


@dataclass(slots=True)
class Lane:
    """Everything that is known of bars, and where each rule about them stands for each symbol."""

    tapes: dict[TapeKey, Tape] = field(default_factory=dict)
    tracks: dict[Place, Track] = field(default_factory=dict)
    digests: dict[Place, str] = field(default_factory=dict)
    changes: LaneChanges = field(default_factory=LaneChanges)
    _groups: dict[TapeKey, list[Group]] = field(default_factory=dict)
    _routes: dict[tuple[str, str], list[TapeKey]] = field(default_factory=dict)

    def install(self, rules: RuleBook) -> None:
        """Have these rules in force; end the alerts of rules that are gone or ask for something else."""
        watches = [Watch(rule) for rule in rules.on_bars()]
        self._reconcile(rules, {watch.rule.id: watch for watch in watches})
        wanted = shapes(watches)
        self.changes.tapes |= self.tapes.keys() != wanted.keys()
        for key in self.tapes.keys() - wanted.keys():
            del self.tapes[key]
        for key, (fields, depth) in wanted.items():
            old = self.tapes.get(key)
            fits = old is not None and old.fields.keys() == dict.fromkeys(fields).keys() and old.depth == depth
            if not fits:
                self.tapes[key] = Tape(fields, depth) if old is None else old.reshaped(fields, depth)
        self._routes = {}
        for key in sorted(wanted, key=str):
            self._routes.setdefault((key.kind, key.interval), []).append(key)
        self._group(watches)

    def restore(self, rows: Iterable[tuple[TapeKey, str, int, Mapping[str, float]]]) -> None:
        """Take rows that were looked at before."""
        for key, symbol, end, values in rows:
            if key in self.tapes:
                self.tapes[key].put(symbol, end, values)
        for tape in self.tapes.values():
            tape.settle()
        self._resume()

    def warm(self, rows: Iterable[Row]) -> None:
        """Take rows that are only looked back at."""
        for row in rows:
            for key in self._routes.get((row.kind, row.interval), ()):
                if not key.sessions or row.session in key.sessions:
                    put_row(self.tapes[key], key, row)
        for tape in self.tapes.values():
            tape.settle()
        self._resume()

    def take(self, rows: Iterable[Row]) -> None:
        """Take rows into account; of different symbols they may come in any order.

        A row that revises one, or comes late, is looked at by itself, so that the revisions
        that are told don't depend on what comes along with it.
        """
        waiting: dict[tuple[TapeKey, str], int] = {}
        for row in rows:
            for key in self._routes.get((row.kind, row.interval), ()):
                if key.sessions and row.session not in key.sessions:
                    continue
                place = key, row.symbol
                late = self.tapes[key].is_late(row.symbol, row.end, row.values)
                if late and waiting:
                    self._evaluate()
                    waiting.clear()
                changed = put_row(self.tapes[key], key, row)
                if not changed:
                    continue
                self.changes.rows.update((key, row.symbol, end) for end in changed)
                waiting[place] = waiting.get(place, 0) + 1
                if late or waiting[place] == _AT_ONCE:
                    self._evaluate()
                    waiting.clear()
        self._evaluate()

    def intervals(self, kind: str) -> frozenset[str]:
        """The intervals of which rows of a kind are wanted."""
        return frozenset(interval for found, interval in self._routes if found == kind)

    def stored(self, row: RowKey) -> tuple[TapeKey, str, int, Mapping[str, float]]:
        """A row as it is kept; without values when it no longer is."""
        key, symbol, end = row
        tape = self.tapes.get(key)
        return key, symbol, end, tape.row(symbol, end) if tape is not None else {}

    def oldest(self, key: TapeKey, symbol: str) -> int:
        """The oldest end that is kept of a symbol, 0 while there is room for older ones."""
        tape = self.tapes[key]
        return int(tape.end[tape.place(symbol), 0])

    def _group(self, watches: Iterable[Watch]) -> None:
        groups: dict[TapeKey, dict[frozenset[Need], Group]] = {}
        for watch in watches:
            group = groups.setdefault(watch.clock, {}).setdefault(watch.needs, Group(watch.needs))
            group.watches.append(watch)
        self._groups = {key: list(found.values()) for key, found in groups.items()}
        self._resume()

    def _resume(self) -> None:
        """Find where each rule stands, and up to which moment each symbol was looked at."""
        for key, groups in self._groups.items():
            tape = self.tapes[key]
            symbols = list(tape.symbols)
            frame = Frame(key, self.tapes, symbols)
            ends = frame.ends(tape.depth)
            for group in groups:
                group.seen = np.where(_complete(frame, group, tape.depth), ends, 0).max(axis=1, initial=0)
                for watch in group.watches:
                    watch.grow(tape)
                    for place, symbol in enumerate(symbols):
                        track = self.tracks.get((watch.rule.id, symbol))
                        if track is not None:
                            watch.stands(place, track.standing)

    def _reconcile(self, rules: RuleBook, watches: Mapping[str, Watch]) -> None:
        for (rule_id, symbol), digest in list(self.digests.items()):
            watch, rule = watches.get(rule_id), rules.get(rule_id)
            if rule is None or watch is None:
                reason = "the rule was deleted or switched off"
            elif rule.digest != digest:
                reason = f"the rule was changed to version {rule.version}"
            elif not watch.watches(symbol):
                reason = f"version {rule.version} of the rule doesn't watch the symbol"
            else:
                continue
            self._leave((rule_id, symbol), reason)

    def forget(self, reason: str) -> None:
        """Forget everything; end the alerts."""
        for place in list(self.tracks):
            self._leave(place, reason)
        for key, tape in self.tapes.items():
            self.changes.rows |= {(key, s, int(e)) for s, p in tape.symbols.items() for e in tape.end[p] if e}
            self.tapes[key] = Tape(tape.fields, tape.depth)
        self._group([watch for groups in self._groups.values() for group in groups for watch in group.watches])

    def _leave(self, place: Place, reason: str) -> None:
        rule_id, symbol = place
        newest = max((tape.newest(symbol) for tape in self.tapes.values()), default=0)
        ending = self.tracks.pop(place).leave(symbol, rule_id, newest, reason)
        del self.digests[place]
        if ending is not None:
            self.changes.transitions.append(ending)
        self.changes.places.add(place)

    def _evaluate(self) -> None:
        """Have the rules look at what has changed."""
        for key, groups in self._groups.items():
            if not len(self.tapes[key]):
                continue
            everyone = Frame(key, self.tapes, list(self.tapes[key].symbols))
            computers: dict[bytes, Computer] = {}
            for group in groups:
                moments = self._moments(group, everyone, computers)
                if moments is None:
                    continue
                for watch in group.watches:
                    self._look(watch, moments)
                group.saw(moments)
        for tape in self.tapes.values():
            tape.settle()

    def _moments(self, group: Group, everyone: Frame, computers: dict[bytes, Computer]) -> Moments | None:
        """The moments that are new to a group, or that have changed; frames of the same symbols are shared."""
        tape = everyone.tape
        group.seen = np.append(group.seen, np.zeros(len(tape) - len(group.seen), dtype=np.int64))
        since = tape.since[: len(tape)]
        for need in group.needs:
            since = np.minimum(since, everyone.since(need))
        rows = np.flatnonzero(since < NEVER)
        since = since[rows, None]
        room = tape.depth - max(watch.lookback for watch in group.watches)
        length = min(int((tape.end[rows] >= since).sum(axis=1).max(initial=0)), room)
        if not length:
            return None
        computer = computers.get(rows.tobytes())
        if computer is None:
            frame = Frame(everyone.key, self.tapes, [everyone.symbols[row] for row in rows.tolist()])
            computer = computers[rows.tobytes()] = Computer(frame)
        ends = computer.frame.ends(length)
        return Moments(
            computer,
            ends,
            fresh=(ends >= since) & _complete(computer.frame, group, length),
            stale=computer.frame.own(ACTIVITY, length) == _FEED_DOWN,
            revised=since[:, 0] <= group.seen[rows],
            horizon=tape.end[rows, tape.depth - room],
        )

    def _look(self, watch: Watch, moments: Moments) -> None:
        """Have a rule look at some moments."""
        frame, ends = moments.computer.frame, moments.ends
        watch.grow(frame.tape)
        signals = np.broadcast_to(watch.signals(moments.computer, moments.stale, ends.shape[1]), ends.shape)
        told = signals if watch.rule.schedule is None else np.where(watch.rule.looks_at(ends), signals, np.int8(KEEPS))
        woken = watch.woken(told, moments.fresh, frame.places, moments.revised).tolist()
        for row, seen in watch.observations(moments.computer, signals, moments.fresh, ends, woken):
            symbol = frame.symbols[row]
            place = watch.rule.id, symbol
            track = self.tracks.setdefault(place, Track())
            self.digests[place] = watch.rule.digest
            self.changes.transitions += track.follow(watch.rule, symbol, seen)
            track.forget_before(int(moments.horizon[row]))
            watch.stands(int(frame.places[row]), track.standing)
            self.changes.places.add(place)


def _complete(frame: Frame, group: Group, length: int) -> Bools:
    """Where the rows are there of everything that a group needs."""
    complete = frame.ends(length) > 0
    for need in group.needs:
        complete &= frame.present(need, length)
    return complete


def put_row(tape: Tape, key: TapeKey, row: Row) -> list[int]:
    """Take a row, or the revision of one; gives the ends of the rows that have changed."""
    if key.kind == "bars":
        return put_bar(tape, row.symbol, row.end, row.values, _lasting(key.interval))
    return [row.end] if tape.put(row.symbol, row.end, row.values) else []


def shapes(watches: Iterable[Watch]) -> dict[TapeKey, tuple[list[str], int]]:
    """For each tape that is needed its fields and its depth."""
    fields: dict[TapeKey, set[str]] = {}
    depths: dict[str, int] = {}
    for watch in watches:
        interval = watch.clock.interval or FIGURES_INTERVAL
        depths[interval] = max(depths.get(interval, 0), watch.lookback + _revisable(interval) + _AT_ONCE)
        fields.setdefault(watch.clock, set())
        for key, name in _fields(watch):
            fields.setdefault(key, set()).add(name)
    most = max(depths.values(), default=0)
    return {
        key: (list(_BAR) if key.kind == "bars" else sorted(names), depths[key.interval] if key.interval else most)
        for key, names in fields.items()
    }


def _fields(watch: Watch) -> Iterator[tuple[TapeKey, str]]:
    for series in watch.expression.series():
        yield need_of(series, watch.clock)[0], field_of(series)


@cache
def _lasting(interval: str) -> int:
    """How long bars last, 0 when they don't end with time."""
    measure = Interval.named(interval)
    return 0 if measure.counted else measure.size


def _revisable(interval: str) -> int:
    measure = Interval.named(interval)
    least, most = _REVISED
    return least if measure.counted else min(most, max(least, -(-_HOUR // measure.size)))
