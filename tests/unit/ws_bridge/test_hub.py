from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tickstream.core.access import Scope
from tickstream.core.model import Bar
from tickstream.ws_bridge.domain.entry import NO_SYMBOL, Entry, entry_of
from tickstream.ws_bridge.domain.hub import Hub
from tickstream.ws_bridge.domain.market import Market
from tickstream.ws_bridge.domain.protocol import (
    Limits,
    RefusalError,
    parse_subscribe,
    parse_unsubscribe,
)
from tickstream.ws_bridge.domain.sharing import Room

LIMITS = Limits(max_symbols=10, max_subscriptions=5, commands_per_second=10, max_hz=20)
ROOM = Room(records=1_000, bytes=10**6, frame_records=1_000, snapshot_bytes=10**6)
SYMBOLS = ("A", "B", "C", "D")


def hub(room: Room = ROOM) -> Hub:
    made = Hub(Market(history=100, max_records=10_000, max_symbols=100), LIMITS, room, flush_seconds=0.05)
    made.market.know(SYMBOLS)
    return made


def subscribe(made: Hub, client: str, **fields: object) -> Any:
    return made.subscribe(client, parse_subscribe([fields], LIMITS))


def subscribe_within(scope: Scope, made: Hub, client: str, **fields: object) -> Any:
    return made.subscribe(client, replace(parse_subscribe([fields], LIMITS), scope=scope))


def unsubscribe(made: Hub, client: str, **fields: object) -> list[str]:
    return made.unsubscribe(client, parse_unsubscribe([fields], LIMITS)).symbols


def tick(symbol: str, number: int) -> Entry:
    route = ("ticks", "", symbol)
    return Entry(route, route, json.dumps({"symbol": symbol, "seq": number}).encode(), offset=number)


def events(made: Hub, client: str, now: float) -> list[tuple[str, dict[str, Any]]]:
    out = []
    for frame in made.collect(client, now):
        assert frame.packet[:1] == b"2"
        name, fields = json.loads(frame.packet[1:])
        assert len(fields["data"]) == frame.records
        out.append((name, fields))
    return out


def bar(start: int, state: str, close: float, revision: int = 0) -> Bar:
    return Bar("A", "1m", start, start + 60, 1, 1, 1, close, 1, 1, 1, state, revision, "traded", "regular")  # type: ignore[arg-type] # states


def offer_bar(made: Hub, record: Bar, offset: int) -> None:
    body = json.dumps({"start": record.start, "state": record.state, "close": record.close}).encode()
    made.record(record, entry_of(record, body, 0, offset))


