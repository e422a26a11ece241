from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tickstream.core.columns import Interner, Strings, nulls
from tickstream.producer.domain.chunks import unsent
from tickstream.producer.domain.counting import SeqCounter

SYMBOLS = Interner("ABCDE")


@given(st.lists(st.lists(st.integers(0, 4), max_size=20), max_size=8))
def test_each_symbol_is_counted_from_one_across_batches(batches: list[list[int]]) -> None:
    counter, counts = SeqCounter(), Counter[int]()
    for batch in batches:
        ones = np.ones(len(batch))
        codes = Strings(np.array(batch, dtype=np.int32), SYMBOLS.values)
        seq = counter.number(unsent(codes, ones, ones, ones.astype(np.int64), nulls(len(batch)))).seq
        for code, number in zip(batch, seq.tolist(), strict=True):
            counts[code] += 1
            assert number == counts[code]
