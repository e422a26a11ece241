"""Rules written in a YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tickstream.alerting.spec import InvalidRuleError, Problem, RuleSpec, parse


def read_rules(path: Path) -> list[RuleSpec]:
    """The rules under the file's key `rules`, each as the API takes it.

    Raises:
        InvalidRuleError: with everything that is wrong in the file.
    """
    try:
        held: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRuleError([Problem("", f"{path} can't be read: {error.strerror}")]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidRuleError([Problem("", f"{path} isn't YAML: {' '.join(str(error).split())}")]) from None
    if not isinstance(held, dict) or set(held) != {"rules"} or not isinstance(held["rules"], list):
        raise InvalidRuleError([Problem("", f"{path} must hold one key, rules, with a list")])
    specs: list[RuleSpec] = []
    problems: list[Problem] = []
    for number, given in enumerate(held["rules"]):
        try:
            specs.append(parse(given))
        except InvalidRuleError as error:
            problems += [Problem(f"/rules/{number}{problem.pointer}", problem.detail) for problem in error.problems]
    names = [spec.name for spec in specs]
    problems += [
        Problem("/rules", f"two rules are named {name!r}") for name in {n for n in names if names.count(n) > 1}
    ]
    if problems:
        raise InvalidRuleError(problems)
    return specs
