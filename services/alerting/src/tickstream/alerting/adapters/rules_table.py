"""The rules in PostgreSQL: the statements that the loop and the API share."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from psycopg.types.json import Jsonb

from tickstream.alerting.spec import RuleSpec, StoredRule, parse

_FIELDS: Final = (
    "name", "kind", "symbols", "parameters", "severity", "labels", "for_seconds", "cooldown_seconds",
    "keep_firing_for_seconds", "schedule", "enabled",
)  # fmt: skip
_GIVEN: Final = ", ".join(_FIELDS)
_VALUES: Final = ", ".join(f"%({field})s" for field in _FIELDS)
_COLUMNS: Final = f"id, {_GIVEN}, version, created_at, updated_at"


def _prefixed(table: str) -> str:
    return ", ".join(f"{table}.{field}" for field in _FIELDS)


ALL: Final = f"SELECT {_COLUMNS} FROM alert_rules ORDER BY name"  # noqa: S608 - constants
ENABLED: Final = f"SELECT {_COLUMNS} FROM alert_rules WHERE enabled ORDER BY name"  # noqa: S608 - constants
ONE: Final = f"SELECT {_COLUMNS} FROM alert_rules WHERE id = %(id)s"  # noqa: S608 - constants
INSERT: Final = f"INSERT INTO alert_rules ({_GIVEN}) VALUES ({_VALUES}) RETURNING {_COLUMNS}"  # noqa: S608 - constants
UPDATE: Final = f"""
    UPDATE alert_rules SET ({_GIVEN}) = ROW ({_VALUES}) WHERE id = %(id)s RETURNING {_COLUMNS}"""  # noqa: S608 - constants
DELETE: Final = "DELETE FROM alert_rules WHERE id = %(id)s"
UPSERT: Final = f"""
    INSERT INTO alert_rules AS old (id, {_GIVEN}) VALUES (%(id)s, {_VALUES})
    ON CONFLICT (name) DO UPDATE SET ({_GIVEN}) = ROW ({_VALUES})
    WHERE ({_prefixed("old")}) IS DISTINCT FROM ({_prefixed("excluded")})"""  # noqa: S608 - constants
RESTORE: Final = f"""
    INSERT INTO alert_rules (id, {_GIVEN}) VALUES (%(id)s, {_VALUES})
    ON CONFLICT (id) DO UPDATE SET ({_GIVEN}) = ROW ({_VALUES}) RETURNING {_COLUMNS}"""  # noqa: S608 - constants
REVISION: Final = "SELECT revision FROM alert_rules_revision"

_NAMED: Final = uuid.UUID("1d0a7c0e-52b4-5c43-8f0f-0d8a55a0e2b7")


def parameters_of(spec: RuleSpec) -> dict[str, Any]:
    """What the statements take for a rule."""
    values = spec.model_dump(mode="json")
    for field in ("parameters", "labels", "schedule"):
        values[field] = None if values[field] is None else Jsonb(values[field])
    return values


def id_by_name(name: str) -> uuid.UUID:
    """The id that a rule of a file gets: the same in every installation."""
    return uuid.uuid5(_NAMED, name)


def stored_rule(row: Mapping[str, Any]) -> StoredRule:
    """The rule of a row.

    Raises:
        InvalidRuleError: the row was written by hand, and isn't a rule.
    """
    spec = parse({field: row[field] for field in _FIELDS})
    return StoredRule(row["id"], spec, row["version"], row["created_at"], row["updated_at"])
