"""What figures are about: the whole market, a group of symbols, or else a symbol by its name."""

from __future__ import annotations

import re
from typing import Final

MARKET: Final = "market"
"""The scope of figures of the whole market."""
GROUP: Final = "group:"
"""Before a group's name, the scope of its figures."""
GROUP_NAME_RULE: Final = "letters, digits, blanks and . & / - _, 1 to 58 bytes of UTF-8"
"""What a group's name has to be, in words: with what stands before it, it is a key of 64 bytes at most."""

_NAME: Final = re.compile(r"\w[\w .&/-]*\w|\w")
_MOST_BYTES: Final = 64 - len(GROUP)


def is_group_name(name: str) -> bool:
    """Whether a group may be called so."""
    return _NAME.fullmatch(name) is not None and len(name.encode()) <= _MOST_BYTES
