from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from tickstream.alerting.figures import Figures
from tickstream.alerting.watched_file import Hangups, WatchedFile
from tickstream.core.errors import TickstreamError


def read(path: Path) -> str:
    try:
        text = path.read_text()
    except OSError:
        raise TickstreamError(f"{path} can't be read") from None
    if "wrong" in text:
        raise TickstreamError(f"{path} is wrong")
    return text


class Watched:
    def __init__(self, path: Path) -> None:
        self.registry = CollectorRegistry()
        self.hangups = Hangups()
        self.path = path
        self.file = WatchedFile(path, read, self.hangups, Figures(self.registry))

    def in_force(self) -> float | None:
        return self.registry.get_sample_value("alerting_file_in_force", {"path": str(self.path)})


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    path = tmp_path / "file"
    path.write_text("one")
    return Watched(path)


def test_a_file_is_read_again_when_it_has_changed(watched: Watched) -> None:
    assert (watched.file.look(), watched.file.content) == (False, "one")
    watched.path.write_text("two, longer")
    assert (watched.file.look(), watched.file.content) == (True, "two, longer")
    assert not watched.file.look()


def test_what_is_refused_leaves_in_force_what_was_before_and_says_so(watched: Watched) -> None:
    watched.path.write_text("wrong")
    assert (watched.file.look(), watched.file.content, watched.in_force()) == (False, "one", 0)
    watched.path.unlink()
    assert (watched.file.look(), watched.file.content, watched.in_force()) == (False, "one", 0)
    watched.path.write_text("right")
    assert (watched.file.look(), watched.file.content, watched.in_force()) == (True, "right", 1)


def test_a_hangup_reads_it_though_it_is_the_same(watched: Watched) -> None:
    watched.hangups.count += 1
    assert watched.file.look()
    assert not watched.file.look()


def test_another_file_in_its_place_is_noticed(watched: Watched, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("two")
    other.replace(watched.path)
    assert (watched.file.look(), watched.file.content) == (True, "two")