class SnapshotsAndFrames(RuleBasedStateMachine):
    """Whatever clients do, snapshot and frames of a symbol join without gap, overlap or disorder."""

    clients = st.sampled_from(("x", "y", "z"))
    symbols = st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=4, unique=True)

    def __init__(self) -> None:
        super().__init__()
        self.hub = hub()
        self.now = 0.0
        self.number = 0
        self.last: dict[str, int] = {}
        # What each client has of each symbol it reads: the last number seen.
        self.seen: dict[str, dict[str, int]] = defaultdict(dict)
        self.named: dict[str, set[str]] = defaultdict(set)
        self.all: set[str] = set()
        # What went by those who gave a symbol up and still read everything.
        self.went_by: dict[str, Counter[str]] = defaultdict(Counter)
        self.numbers: dict[str, list[int]] = defaultdict(list)

    @rule(symbol=st.sampled_from(SYMBOLS))
    def trade(self, symbol: str) -> None:
        self.number += 1
        self.last[symbol] = self.number
        self.numbers[symbol].append(self.number)
        self.hub.tick(tick(symbol, self.number))

    def _answer(self, client: str, fields: dict[str, object], now_read: set[str]) -> None:
        if len(self.hub.subscriptions.of(client)) >= LIMITS.max_subscriptions:
            return
        made = subscribe(self.hub, client, channel="ticks", mode="all", **fields)
        shown = {one["symbol"]: one["seq"] for one in (json.loads(entry.body) for entry in made.snapshot)}
        assert shown == {symbol: self.last[symbol] for symbol in now_read if symbol in self.last}
        for symbol in now_read:
            self.seen[client][symbol] = self.last.get(symbol, 0)
            del self.went_by[client][symbol]
        if fields["symbols"] == ["*"]:
            self.all.add(client)
            self.named[client].clear()
        else:
            self.named[client] |= now_read

    @rule(client=clients, symbols=symbols)
    def subscribe_some(self, client: str, symbols: list[str]) -> None:
        self._answer(client, {"symbols": symbols}, set(symbols))

    @rule(client=clients)
    def subscribe_everything(self, client: str) -> None:
        self._answer(client, {"symbols": ["*"]}, set(SYMBOLS))

    @rule(client=clients, symbols=symbols)
    def unsubscribe_some(self, client: str, symbols: list[str]) -> None:
        gone = self.named[client] & set(symbols)
        if not gone:
            with pytest.raises(RefusalError):
                unsubscribe(self.hub, client, channel="ticks", symbols=symbols)
            return
        assert set(unsubscribe(self.hub, client, channel="ticks", symbols=symbols)) == gone
        self.named[client] -= gone
        for symbol in gone:
            seen = self.seen[client].pop(symbol)
            # What waited for these symbols is forgotten: a client that still reads everything goes on from here.
            if client in self.all:
                self.went_by[client][symbol] += sum(number > seen for number in self.numbers[symbol])
                self.seen[client][symbol] = self.last.get(symbol, 0)

    @rule(client=clients)
    def leave(self, client: str) -> None:
        self.hub.leave(client)
        self.seen.pop(client, None)
        self.named.pop(client, None)
        self.went_by.pop(client, None)
        self.all.discard(client)

    @rule(client=clients)
    def flush(self, client: str) -> None:
        self.now += 0.05
        expected = dict(self.seen.get(client, {}))
        lost = 0
        for name, fields in events(self.hub, client, self.now):
            assert name == "ticks"
            lost += fields["lost"]
            for one in fields["data"]:
                assert one["seq"] > expected[one["symbol"]]
                expected[one["symbol"]] = one["seq"]
        assert expected == {symbol: self.last.get(symbol, 0) for symbol in expected}
        assert lost == self.went_by.pop(client, Counter()).total()
        if client in self.seen:
            self.seen[client] = expected

    @invariant()
    def nobody_else_is_kept(self) -> None:
        clients = {one.client for one in self.hub.subscriptions.all.values()}
        assert clients == {client for client in ("x", "y", "z") if self.named.get(client) or client in self.all}


SnapshotsAndFrames.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestSnapshotsAndFrames = SnapshotsAndFrames.TestCase


def test_every_record_between_subscribe_and_flush_is_in_the_frame() -> None:
    made = hub()
    made.tick(tick("A", 1))
    answer = subscribe(made, "x", channel="ticks", symbols=["A", "B"], mode="all")
    for number, symbol in enumerate("ABCABC", 2):
        made.tick(tick(symbol, number))
    assert [json.loads(entry.body)["seq"] for entry in answer.snapshot] == [1]
    [(name, fields)] = events(made, "x", 1.0)
    assert (name, [one["seq"] for one in fields["data"]], fields["lost"]) == ("ticks", [2, 3, 5, 6], 0)


def test_a_client_gets_a_record_once_however_many_of_its_subscriptions_want_it() -> None:
    made = hub()
    subscribe(made, "x", channel="ticks", symbols=["*"], mode="all")
    subscribe(made, "x", channel="ticks", symbols=["A"], mode="all")
    made.tick(tick("A", 1))
    made.tick(tick("B", 2))
    [(_name, fields)] = events(made, "x", 1.0)
    assert sorted(one["seq"] for one in fields["data"]) == [1, 2]


def test_a_symbol_seen_for_the_first_time_reaches_who_reads_everything() -> None:
    made = hub()
    subscribe(made, "x", channel="ticks", symbols=["*"])
    made.tick(tick("NEW", 1))
    [(_name, fields)] = events(made, "x", 1.0)
    assert fields["data"][0]["symbol"] == "NEW"


