"""Which partitions a node reads, and that nobody can tell from what he gets."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.nodes import Log, Node, fields_of, served, token_of
from tickstream.core.columns import Interner, Strings
from tickstream.ws_bridge.domain.choice import Choice
from tickstream.ws_bridge.domain.homes import Homes
from tickstream.ws_bridge.domain.hub import Subscribed
from tickstream.ws_bridge.domain.replay import Absence

THREE = (0, 1, 2)
HOMES = {"A": 0, "B": 1, "C": 2, "D": 0}
"""Where the trades of these tests are. Kafka's own partitioner has A, B and C in 1 of 3, and D in 0."""
PLACED = st.lists(st.lists(st.tuples(st.sampled_from([f"S{number}" for number in range(400)]), st.integers(0, 4))))


def numbers(node: Node, client: str) -> list[tuple[str, int]]:
    """What a client gets now."""
    fields = [json.loads(frame.packet[1:])[1] for frame in node.hub.collect(client, 1_000.0)]
    assert not any(one["lost"] for one in fields)
    return [(one["symbol"], one["seq"]) for one in (record for frame in fields for record in frame["data"])]


def read_all(node: Node) -> None:
    for partition, kept in enumerate(node.log.partitions):
        node.live(partition, len(kept))


def rested(log: Log, lookback: int = 1_000) -> Node:
    """A node with a client of D, whose other partitions rest."""
    node = Node(log, lookback=lookback)
    read_all(node)
    node.subscribe("d", channel="ticks", symbols=["D"], mode="all")
    node.look(0.0)
    node.look(2.0)
    assert set(node.rested) == {1, 2}
    return node


def log_of_all() -> Log:
    log = Log(THREE, HOMES)
    for symbol in HOMES:
        log.publish(symbol)
    return log


def test_what_nobody_needs_rests_after_a_while_and_not_before() -> None:
    node = Node(log_of_all())
    read_all(node)
    node.subscribe("d", channel="ticks", symbols=["D"])
    node.look(0.0)
    node.look(0.9)
    assert set(node.rested) == set()
    node.look(1.0)
    assert set(node.rested) == {1, 2}
    node.hub.leave("d")
    node.look(1.9)
    assert node.choice.read == {0}
    node.look(2.0)
    assert set(node.rested) == {0, 1, 2}
    node.look(1_000.0)
    assert node.choice.read == set()


def test_who_comes_for_a_resting_partition_gets_its_last_trades_and_all_that_follow() -> None:
    log = log_of_all()
    node = rested(log)
    for symbol in "BABC":
        log.publish(symbol)
    asked = {"channel": "ticks", "symbols": ["B"], "mode": "all"}
    assert node.lacks(**asked)
    assert set(node.rested) == {2}
    node.live(1, 1)
    assert node.lacks(**asked)
    node.live(1, 1)
    assert not node.lacks(**asked)
    answer = node.subscribe("b", **asked)
    assert isinstance(answer, Subscribed)
    assert [one["seq"] for one in fields_of(answer)["snapshot"]] == [3]
    node.look(2.5)
    log.publish("B")
    read_all(node)
    assert numbers(node, "b") == [("B", 4)]


def test_a_pattern_or_a_symbol_that_was_never_seen_needs_all() -> None:
    for symbols in (["*"], ["D", "UNSEEN"]):
        node = rested(log_of_all())
        assert not node.lacks(channel="ticks", symbols=symbols)  # there was nothing to catch up with
        assert node.choice.read == {0, 1, 2}
        node.subscribe("all", channel="ticks", symbols=["*"])
        node.look(500.0)
        assert node.choice.read == {0, 1, 2}


def test_a_token_says_nothing_of_partitions_that_its_node_did_not_read() -> None:
    log = log_of_all()
    node, other = rested(log), Node(log)
    read_all(other)
    token = token_of(node.subscribe("d", channel="ticks", symbols=["D"], mode="all"))
    for symbol in "BD":
        log.publish(symbol)
    read_all(other)
    request = {"channel": "ticks", "mode": "all", "resume": token}
    assert served(other, other.subscribe("x", symbols=["D"], **request))["recovered"] is True
    assert numbers(other, "x") == [("D", 2)]
    for symbols in (["B"], ["B", "D"], ["*"]):
        absence = other.subscribe("y", symbols=symbols, **request)
        assert isinstance(absence, Absence)
        assert absence.obstacle == "unread"
        answer = fields_of(other.hub.recover(absence))
        assert answer["recovered"] is False
        assert {one["symbol"]: one["seq"] for one in answer["snapshot"]}["B"] == 2
        assert numbers(other, "y") == []
        other.hub.leave("y")
        other.absences.clear()


