from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tickstream.processor.sink.refusals import PartRefusedError, write_in_parts

batches = st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1))))


class Picky:
    """A store that takes a part wholly or not at all, and doesn't like some rows."""

    def __init__(self, bad: set[int], *, says_wholly: bool = False) -> None:
        self.bad = bad
        self.says_wholly = says_wholly
        self.taken: set[int] = set()
        self.tries = 0

    def write(self, first: int, last: int) -> None:
        self.tries += 1
        part = set(range(first, last))
        if part & self.bad:
            raise PartRefusedError("bad", wholly=self.says_wholly and part <= self.bad)
        self.taken |= part


@given(batches)
def test_just_the_bad_rows_are_refused_and_the_rest_is_written(batch: tuple[int, set[int]]) -> None:
    rows, bad = batch
    store = Picky(bad)
    refused = write_in_parts(rows, store.write)
    assert [row for row, _reason in refused] == sorted(bad)
    assert store.taken == set(range(rows)) - bad


@given(batches, st.integers(1, 40))
def test_the_work_is_bounded_and_every_row_is_either_written_or_refused(
    batch: tuple[int, set[int]], limit: int
) -> None:
    rows, bad = batch
    store = Picky(bad)
    refused = {row for row, _reason in write_in_parts(rows, store.write, limit)}
    assert store.tries <= limit + rows.bit_length() + 1
    assert bad <= refused
    assert refused | store.taken == set(range(rows))
    assert not refused & store.taken


def test_a_part_that_is_bad_throughout_is_not_divided() -> None:
    store = Picky(set(range(1000)), says_wholly=True)
    assert len(write_in_parts(1000, store.write)) == 1000
    assert store.tries == 1


def test_nothing_is_written_for_an_empty_batch() -> None:
    store = Picky(set())
    assert write_in_parts(0, store.write) == []
    assert store.tries == 0
