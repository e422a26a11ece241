from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tickstream.cli.stack.errors import ChecksumError
from tickstream.cli.stack.jars import Jar, JarLock, place


@pytest.mark.parametrize("program", ["kafka", "registry"])
def test_lock_files_pin_every_jar_by_its_sha256(program: str) -> None:
    lock = JarLock.load(program)
    assert lock.jars
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in lock.jars)
    assert len({jar.filename for jar in lock.jars}) == len(lock.jars)
    assert lock.jars[0].version in lock.name


def test_a_jar_that_is_not_the_locked_one_is_refused(tmp_path: Path) -> None:
    fetched = tmp_path / "fetched.jar"
    fetched.write_bytes(b"tampered with")
    jar = Jar(hashlib.sha256(b"as published").hexdigest(), "org.example", "thing", "1.0")
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(ChecksumError, match=r"org.example:thing:1.0 must have SHA-256"):
        place(jar, fetched, target)
    assert list(target.iterdir()) == []


def test_the_locked_jar_is_put_in_place(tmp_path: Path) -> None:
    fetched = tmp_path / "fetched.jar"
    fetched.write_bytes(b"as published")
    place(Jar(hashlib.sha256(b"as published").hexdigest(), "org.example", "thing", "1.0"), fetched, tmp_path)
    assert (tmp_path / "thing-1.0.jar").read_bytes() == b"as published"


def test_packaging_and_classifier_are_part_of_the_coordinates() -> None:
    jar = Jar.parse("00ff  io.example:app:3.3.3:tar.gz:all")
    assert (jar.group, jar.packaging, jar.classifier) == ("io.example", "tar.gz", "all")
    assert jar.filename == "app-3.3.3-all.tar.gz"
