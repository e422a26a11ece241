"""How things are called: symbols, and the sources of recordings."""

from __future__ import annotations

import re
from typing import Final

SYMBOL: Final = r"[A-Z0-9][A-Z0-9._:/^=+-]{0,31}"
"""What a symbol looks like, as a regular expression."""

_SYMBOL: Final = re.compile(SYMBOL)
_OTHER: Final = re.compile(r"[^a-z0-9]+")


def is_symbol(text: str) -> bool:
    """Whether a text can be a symbol: upper-case letters, digits and a few signs, 32 at the most."""
    return _SYMBOL.fullmatch(text) is not None


def source_of(*words: str) -> str:
    """The source of a recording that is known by `words`, such as a file's stem.

    The same words give the same source, wherever the file lies and whatever part of it is replayed.
    """
    return "-".join(["replay", *(_OTHER.sub("-", word.lower()).strip("-") for word in words)])
