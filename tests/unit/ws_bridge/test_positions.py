from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.positions import Place, Positions, TokenError

OFFSETS = st.dictionaries(st.integers(0, 20), st.integers(0, 2**62), max_size=8)


def positions(key: bytes = b"key", epoch: str = "epoch") -> Positions:
    made = Positions()
    made.open("ticks", key, epoch, {0: 7, 1: 9})
    return made


def token(made: Positions) -> str:
    return str(json.loads(made.token("ticks")))


@given(offsets=OFFSETS, behind=st.dictionaries(st.text("0123456789abcdef", min_size=1), OFFSETS))
def test_a_token_says_on_every_node_what_was_put_into_it(
    offsets: dict[int, int], behind: dict[str, dict[int, int]]
) -> None:
    made = json.loads(positions().token("ticks", offsets, behind))
    assert positions().read("ticks", made) == Place({0: 7, 1: 9} | offsets, behind)


@given(st.data())
def test_a_token_that_was_changed_is_refused(data: st.DataObject) -> None:
    raw = bytearray(base64.urlsafe_b64decode(token(positions()) + "=="[: -len(token(positions())) % 4]))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(TokenError) as refusal:
        positions().read("ticks", base64.urlsafe_b64encode(raw).decode())
    assert refusal.value.reason == "tampered"


@given(st.text())
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(TokenError) as refusal:
        positions().read("ticks", text)
    assert refusal.value.reason == "tampered"


def test_a_token_of_another_cluster_or_of_a_topic_that_was_made_anew_is_refused() -> None:
    with pytest.raises(TokenError) as refusal:
        positions(key=b"another").read("ticks", token(positions()))
    assert refusal.value.reason == "tampered"
    with pytest.raises(TokenError) as refusal:
        positions(epoch="another").read("ticks", token(positions()))
    assert refusal.value.reason == "wrong_epoch"


def test_a_token_of_another_channel_is_refused() -> None:
    made = positions()
    made.open("bars", b"key", "epoch of bars", {0: 7, 1: 9})
    with pytest.raises(TokenError) as refusal:
        made.read("bars", token(made))
    assert refusal.value.reason == "wrong_epoch"


def test_a_subscription_that_a_token_doesnt_know_goes_on_from_the_earliest_of_the_others() -> None:
    place = Place({0: 7, 1: 9}, {"a": {0: 3}, "b": {1: 4}, "c": {}})
    assert place.of("a") == {0: 3, 1: 9}
    assert place.of("c") == {0: 7, 1: 9}
    assert place.of("new") == {0: 3, 1: 4}


@given(offsets=OFFSETS)
def test_a_token_says_of_which_partitions_it_says_nothing(offsets: dict[int, int]) -> None:
    made = positions()
    made.rest("ticks", {1, 3})
    assert made.now("ticks") == {0: 7}
    said = {0: 7} | offsets
    place = positions().read("ticks", json.loads(made.token("ticks", offsets)))
    assert place == Place(said, {}, frozenset({1, 3} - said.keys()))
    made.reached("ticks", 1, 12)
    assert positions().read("ticks", token(made)) == Place({0: 7, 1: 12}, {}, frozenset({3}))
    made.open("ticks", b"key", "epoch", {0: 8, 1: 13, 3: 4}, [1])
    assert positions().read("ticks", token(made)) == Place({0: 8, 3: 4}, {}, frozenset({1}))
