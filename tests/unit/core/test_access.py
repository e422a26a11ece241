from __future__ import annotations

import fnmatch
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstream.core.access import CHANNELS, Scope, key_digest, key_id_of, new_key

NAMES = st.text("AB.-", min_size=1, max_size=4)
PATTERNS = st.one_of(NAMES, NAMES.map(lambda name: name + "*"), st.just("*"))


def test_keys_are_long_distinct_and_name_their_id() -> None:
    made = [new_key() for _ in range(100)]
    assert len({key.rpartition("_")[2] for _id, key in made}) == 100
    for key_id, key in made:
        prefix, found, secret = key.split("_")
        assert (prefix, found, len(bytes.fromhex(secret))) == ("tsk", key_id, 32)
        assert key_id_of(key) == key_id
        assert key_digest(key) == hashlib.sha256(key.encode()).digest()


@pytest.mark.parametrize(
    "text", ["", "tsk_", "tsk_12_34", "tsk__", "TSK_" + "0" * 16 + "_" + "0" * 64, "\ud800", "x" * 90]
)
def test_what_cannot_be_a_key_has_no_id(text: str) -> None:
    assert key_id_of(text) is None
    assert len(key_digest(text)) == 32


def test_a_key_with_something_before_or_after_it_is_none() -> None:
    _key_id, key = new_key()
    assert [key_id_of(text) for text in (key + "\n", " " + key, key.upper(), key[:-1], key + "0")] == [None] * 5


@given(st.lists(PATTERNS, min_size=1, max_size=4), NAMES)
def test_patterns_mean_what_they_mean_to_a_shell(patterns: list[str], symbol: str) -> None:
    expected = any(fnmatch.fnmatchcase(symbol, pattern) for pattern in patterns)
    assert Scope.of(["ticks"], patterns).has(symbol) is expected


def test_a_scope_of_everything_has_all_channels_and_symbols() -> None:
    scope = Scope.of(["*"], ["SPY", "*"])
    assert scope.channels == set(CHANNELS)
    assert scope.every_symbol
    assert not Scope.of(["*"], ["S*"]).every_symbol


@pytest.mark.parametrize(
    ("channels", "symbols"),
    [
        ([], ["*"]),
        (["quotes"], ["*"]),
        (["ticks"], []),
        (["ticks"], [""]),
        (["ticks"], ["A*B"]),
        (["ticks"], ["**"]),
        (["ticks"], ["A B"]),
        (["ticks"], ["x" * 65]),
        (["ticks"], [f"S{number}" for number in range(1001)]),
    ],
)
def test_a_scope_that_is_none_is_refused(channels: list[str], symbols: list[str]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Scope.of(channels, symbols)
