"""Writes what rules may say, as JSON Schema, to where the dashboard's stand-in and its tests have it from.

uv run python tools/rule_schema.py
"""

from __future__ import annotations

import json
from pathlib import Path

from tickstream.alerting.spec import schema

_PATH = Path(__file__).resolve().parent.parent / "dashboard" / "dev" / "rule.schema.json"

if __name__ == "__main__":
    _PATH.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")
