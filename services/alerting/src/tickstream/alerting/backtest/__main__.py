"""Runs rules over what lies on the topics: `python -m tickstream.alerting.backtest`, as `tickstream alerts` does."""

from __future__ import annotations

import argparse
import os
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tickstream.alerting.adapters.rules_file import read_rules
from tickstream.alerting.backtest.explain import explain
from tickstream.alerting.backtest.log import Recorded
from tickstream.alerting.backtest.run import backtest
from tickstream.alerting.backtest.show import show_explanation, show_transitions
from tickstream.alerting.domain.lane import Lane
from tickstream.alerting.domain.rule import ByExpression, Rule, RuleBook
from tickstream.alerting.spec import InvalidRuleError, RuleSpec, StoredRule, parse
from tickstream.core.clock import SystemClock, event_time
from tickstream.core.codec import Codecs
from tickstream.core.errors import FatalError, SettingsError, TickstreamError
from tickstream.core.kafka import Kafka
from tickstream.core.settings import KafkaSettings, load

_FILES: Final = (".yaml", ".yml")
_END: Final = 2**63 - 1
_NAMED: Final = uuid.UUID("5a1ed2b8-51ab-5a0b-9f0c-4b1d1be2fa90")


def specs_of(given: str) -> list[RuleSpec]:
    """The rules of a YAML file, or the one that an expression says.

    Raises:
        InvalidRuleError: with everything that is wrong.
    """
    if given.endswith(_FILES):
        return read_rules(Path(given))
    return [parse({"name": "rule", "kind": "expression", "parameters": {"when": given}})]


def _rules(given: str, symbols: Sequence[str]) -> list[Rule]:
    chosen = {"symbols": tuple(symbols)} if symbols else {}
    found = []
    for spec in specs_of(given):
        when: Any = None
        stored = StoredRule(uuid.uuid5(_NAMED, spec.name), spec.model_copy(update=chosen), 1, when, when)
        found.append(stored.rule())
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tickstream alerts", description=__doc__)
    parser.add_argument("command", choices=["test", "explain"])
    parser.add_argument("rule", help="an expression, or a YAML file of rules")
    parser.add_argument("--from", dest="since", default="beginning", metavar="beginning|TIME")
    parser.add_argument("--to", dest="until", metavar="TIME")
    parser.add_argument("--symbols", default="", metavar="A,B")
    parser.add_argument("--calendar", default="XNYS")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _run(given: argparse.Namespace) -> None:
    since = 0 if given.since == "beginning" else event_time(given.since)
    until = _END if given.until is None else event_time(given.until)
    symbols = [symbol for symbol in given.symbols.split(",") if symbol]
    rules = _rules(given.rule, symbols)
    settings = load(KafkaSettings, "ALERTING", [], os.environ)
    recorded = Recorded(Kafka(settings), Codecs.from_settings(settings), SystemClock(), given.calendar)
    lane, book = Lane(), RuleBook(rules)
    lane.install(book)
    rows = recorded.rows(lane, until)
    if given.command == "test":
        on_ticks = any(not isinstance(rule.condition, ByExpression) for rule in rules)
        ticks, feeds = (recorded.ticks(until), recorded.feeds(until)) if on_ticks else ([], None)
        found = backtest(book, rows, ticks, since, feeds)
        show_transitions({rule.id: rule.name for rule in rules}, found, as_json=given.json)
        return
    for rule in rules:
        if not isinstance(rule.condition, ByExpression) or not symbols:
            raise FatalError("explain takes rules about bars, and --symbols")
        for symbol in symbols:
            found_of = explain(rule.condition.expression, symbol, rows, since, until)
            show_explanation(rule.name, symbol, found_of, as_json=given.json)


def main() -> int:
    """0 when done, 1 when it can't go on, 2 when something given is wrong."""
    try:
        _run(_arguments())
    except (InvalidRuleError, SettingsError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except TickstreamError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except BrokenPipeError:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
