"""Groups of symbols, as a YAML file has them: the group's name, and the list of its symbols."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from tickstream.core.scopes import GROUP_NAME_RULE, is_group_name

_MOST: Final = 200


def read_groups(path: Path) -> Mapping[str, frozenset[str]]:
    """The groups of a file.

    Raises:
        ValueError: it can't be read, or has something else.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"must be a readable YAML file: {error}") from None
    if not isinstance(found, dict) or not 0 < len(found) <= _MOST:
        raise ValueError(f"must hold 1 to {_MOST} groups, each a name with a list of symbols")
    return {_name(name): _symbols(name, symbols) for name, symbols in found.items()}


def _name(name: object) -> str:
    if not isinstance(name, str) or not is_group_name(name):
        raise ValueError(f"must have groups named by {GROUP_NAME_RULE}, and has {name!r}")
    return name


def _symbols(name: str, symbols: object) -> frozenset[str]:
    if not isinstance(symbols, list) or not symbols:
        raise ValueError(f"must have a list of symbols for the group {name!r}, and has {symbols!r}")
    for symbol in symbols:
        if not isinstance(symbol, str) or not symbol:
            raise ValueError(f"must have symbols in the group {name!r}, quoted like 'ON', and has {symbol!r}")
    return frozenset(symbols)
