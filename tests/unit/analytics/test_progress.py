from __future__ import annotations

from tickstream.analytics.adapters.checkpoints import Checkpoint
from tickstream.analytics.progress import OpenBar, Progress

PARTITION = ("bars", 0)


def reading(end: int = 100, checkpoint: Checkpoint | None = None) -> Progress:
    progress = Progress()
    found = {PARTITION: checkpoint} if checkpoint is not None else {}
    begin = checkpoint.begin if checkpoint is not None else 0
    assert progress.come(found, {PARTITION: end}) == {PARTITION: begin}
    return progress


def test_a_restart_begins_with_the_first_kept_day_and_counts_up_to_the_first_open_bar() -> None:
    progress = reading()
    for offset, day in ((3, 1), (5, 2), (8, 2)):
        progress.taken(PARTITION, OpenBar(offset, offset * 10, day), counted=False)
        progress.reached(PARTITION, offset + 1)
    assert progress.checkpoints() == {PARTITION: Checkpoint(3, 3)}
    progress.given(50)
    assert progress.checkpoints() == {PARTITION: Checkpoint(3, 8)}
    progress.forgotten([1])
    progress.given(80)
    assert progress.checkpoints() == {PARTITION: Checkpoint(5, 9)}


def test_what_was_counted_stays_counted_while_it_is_read_again() -> None:
    progress = reading(checkpoint=Checkpoint(3, 8))
    assert [progress.is_counted(PARTITION, offset) for offset in (3, 7, 8)] == [True, True, False]
    progress.taken(PARTITION, OpenBar(3, 30, 1), counted=True)
    progress.reached(PARTITION, 4)
    assert progress.checkpoints() == {PARTITION: Checkpoint(3, 8)}


def test_it_is_behind_until_every_end_as_it_was_has_been_reached() -> None:
    progress = reading(end=100)
    assert progress.is_behind
    progress.reached(PARTITION, 99)
    assert progress.is_behind
    progress.reached(PARTITION, 100)
    assert not progress.is_behind


def test_a_partition_that_has_gone_has_no_checkpoint() -> None:
    progress = reading()
    progress.go([PARTITION])
    progress.reached(PARTITION, 5)
    progress.taken(PARTITION, OpenBar(4, 40, 1), counted=False)
    assert progress.checkpoints() == {}
    assert not progress.is_counted(PARTITION, 0)
