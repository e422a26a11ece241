from __future__ import annotations

from typing import cast

from tickstream.core.kafka import Consumer
from tickstream.core.runner import Progress


class _Ends:
    def get_watermark_offsets(self, *_args: object, **_options: object) -> tuple[int, int]:
        return 0, 10


def test_a_log_that_ends_in_a_transactions_marker_is_caught_up_with() -> None:
    progress = Progress()
    progress.start([("bars", 0)])
    progress.learn_ends(cast("Consumer", _Ends()))
    progress.reached(("bars", 0), 10)
    progress.reached(("bars", 0), 9)
    assert progress.caught_up()
