"""Work on a thread of its own, which never dies unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tickstream.core.service import Stop


@contextmanager
def beside(name: str, work: Callable[[Stop], None], stop: Stop) -> Iterator[None]:
    """Let `work` run beside the block, and end after it.

    Raises:
        Exception: whatever it couldn't go on after; it has ended the service then.
    """
    failures: list[Exception] = []

    def run() -> None:
        try:
            work(stop)
        except Exception as error:  # noqa: BLE001 - raised below; a thread's own death would go unseen
            failures.append(error)
            stop.set()

    thread = threading.Thread(target=run, name=name)
    thread.start()
    try:
        yield
    except BaseException:
        stop.set()
        raise
    finally:
        thread.join()
    if failures:
        raise failures[0]
