from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tickstream.core.columns import Interner, Strings, nulls
from tickstream.core.partition import partition_for
from tickstream.producer.domain.chunks import Chunk, unsent
from tickstream.producer.domain.selection import Selection, Share

NAMES = ("AIG", "BAC", "SPY", "AAPL", "MSFT", "TSLA")
SYMBOLS = Interner(NAMES)


def chunks(count: int, step: int = 10) -> Iterator[Chunk]:
    """Trades at 0, 1, 2 … of the symbols in turn."""
    for start in range(0, count, step):
        ts = np.arange(start, min(count, start + step), dtype=np.int64)
        codes = Strings((ts % len(NAMES)).astype(np.int32), SYMBOLS.values)
        columns = unsent(codes, np.ones(len(ts)), np.ones(len(ts)), ts, nulls(len(ts)))
        yield Chunk(columns, ts, int(ts[-1]) + 1)


def times(selection: Selection, count: int = 100) -> list[int]:
    return [time for chunk in selection.of(chunks(count)) for time in chunk.columns.ts_event.tolist()]


def test_a_time_range_has_its_start_and_not_its_end() -> None:
    selection = Selection(Share(), (), 15, 42, None)
    assert times(selection) == list(range(15, 42))
    assert selection.cut


def test_a_recording_that_ends_within_the_range_is_not_cut() -> None:
    selection = Selection(Share(), (), None, 1000, None)
    assert times(selection) == list(range(100))
    assert not selection.cut


def test_a_count_ends_in_the_middle_of_a_chunk_and_says_until_where() -> None:
    selection = Selection(Share(), (), None, None, 25)
    found = list(selection.of(chunks(100)))
    assert sum(map(len, found)) == 25
    assert (found[-1].until, selection.cut, selection.left) == (25, True, 0)


def test_behind_the_range_nothing_is_waited_for_and_it_is_known_to_be_complete() -> None:
    selection = Selection(Share(), (), None, 42, None)
    found = list(selection.of(chunks(100)))
    assert found[-1].until == 41
    assert selection.until == 42


def test_symbols_can_be_changed_on_the_way() -> None:
    selection = Selection(Share(), ("SPY",), None, None, None)
    seen: list[set[str | None]] = []
    for chunk in selection.of(chunks(24, 12)):
        seen.append(set(chunk.columns.symbol.to_list()))
        selection.want(("AIG", "BAC"))
    assert seen == [{"SPY"}, {"AIG", "BAC"}]


def test_replicas_share_every_symbol_and_each_is_one_replicas_alone() -> None:
    shares = [Share(replica, 3, 6) for replica in range(3)]
    for symbol in [f"S{number}" for number in range(200)]:
        holders = [share.replica for share in shares if share.holds(symbol)]
        assert holders == [partition_for(symbol, 6) % 3]
