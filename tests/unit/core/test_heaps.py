"""How many heaps the C library spreads over, by its own account."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, sys, threading
from tickstream.core.service import share_heaps
if sys.argv[2] == "shared":
    share_heaps()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.fopen.restype = ctypes.c_void_p
together = threading.Barrier(16)
def use():
    together.wait()
    libc.malloc(1000)
    together.wait()
threads = [threading.Thread(target=use) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
print(open(sys.argv[1]).read().count("<heap nr="))
"""


@pytest.mark.parametrize(("how", "most"), [("shared", 2), ("as it comes", 100)])
def test_threads_share_two_heaps(how: str, most: int, tmp_path: object) -> None:
    command = [sys.executable, "-c", PROGRAM, f"{tmp_path}/heaps", how]
    heaps = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert heaps <= most
    assert how == "shared" or heaps > 2