def test_a_token_of_all_partitions_is_good_on_a_node_that_reads_some() -> None:
    log = log_of_all()
    node, other = rested(log), Node(log)
    read_all(other)
    token = token_of(other.subscribe("x", channel="ticks", symbols=["*"], mode="all"))
    for symbol in "DBDB":
        log.publish(symbol)
    node.live(0, 10)
    request = {"channel": "ticks", "mode": "all", "resume": token}
    assert served(node, node.subscribe("x", symbols=["D"], **request))["recovered"] is True
    assert numbers(node, "x") == [("D", 2), ("D", 3)]
    assert node.lacks(symbols=["B"], **request)
    read_all(node)
    assert served(node, node.subscribe("y", symbols=["B"], **request))["recovered"] is True
    assert numbers(node, "y") == [("B", 2), ("B", 3)]


def test_what_may_have_changed_unseen_is_not_shown() -> None:
    log = Log(THREE, HOMES | {"C": 1})
    for symbol in HOMES:
        log.publish(symbol)
    node = rested(log, lookback=2)
    for symbol in "CBB":
        log.publish(symbol)
    assert node.lacks(channel="ticks", symbols=["B", "C"])
    read_all(node)
    answer = node.subscribe("x", channel="ticks", symbols=["B", "C"])
    assert isinstance(answer, Subscribed)
    assert [(one["symbol"], one["seq"]) for one in fields_of(answer)["snapshot"]] == [("B", 3)]


def test_producers_that_disagree_are_found_out_and_nothing_of_theirs_is_lost() -> None:
    log = log_of_all()
    node = rested(log)
    log.publish_to(2, "D")  # of a producer that puts D elsewhere, and B where D is read
    log.publish_to(0, "B")
    log.publish("D")
    read_all(node)
    assert numbers(node, "d") == [("D", 3)]
    node.look(2.5)
    assert node.rested == {}
    read_all(node)
    assert numbers(node, "d") == [("D", 2)]
    node.look(10.0)
    assert node.rested == {}  # D was found in a further one, too
    node.look(12.0)
    assert set(node.rested) == {1}
    log.publish_to(2, "D")
    read_all(node)
    assert numbers(node, "d") == [("D", 4)]


def test_resting_partitions_are_looked_through_one_after_the_other() -> None:
    log = log_of_all()
    node = rested(log)
    log.publish_to(2, "D")
    read_all(node)
    node.look(301.0)
    assert set(node.rested) == {1, 2}
    node.look(302.0)
    read_all(node)
    node.look(303.0)
    read_all(node)
    assert numbers(node, "d") == [("D", 2)]
    node.look(310.0)
    assert node.rested == {}
    node.look(312.0)
    assert set(node.rested) == {1}


def looked(choice: Choice, now: float, symbols: list[str]) -> tuple[set[int], set[int]]:
    idle, woken = choice.look(now, symbols)
    return set(idle), set(woken)


def test_when_the_topic_grows_symbols_may_be_anywhere() -> None:
    homes = Homes()
    homes.open(3)
    choice = Choice(homes, 1.0)
    homes.saw("D", 0)
    choice.look(0.0, ["D"])
    assert looked(choice, 2.0, ["D"]) == ({1, 2}, set())
    homes.open(4)
    homes.saw("D", 3)  # by one of several producers
    assert looked(choice, 3.0, ["D"]) == (set(), {1, 2})
    choice.awake(frozenset({1, 2}), 3.0)
    homes.saw("D", 0)
    assert looked(choice, 3.5, ["D"]) == (set(), set())
    assert choice.look(9.0, ["D"])[0] == {1, 2, 3} - homes.needed(["D"])


def test_one_that_is_waited_for_does_not_rest_before_it_has_been_asked_for() -> None:
    homes = Homes()
    homes.open(3)
    choice = Choice(homes, 1.0)
    homes.saw("B", 1)
    choice.look(0.0, [])
    assert choice.look(1.0, [])[0] == {0, 1, 2}
    assert choice.ask(choice.lacking(["B"])) == {1}
    assert choice.ask(choice.lacking(["B"])) == set()
    choice.awake(frozenset({1}), 50.0)
    assert looked(choice, 50.5, []) == (set(), set())
    assert looked(choice, 51.0, []) == ({1}, set())


@given(PLACED)
def test_symbols_are_where_they_were_seen(batches: list[list[tuple[str, int]]]) -> None:
    homes, interner = Homes(), Interner()
    seen: dict[str, set[int]] = {}
    further = 0
    for batch in batches:
        homes.learn(
            Strings.of([symbol for symbol, _partition in batch], interner),
            np.array([partition for _symbol, partition in batch], dtype=np.int64),
        )
        for symbol, partition in batch:
            further += bool(seen.get(symbol)) and partition not in seen[symbol]
            seen.setdefault(symbol, set()).add(partition)
    assert homes.scattered == further
    assert {symbol: set(homes.needed([symbol])) for symbol in seen} == seen
