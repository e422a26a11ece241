from __future__ import annotations

import dataclasses
import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.records import TICKS
from tickstream.core.codec import Codecs, TickInterners
from tickstream.core.codec.ticks import TickCodec
from tickstream.core.columns import Interner, TickColumns
from tickstream.core.errors import BadRecordError
from tickstream.core.model import Tick

CODECS = Codecs()
CODEC = CODECS.of(Tick)
TICK = Tick("SPY", 165.33, 200.0, 1381239000000000000, 1381239000000000001, 1, "replay", venue="P", trade_id="17")
GOOD = CODEC.encode(TICK)
ENOUGH = 40
"""As many records are decoded and encoded in columns, not one by one."""

# What market data looks like: few texts, long and short, that come again and again.
PLAIN = st.builds(
    Tick,
    symbol=st.sampled_from(("SPY", "AIG", "A", "BRK.B", "LONGER-THAN-A-WORD", "x" * 64, "7203東")),
    price=st.floats(0.01, 1e6),
    volume=st.floats(0, 1e6),
    ts_event=st.integers(10**18, 2 * 10**18),
    ts_ingest=st.integers(0, 2 * 10**18),
    seq=st.integers(1, 10**7),
    source=st.sampled_from(("replay-20131008-spy", "simulate-1")),
    venue=st.sampled_from((None, "P", "NASDAQ OMX")),
    trade_id=st.none() | st.integers(0, 10**20).map(str),
    conditions=st.sampled_from((None, "", "@ I", "c" * 65, "c" * 256)),
    flags=st.integers(0, 1),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes | None:
    """A value cut, lengthened, changed, or of another kind altogether."""
    value = CODEC.encode(draw(TICKS | PLAIN))
    match draw(st.integers(0, 5)):
        case 0:
            return value[: draw(st.integers(0, len(value)))]
        case 1:
            return value + draw(st.binary(min_size=1, max_size=20))
        case 2:
            changed = bytearray(value)
            for _ in range(draw(st.integers(1, 3))):
                changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
            return bytes(changed)
        case 3:
            return draw(st.none() | st.binary(max_size=200))
        case 4:
            return b"\0\0\0\0\x01" + draw(st.binary(max_size=200))
        case _:
            bad = struct.pack("<d", draw(st.sampled_from((float("nan"), float("inf"), -1.0, 0.0, -0.0))))
            return value.replace(value[5 + 2 : 5 + 10], bad)


VALUES = st.one_of(
    PLAIN.map(CODEC.encode), TICKS.map(CODEC.encode), TICKS.map(lambda tick: CODEC.encode(tick, "json")), damaged()
)


def by_hand(values: Sequence[bytes | None]) -> tuple[list[str], list[int], list[tuple[int, str]]]:
    """Record by record, as fastavro reads them; `repr` tells -0.0 from 0.0."""
    decoded = CODEC.decode_many(values)
    return [repr(tick) for tick in decoded.records], decoded.rows, decoded.rejected


@settings(max_examples=150, deadline=None)
@given(st.lists(VALUES, max_size=8), st.integers(0, ENOUGH), st.booleans())
@example([GOOD + b"\0", GOOD[1:]], 20, True)
@example([b"\0\0\0\0\x01" + b"\xff" * 300, None, b"\0" * 2_000_000], 20, True)
def test_columns_hold_what_record_by_record_decoding_gives(
    some: list[bytes | None], place: int, trade_ids: bool
) -> None:
    values: list[bytes | None] = [GOOD] * ENOUGH
    values[place:place] = some
    decoded = CODEC.decode_columns(values, TickInterners(), trade_ids=trade_ids)
    records, rows, rejected = by_hand(values)
    if trade_ids:
        assert [repr(tick) for tick in decoded.columns.to_ticks()] == records
    else:
        assert decoded.columns.trade_id is None
        assert len(decoded.columns) == len(records)
    assert decoded.rows.tolist() == rows
    assert decoded.rejected == rejected


@settings(deadline=None)
@given(st.lists(TICKS | PLAIN, max_size=20))
def test_columns_are_written_as_records_are(ticks: list[Tick]) -> None:
    for batch in (ticks, [TICK] * ENOUGH + ticks):
        columns = TickColumns.of(batch, TickInterners())
        assert [repr(tick) for tick in columns.to_ticks()] == [repr(tick) for tick in batch]
        assert CODEC.encode_columns(columns) == CODEC.encode_many(batch)
        assert CODEC.encode_columns(columns, "json") == CODEC.encode_many(batch, "json")


@given(st.lists(st.integers(1, 2**63 - 1), min_size=1, max_size=6))
@example([(1 << bits) + off for bits in range(1, 63) for off in (-1, 0, 1)])
def test_integers_of_any_length_are_read(numbers: list[int]) -> None:
    ticks = [
        dataclasses.replace(TICK, ts_event=number, ts_ingest=-number, seq=number)
        for number in (numbers[row % len(numbers)] for row in range(max(ENOUGH, len(numbers))))
    ]
    values = CODEC.encode_many(ticks)
    assert CODEC.decode_columns(values, TickInterners(), trade_ids=True).columns.to_ticks() == ticks


def test_codes_are_the_same_in_every_batch() -> None:
    interners = TickInterners()
    first = [dataclasses.replace(TICK, symbol=f"S{index % 7}") for index in range(ENOUGH)]
    second = [dataclasses.replace(TICK, symbol=f"S{index % 9}", venue=None) for index in reversed(range(ENOUGH))]
    for ticks in (first, second, second[:3], first):
        columns = CODEC.decode_columns(CODEC.encode_many(ticks), interners).columns
        assert columns.symbol.to_list() == [tick.symbol for tick in ticks]
        assert columns.symbol.codes.tolist() == [interners.symbols.code(tick.symbol) for tick in ticks]
        assert columns.venue.codes.tolist() == [-1 if tick.venue is None else 0 for tick in ticks]


def test_interners_of_different_topics_do_not_mix() -> None:
    values = CODEC.encode_many([TICK] * ENOUGH)
    other = TickInterners(symbols=Interner(["AAPL", "SPY"]))
    assert CODEC.decode_columns(values, TickInterners()).columns.symbol.codes[0] == 0
    assert CODEC.decode_columns(values, other).columns.symbol.codes[0] == 1


def test_very_many_symbols_are_told_apart() -> None:
    names = [f"SYMBOL-{index:06d}-{'x' * (index % 40)}" for index in range(20_000)]
    ticks = [dataclasses.replace(TICK, symbol=name) for name in names]
    interners = TickInterners()
    values = CODEC.encode_columns(TickColumns.of(ticks, TickInterners()))
    for _ in range(2):
        assert CODEC.decode_columns(values, interners).columns.symbol.to_list() == names


@pytest.mark.parametrize("batch", [3, 60])
def test_a_full_interner_rejects_new_texts_and_takes_known_ones(batch: int) -> None:
    ticks = [dataclasses.replace(TICK, symbol=f"S{index % 3}") for index in range(batch)]
    decoded = CODEC.decode_columns(CODEC.encode_many(ticks), TickInterners(symbols=Interner(["S0", "S1"], limit=2)))
    assert set(decoded.columns.symbol.to_list()) == {"S0", "S1"}
    assert [row for row, _ in decoded.rejected] == list(range(2, batch, 3))
    assert decoded.rejected[0][1] == "more than 2 distinct texts in one column, the next was 'S2'"


def test_a_batch_of_several_chunks_keeps_order_and_rows() -> None:
    count = 40_000
    ticks = [dataclasses.replace(TICK, seq=index + 1) for index in range(count)]
    values: list[bytes | None] = list(CODEC.encode_columns(TickColumns.of(ticks, TickInterners())))
    bad = [5, 16_384, 39_999]
    for row in bad:
        values[row] = None
    decoded = CODEC.decode_columns(values, TickInterners(), trade_ids=True)
    assert [row for row, _ in decoded.rejected] == bad
    assert decoded.rows.tolist() == sorted(set(range(count)) - set(bad))
    assert (decoded.columns.seq == decoded.rows + 1).all()


def test_nothing_decodes_to_nothing() -> None:
    decoded = CODEC.decode_columns([], TickInterners())
    assert (len(decoded.columns), decoded.rows.tolist(), decoded.rejected) == (0, [], [])
    assert CODEC.encode_columns(decoded.columns) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": float("nan")}, "price must be positive and finite, was nan"),
        ({"volume": -1.0}, "volume must be finite and not negative, was -1.0"),
        ({"seq": 0}, "seq must be at least 1, was 0"),
        ({"flags": 2**31}, "flags must fit in 32 bits, was 2147483648"),
        ({"symbol": ""}, "symbol must not be empty"),
        ({"venue": "x" * 257}, "venue must be at most 256 bytes long, was 257"),
        ({"trade_id": "x" * 257}, "trade_id must be at most 256 bytes long, was 257"),
        ({"trade_id": "é" * 129}, "trade_id must be at most 256 bytes long, was 258"),
    ],
)
def test_columns_that_break_a_rule_are_not_written(change: dict[str, object], reason: str) -> None:
    bad = dataclasses.replace(TICK, **change)  # type: ignore[arg-type] # wrong on purpose
    for ticks in ([TICK, bad], [TICK] * ENOUGH + [bad, TICK]):
        with pytest.raises(BadRecordError, match=reason):
            CODEC.encode_columns(TickColumns.of(ticks, TickInterners()))


def test_a_trade_without_a_symbol_is_not_written() -> None:
    columns = TickColumns.of([TICK] * ENOUGH, TickInterners())
    columns.symbol.codes[-1] = -1
    with pytest.raises(BadRecordError, match="symbol must be a text, was None"):
        CODEC.encode_columns(columns)


def test_padding_is_no_part_of_a_text() -> None:
    texts = ["A", "A\0", "A\0\0", "\0", "A\0B"]
    ticks = [dataclasses.replace(TICK, symbol=texts[index % len(texts)]) for index in range(ENOUGH)]
    columns = CODEC.decode_columns(CODEC.encode_many(ticks), TickInterners()).columns
    assert columns.symbol.to_list() == [tick.symbol for tick in ticks]
    assert np.unique(columns.symbol.codes).size == len(texts)


def test_the_codec_of_ticks_is_the_columnar_one() -> None:
    assert isinstance(CODEC, TickCodec)