def test_latest_shows_the_newest_trade_and_says_how_many_it_left_out() -> None:
    made = hub()
    subscribe(made, "x", channel="ticks", symbols=["A", "B"])
    for number, symbol in enumerate("AABAB", 1):
        made.tick(tick(symbol, number))
    [(_name, fields)] = events(made, "x", 1.0)
    assert ([one["seq"] for one in fields["data"]], fields["lost"]) == ([4, 5], 3)


def test_forming_bars_are_conflated_and_closed_ones_never() -> None:
    made = hub()
    subscribe(made, "x", channel="bars", symbols=["A"], interval="1m")
    states = [(0, "partial", 1.0), (0, "partial", 2.0), (0, "closed", 3.0), (0, "closed", 4.0), (60, "partial", 5.0)]
    for offset, (start, state, close) in enumerate(states):
        offer_bar(made, bar(start, state, close), offset)
    [(_name, fields)] = events(made, "x", 1.0)
    assert [one["close"] for one in fields["data"]] == [3.0, 4.0, 5.0]
    assert fields["lost"] == 2


def test_history_is_the_last_closed_bars_revised_and_the_forming_one() -> None:
    made = hub()
    for offset, start in enumerate((0, 60, 120)):
        offer_bar(made, bar(start, "closed", float(start)), offset)
    offer_bar(made, bar(60, "closed", 61.0, revision=1), 3)
    offer_bar(made, bar(180, "partial", 180.0), 4)
    answer = subscribe(made, "x", channel="bars", symbols=["A"], interval="1m", history=2)
    assert [json.loads(entry.body)["close"] for entry in answer.snapshot] == [61.0, 120.0, 180.0]
    plain = subscribe(made, "y", channel="bars", symbols=["A"], interval="1m")
    assert [json.loads(entry.body)["close"] for entry in plain.snapshot] == [180.0]


ONLY_AB = Scope.of(["*"], ["A", "B*"])


def test_symbols_that_may_not_be_read_are_rejected_whether_they_exist_or_not() -> None:
    made = hub()
    answer = subscribe_within(ONLY_AB, made, "ann", channel="ticks", symbols=["A", "C", "NOPE", "BAD"])
    assert (answer.symbols, answer.rejected) == (("A",), ("C", "NOPE", "BAD"))
    assert not made.wanted(("ticks", "", "C"))


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["A", "B", "BX", "C", "D"]), min_size=1), st.integers(0, 10))
def test_everything_is_what_may_be_read_before_and_after_and_when_others_come_and_go(
    symbols: list[str], before: int
) -> None:
    made = hub()
    ticks = [tick(symbol, number) for number, symbol in enumerate(symbols)]
    for entry in ticks[:before]:
        made.tick(entry)
    subscribe(made, "bob", channel="ticks", symbols=["*"], mode="all")
    ann = subscribe_within(ONLY_AB, made, "ann", channel="ticks", symbols=["*"], mode="all")
    subscribe_within(Scope.of(["*"], ["C"]), made, "eve", channel="ticks", symbols=["*"], mode="all")
    assert ann.symbols == ("*",)
    last = {entry.route[2]: entry.body for entry in ticks[:before]}
    assert sorted(entry.body for entry in ann.snapshot) == sorted(
        body for symbol, body in last.items() if symbol in ("A", "B", "BX")
    )
    made.leave("eve")
    for entry in ticks[before:]:
        made.tick(entry)
    got = [record for _name, fields in events(made, "ann", 1.0) for record in fields["data"]]
    assert got == [json.loads(entry.body) for entry in ticks[before:] if entry.route[2] in ("A", "B", "BX")]
    made.leave("ann")
    made.leave("bob")
    assert not any(made.wanted(("ticks", "", symbol)) for symbol in symbols)


def test_a_narrower_subscription_given_back_leaves_only_what_may_be_read() -> None:
    made = hub()
    subscribe_within(ONLY_AB, made, "ann", channel="market_events", symbols=["*"])
    named = subscribe_within(ONLY_AB, made, "ann", channel="market_events", symbols=["A"])
    unsubscribe(made, "ann", subscription=named.subscription.id)
    for symbol in ("A", "C", NO_SYMBOL):
        made.subscriptions.offer(Entry(("market_events", "", symbol), None, json.dumps(symbol).encode()))
    [(_name, fields)] = events(made, "ann", 1.0)
    assert fields["data"] == ["A", NO_SYMBOL]


