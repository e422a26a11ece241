"""Writes the tables of settings in docs/settings.md from the services' own classes.

Usage: python tools/settings_reference.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tickstream.alerting.settings import AlertingSettings
from tickstream.analytics.settings import AnalyticsSettings
from tickstream.core.settings import ServiceSettings, plain_name
from tickstream.processor.settings import ProcessorSettings
from tickstream.producer.settings import ProducerSettings
from tickstream.ws_bridge.settings import WsBridgeSettings

TARGET = Path(__file__).parents[1] / "docs" / "settings.md"
SERVICES: dict[str, type[ServiceSettings]] = {
    "PRODUCER": ProducerSettings,
    "PROCESSOR": ProcessorSettings,
    "ANALYTICS": AnalyticsSettings,
    "ALERTING": AlertingSettings,
    "WS_BRIDGE": WsBridgeSettings,
}
HEAD = """# Settings

Made by `python tools/settings_reference.py` from the services' classes.

A setting comes from a flag (`--log-level`), else from the variable with the service's name in front
(`PRODUCER_LOG_LEVEL`), else, where the table has the bare name, from that (`LOG_LEVEL`). `NAME_FILE` names a file that
holds the value, for secrets. All are checked together at the start; a service with a bad setting names every one of
them and ends with 2.
"""


def main(arguments: list[str]) -> int:
    text = HEAD + "".join(_sections())
    if "--check" in arguments:
        return 0 if TARGET.read_text(encoding="utf-8") == text else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


def _sections() -> list[str]:
    sections = ["\n## What every service takes\n\n", _table(ServiceSettings, "", set())]
    for name, settings in SERVICES.items():
        sections += [
            f"\n## tickstream-{name.lower().replace('_', '-')}\n\n",
            _table(settings, name, _own(ServiceSettings)),
        ]
    return sections


def _own(settings: type[BaseModel]) -> set[str]:
    return set(settings.model_fields)


def _table(settings: type[BaseModel], service: str, left_out: set[str]) -> str:
    shared: frozenset[str] = getattr(settings, "shared_names", frozenset())
    lines = ["| variable | default | meaning |\n|---|---|---|\n"]
    for name, field in settings.model_fields.items():
        if name in left_out:
            continue
        upper = plain_name(name).upper()
        variable = upper if not service or name in shared else f"{service}_{upper}"
        lines.append(f"| `{variable}` | {_default(field)} | {_meaning(field)} |\n")
    return "".join(lines)


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=False)
    if value is PydanticUndefined:
        return "must be given"
    if value is None or value in ((), ""):
        return "-"
    if isinstance(value, Path):
        return "in the package"
    if isinstance(value, SecretStr):
        return "(a secret)"
    if isinstance(value, tuple):
        value = ",".join(str(part) for part in value)
    return f"`{value}`"


def _meaning(field: FieldInfo) -> str:
    options = _options(field.annotation)
    words = [field.description or "", f"one of {', '.join(options)}" if options else ""]
    return "; ".join(word for word in words if word).replace("|", "\\|")


def _options(annotation: object) -> list[str]:
    parts = get_args(annotation)
    return [part for part in parts if isinstance(part, str)] or [name for part in parts for name in _options(part)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
