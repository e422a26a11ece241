"""Looks for what a log must never do, in what was sent to it and what was read from it.

The anomalies are those of Jepsen's Kafka workload (jepsen.io, tests/kafka): a log is a partition, a
send has an outcome, a poll gives records with their offsets. Values must be unique within a log.
Offsets may have holes, which transactions leave; only a record that is known to be there can be
skipped.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Outcome = Literal["ok", "failed", "unknown"]
Kind = Literal[
    "lost write",
    "aborted read",
    "unsent read",
    "duplicate",
    "reordered sends",
    "inconsistent offset",
    "nonmonotonic poll",
    "skipping poll",
    "nonmonotonic polls",
    "skipping polls",
]


@dataclass(frozen=True, slots=True)
class Send:
    """A record that was sent.

    Attributes:
        log: where to, such as "bars-0".
        value: unique within the log.
        outcome: whether it is committed, or never will be, or nobody knows.
        sender: whose sends to one log must keep their order.
        offset: where it stands, when the sender was told.
    """

    log: str
    value: bytes
    outcome: Outcome = "ok"
    sender: str = ""
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A record as a consumer got it."""

    log: str
    offset: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll gave, in its order.

    Attributes:
        reader: a consumer from one assignment of partitions to the next; a rebalance begins another.
        reads: may be of several logs.
    """

    reader: str
    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something that must not be; `what` says where."""

    kind: Kind
    log: str
    what: str


def anomalies(sends: Sequence[Send], polls: Sequence[Poll], *, to_the_end: bool = False) -> list[Anomaly]:
    """Everything that is wrong.

    Args:
        sends: all that were made to the logs that are polled, each sender's in order.
        polls: those of each reader in order.
        to_the_end: whether, all readers together, the logs were read to their ends.
    """
    history = _History(sends, polls)
    return [
        *history.offsets_and_duplicates(),
        *history.against_sends(to_the_end=to_the_end),
        *history.order_of_sends(),
        *history.order_of_polls(),
    ]


class _History:
    def __init__(self, sends: Sequence[Send], polls: Sequence[Poll]) -> None:
        self._sends = sends
        self._polls = polls
        self._at: dict[str, dict[int, set[bytes]]] = defaultdict(lambda: defaultdict(set))
        self._of: dict[str, dict[bytes, set[int]]] = defaultdict(lambda: defaultdict(set))
        self._read: dict[str, set[bytes]] = defaultdict(set)
        for poll in polls:
            for read in poll.reads:
                self._know(read.log, read.offset, read.value)
                self._read[read.log].add(read.value)
        self._highest = {log: max(offsets) for log, offsets in self._at.items()}
        for send in sends:
            if send.offset is not None and send.outcome == "ok":
                self._know(send.log, send.offset, send.value)
        self._known = {log: sorted(offsets) for log, offsets in self._at.items()}

    def _know(self, log: str, offset: int, value: bytes) -> None:
        self._at[log][offset].add(value)
        self._of[log][value].add(offset)

    def offsets_and_duplicates(self) -> Iterable[Anomaly]:
        """Offsets that held two values, values that stand at two offsets."""
        for log, offsets in self._at.items():
            for offset, values in offsets.items():
                if len(values) > 1:
                    yield Anomaly("inconsistent offset", log, f"{offset} held {sorted(values)}")
        for log, found in self._of.items():
            for value, places in found.items():
                if len(places) > 1:
                    yield Anomaly("duplicate", log, f"{value!r} stands at {sorted(places)}")

    def against_sends(self, *, to_the_end: bool) -> Iterable[Anomaly]:
        """Committed records that nobody saw though later ones were seen, and records that nobody should have seen."""
        sent: dict[str, set[bytes]] = defaultdict(set)
        failed: dict[str, set[bytes]] = defaultdict(set)
        seen_later: set[tuple[str, str]] = set()
        for send in reversed(self._sends):
            sent[send.log].add(send.value)
            sender = (send.log, send.sender)
            if send.outcome == "failed":
                failed[send.log].add(send.value)
            if send.value in self._read[send.log]:
                seen_later.add(sender)
            elif send.outcome == "ok":
                passed = send.offset is not None and send.offset < self._highest.get(send.log, -1)
                if to_the_end or passed or sender in seen_later:
                    yield Anomaly("lost write", send.log, f"{send.value!r} was committed and never read")
        for log, values in self._read.items():
            for value in sorted(values & failed[log]):
                yield Anomaly("aborted read", log, f"{value!r} was never committed, and was read")
            for value in sorted(values - sent[log]):
                yield Anomaly("unsent read", log, f"{value!r} was never sent, and was read")

    def order_of_sends(self) -> Iterable[Anomaly]:
        """Records of one sender that stand in another order than they were sent in."""
        last: dict[tuple[str, str], tuple[int, bytes]] = {}
        for send in self._sends:
            places = self._of[send.log].get(send.value)
            if not places:
                continue
            sender, place = (send.log, send.sender), min(places)
            if sender in last and place < last[sender][0]:
                before = last[sender][1]
                yield Anomaly("reordered sends", send.log, f"{send.value!r} stands before {before!r}, sent earlier")
            last[sender] = (place, send.value)

    def order_of_polls(self) -> Iterable[Anomaly]:
        """Reads that go back or leave out known records, within a poll and from one to the next."""
        last: dict[tuple[str, str], int] = {}
        for poll in self._polls:
            offsets: dict[str, list[int]] = defaultdict(list)
            for read in poll.reads:
                offsets[read.log].append(read.offset)
            for log, read_now in offsets.items():
                reader = (poll.reader, log)
                if reader in last:
                    yield from self._step(log, last[reader], read_now[0], "nonmonotonic polls", "skipping polls")
                for before, after in pairwise(read_now):
                    yield from self._step(log, before, after, "nonmonotonic poll", "skipping poll")
                last[reader] = read_now[-1]

    def _step(self, log: str, before: int, after: int, back: Kind, skip: Kind) -> Iterable[Anomaly]:
        if after <= before:
            yield Anomaly(back, log, f"{after} was read after {before}")
            return
        known = self._known[log]
        between = known[bisect_left(known, before + 1) : bisect_left(known, after)]
        if between:
            yield Anomaly(skip, log, f"{between} were left out between {before} and {after}")