def test_unknown_symbols_are_rejected_and_the_others_subscribed() -> None:
    answer = subscribe(hub(), "x", channel="ticks", symbols=["A", "NOPE"])
    assert (answer.symbols, answer.rejected) == (("A",), ("NOPE",))


def test_a_client_may_not_have_more_subscriptions_than_the_limit() -> None:
    made = hub()
    for interval in ("1s", "1m", "5m", "15m", "1h"):
        subscribe(made, "x", channel="bars", symbols=["A"], interval=interval)
    with pytest.raises(RefusalError) as refusal:
        subscribe(made, "x", channel="ticks", symbols=["A"])
    assert refusal.value.code == "too_many_subscriptions"


def test_a_snapshot_beyond_its_limit_is_refused_and_nothing_subscribed() -> None:
    made = hub(Room(records=10, bytes=10_000, frame_records=1_000, snapshot_bytes=10))
    made.tick(tick("A", 1))
    with pytest.raises(RefusalError) as refusal:
        subscribe(made, "x", channel="ticks", symbols=["A"])
    assert refusal.value.code == "too_large"
    assert not made.subscriptions.all


def test_a_full_buffer_drops_its_oldest_and_the_next_frame_says_how_many() -> None:
    made = hub(Room(records=3, bytes=10_000, frame_records=1_000, snapshot_bytes=10_000))
    subscribe(made, "x", channel="ticks", symbols=["A"], mode="all")
    for number in range(1, 6):
        made.tick(tick("A", number))
    assert made.bound("x").dropped == 2
    [(_name, fields)] = events(made, "x", 1.0)
    assert ([one["seq"] for one in fields["data"]], fields["lost"]) == ([3, 4, 5], 2)


def test_max_hz_holds_frames_back() -> None:
    made = hub()
    subscribe(made, "x", channel="ticks", symbols=["A"], mode="all", maxHz=2)
    frames = 0
    for step in range(200):
        made.tick(tick("A", step + 1))
        frames += len(events(made, "x", 100 + step * 0.05))
    assert 19 <= frames <= 21


def test_market_events_without_a_symbol_reach_every_subscriber() -> None:
    made = hub()
    subscribe(made, "x", channel="market_events", symbols=["A"])
    made.subscriptions.offer(Entry(("market_events", "", ""), None, b"{}"))
    made.subscriptions.offer(Entry(("market_events", "", "B"), None, b"{}"))
    [(_name, fields)] = events(made, "x", 1.0)
    assert len(fields["data"]) == 1


def test_a_token_points_at_what_each_subscription_still_waits_for() -> None:
    made = hub()
    made.positions.open("ticks", b"key", "epoch", {0: 0})
    fast = subscribe(made, "x", channel="ticks", symbols=["A"], mode="all").subscription.filter()
    slow = subscribe(made, "x", channel="ticks", symbols=["B"], mode="all", maxHz=0.1).subscription.filter()
    made.tick(tick("A", 0))
    made.tick(tick("B", 1))
    made.positions.reached("ticks", 0, 2)
    events(made, "x", 100.0)
    made.tick(tick("B", 2))
    made.tick(tick("A", 3))
    made.positions.reached("ticks", 0, 4)
    [(_name, fields)] = events(made, "x", 100.05)
    place = made.positions.read("ticks", fields["resume"])
    assert (place.of(fast), place.of(slow)) == ({0: 4}, {0: 2})


def test_nothing_is_left_of_clients_that_are_gone() -> None:
    made = hub()
    for number in range(20):
        subscribe(made, "x", channel="bars", symbols=["A"], interval=f"{number + 1}t")
        subscribe(made, "y", channel="bars", symbols=["*"], interval=f"{number + 1}t")
        offer_bar(made, bar(number, "closed", 1.0), number)
        made.leave("x")
        made.leave("y")
    one = made.subscriptions
    assert [one.all, one._of_client, one._readers, one._to_everything] == [{}] * 4
