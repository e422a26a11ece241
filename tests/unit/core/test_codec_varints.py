from __future__ import annotations

import io

import fastavro
import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tickstream.core.codec import varints

EDGES = sorted({sign * (1 << bits) + off for bits in range(63) for sign in (1, -1) for off in (-1, 0, 1)})
INT64 = st.integers(-(2**63), 2**63 - 1)


def written(value: int) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, {"type": "long"}, value)
    return out.getvalue()


@given(st.lists(INT64 | st.sampled_from(EDGES), min_size=1))
@example([*EDGES, -(2**63), 2**63 - 1])
def test_varints_are_those_of_fastavro(values: list[int]) -> None:
    unsigned = varints.zigzag(np.array(values, dtype=np.int64))
    sizes = varints.sizes(unsigned)
    first, last = varints.spread(unsigned, sizes)
    made = [
        (int(low).to_bytes(8, "little") + int(high).to_bytes(8, "little"))[:size]
        for low, high, size in zip(first, last, sizes.tolist(), strict=True)
    ]
    assert made == [written(value) for value in values]
    assert varints.unzigzag(unsigned).tolist() == values


@given(st.lists(st.integers(-(2**55), 2**55 - 1), min_size=1), st.binary(min_size=8, max_size=8))
def test_a_varint_within_a_word_is_read_whatever_follows(values: list[int], after: bytes) -> None:
    words = np.array([int.from_bytes((written(value) + after)[:8], "little") for value in values], dtype=np.uint64)
    unsigned, sizes = varints.gather(words)
    assert varints.unzigzag(unsigned).tolist() == values
    assert sizes.tolist() == [len(written(value)) for value in values]


def test_a_varint_beyond_a_word_takes_nine_bytes_or_more() -> None:
    _, sizes = varints.gather(np.array([2**64 - 1], dtype=np.uint64))
    assert sizes.tolist() == [9]
