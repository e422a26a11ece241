"""Who is told of alerts, written in a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tickstream.alerting.adapters.apprise_channel import missing_apprise
from tickstream.alerting.adapters.problems import problems_of
from tickstream.alerting.adapters.templates import TemplateFaultError, Templates
from tickstream.alerting.routing_spec import RoutingSpec, environment_of
from tickstream.alerting.spec import Problem
from tickstream.core.errors import TickstreamError


class InvalidRoutingError(TickstreamError):
    """Everything that is wrong with the file, each with its line and its place (RFC 6901)."""


def read_routing(path: Path, environment: Mapping[str, str]) -> RoutingSpec:
    """What the file says, with secrets from the environment and from files in it.

    Raises:
        InvalidRoutingError: with everything that is wrong in the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
        held: Any = yaml.safe_load(text)
    except OSError as error:
        raise InvalidRoutingError(f"{path} can't be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRoutingError(f"{path} isn't YAML: {' '.join(str(error).split())}") from None
    try:
        spec = RoutingSpec.model_validate(held, context=environment_of(environment))
    except ValidationError as error:
        problems = problems_of(error)
    else:
        problems = [*spec.problems(), *_unusable(spec)]
        if not problems:
            return spec
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    said = [f"line {_line(root, each.pointer)}, {each.pointer or '/'}: {each.detail}" for each in problems]
    raise InvalidRoutingError("; ".join(said))


def _unusable(spec: RoutingSpec) -> list[Problem]:
    """What is wrong with templates, and with what isn't installed."""
    problems = []
    for number, receiver in enumerate(spec.receivers):
        try:
            Templates(receiver.title, receiver.text)
        except TemplateFaultError as error:
            problems.append(Problem(f"/receivers/{number}", str(error)))
        lacking = missing_apprise(receiver.apprise) if receiver.apprise else ""
        if lacking:
            problems.append(Problem(f"/receivers/{number}/apprise", lacking))
    return problems


def _line(node: yaml.Node | None, pointer: str) -> int:
    """The line of a place, or of the innermost that is there."""
    line = node.start_mark.line if node else 0
    for part in pointer.split("/")[1:]:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line
        else:
            break
    return line + 1
