"""The versions of rules in PostgreSQL: what was changed, by whom and when, and how a rule becomes what it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

ACT: Final = "SELECT set_config('tickstream.actor', %(by)s, true)"
"""Says for the rest of a transaction who it is that changes rules."""
VERSIONS: Final = "SELECT * FROM alert_rule_versions WHERE rule_id = %(id)s ORDER BY version DESC"
VERSION: Final = "SELECT rule FROM alert_rule_versions WHERE rule_id = %(id)s AND version = %(version)s"
BY_FILE: Final = "the rules file"

_BY_API: Final = "the API"


def changed_by(actor: str | None) -> str:
    """Who is written down: the percent-encoded name of whose key it was, where that is known."""
    return unquote(actor or "").strip()[:200] or _BY_API


def version_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """A version as clients get it."""
    return {
        "version": row["version"],
        "change": row["change"],
        "by": row["changed_by"],
        "at": row["changed_at"].isoformat(),
        "rule": row["rule"],
    }
