from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tickstream.alerting.adapters.alerts_query import AlertQuery
from tickstream.alerting.adapters.rules_file import read_rules
from tickstream.alerting.domain.rule import ByExpression, PercentMove, PriceLevel
from tickstream.alerting.language.parser import parse as parse_expression
from tickstream.alerting.settings import AlertingSettings
from tickstream.alerting.spec import KINDS, InvalidRuleError, parse, schema
from tickstream.core.errors import SettingsError
from tickstream.core.settings import load

ROOT = Path(__file__).parents[3]
DEMO_RULES = ROOT / "data/demo/rules.yaml"
LEVEL = {"name": "high", "kind": "price_level", "parameters": {"direction": "above", "level": 166}}


def test_each_kind_of_rule_is_read() -> None:
    assert parse(LEVEL).parameters.condition() == PriceLevel("above", 166.0)
    move = {"name": "m", "kind": "percent_move", "parameters": {"percent": 2, "window_seconds": 60}}
    assert parse(move).parameters.condition() == PercentMove("either", 2.0, 60_000_000_000)
    spike = {"name": "v", "kind": "volume_spike", "parameters": {"factor": 5}}
    text = "volume / mean(previous(volume), 20 bars) >= 5 on 1m during continuous, regular"
    assert parse(spike).parameters.condition() == ByExpression(parse_expression(text))


def test_everything_wrong_with_a_rule_is_named_with_its_place() -> None:
    wrong = {
        "name": "",
        "kind": "price_level",
        "parameters": {"direction": "sideways", "level": -1, "colour": "red"},
        "symbols": ["SPY", "a b"],
        "for_seconds": -1,
    }
    with pytest.raises(InvalidRuleError) as caught:
        parse(wrong)
    assert {problem.pointer for problem in caught.value.problems} == {
        "/name",
        "/parameters/direction",
        "/parameters/level",
        "/parameters/colour",
        "/symbols/1",
        "/for_seconds",
    }


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"name": "x", "kind": "magic", "parameters": {}}, "/kind"),
        ({"name": "x", "parameters": {}}, "/kind"),
        ([], ""),
        ({**LEVEL, "parameters": {"direction": "above", "level": float("nan")}}, "/parameters/level"),
        ({"name": "v", "kind": "volume_spike", "parameters": {"factor": 5, "hysteresis": 5}}, "/parameters"),
    ],
)
def test_what_is_no_rule_is_refused(given: Any, pointer: str) -> None:
    with pytest.raises(InvalidRuleError) as caught:
        parse(given)
    assert caught.value.problems[0].pointer.startswith(pointer)


@pytest.mark.parametrize(
    ("when", "symbols", "wrong"),
    [
        ("group.breadth[1d].advancers < 3", ["*", "group:*", "group:Oil & Gas", "gr*"], set()),
        ("group.breadth[1d].advancers < 3", ["SPY", "group:a", "S*"], {"/symbols/0", "/symbols/2"}),
        ("close > 3", ["group:a", "*"], {"/symbols/0"}),
        # One alert, whatever the symbols say: they don't matter.
        ('"group:a".breadth[1d].advancers < 3', ["group:a"], set()),
        ("market.breadth[1d].advancers < 3", ["SPY"], set()),
    ],
)
def test_groups_are_watched_by_rules_about_groups_alone(when: str, symbols: list[str], wrong: set[str]) -> None:
    given = {"name": "r", "kind": "expression", "parameters": {"when": when}, "symbols": symbols}
    problems = []
    try:
        parse(given)
    except InvalidRuleError as error:
        problems = error.problems
    assert {problem.pointer for problem in problems} == wrong
    assert all("must be" in problem.detail for problem in problems)


def test_no_group_has_a_price_level() -> None:
    with pytest.raises(InvalidRuleError) as caught:
        parse({**LEVEL, "symbols": ["SPY", "group:a"]})
    assert [problem.pointer for problem in caught.value.problems] == ["/symbols/1"]


def test_the_demo_has_valid_rules() -> None:
    assert len(read_rules(DEMO_RULES)) >= 5


def test_a_rules_file_names_all_its_problems(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules:\n  - {name: a, kind: price_level}\n  - {name: b, kind: nothing, parameters: {}}\n")
    with pytest.raises(InvalidRuleError) as caught:
        read_rules(path)
    assert [problem.pointer for problem in caught.value.problems] == ["/rules/0/parameters", "/rules/1/kind"]
    for text in ("rules: 3", "- 1", "rules: [", ""):
        path.write_text(text)
        with pytest.raises(InvalidRuleError):
            read_rules(path)


def test_a_key_is_needed_where_others_can_reach_the_api(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ALERTING_API_KEY"):
        load(AlertingSettings, "ALERTING", [], {"HTTP_HOST": "0.0.0.0"})
    for environment in ({"HTTP_HOST": "127.0.0.2"}, {"HTTP_HOST": "0.0.0.0", "ALERTING_API_KEY": "k"}):
        load(AlertingSettings, "ALERTING", [], environment)


def test_a_missing_rules_file_is_a_bad_setting() -> None:
    with pytest.raises(SettingsError, match=r"ALERTING_RULES_FILE .*can't be read"):
        load(AlertingSettings, "ALERTING", [], {"ALERTING_RULES_FILE": "/no/such/file"})


def test_a_question_about_alerts_names_all_its_problems() -> None:
    query = AlertQuery.read({"state": "burning", "limit": "0", "cursor": "%%", "colour": "red"})
    assert {problem.pointer for problem in query.problems} == {"/state", "/limit", "/cursor", "/colour"}


SCHEDULE = {"sessions": ["regular"], "days": ["mon"], "times": ["09:45-11:30"], "time_zone": "Europe/Berlin"}
WHEN = {"name": "w", "kind": "expression", "parameters": {"when": "close > 1"}}


@pytest.mark.parametrize(
    ("given", "valid"),
    [
        (LEVEL, True),
        (WHEN, True),
        (LEVEL | {"schedule": SCHEDULE, "labels": {"team": "core"}}, True),
        ({"name": "h", "kind": "new_high"}, True),
        ({"name": "h", "kind": "new_high", "parameters": {"interval": None}}, True),
        ({"name": "b", "kind": "circuit_breaker", "parameters": {"level": 2}}, True),
        ({"name": "f", "kind": "feed_stale", "parameters": {"activities": ["quiet"]}}, True),
        ({"name": "l", "kind": "luld", "parameters": {"tier_1": ["SPY", "B*"]}}, True),
        ({"name": "l", "kind": "luld"}, False),
        ({"name": "b", "kind": "circuit_breaker", "parameters": {"level": 4}}, False),
        ({"name": "f", "kind": "feed_stale", "parameters": {"activities": []}}, False),
        ({"name": "h", "kind": "new_high", "parameters": {"bars": 1}}, False),
        ({"name": "h", "kind": "magic"}, False),
        (LEVEL | {"colour": "red"}, False),
        (LEVEL | {"for_seconds": -1}, False),
        (LEVEL | {"symbols": ["a b"]}, False),
        (LEVEL | {"schedule": {"days": ["someday"]}}, False),
        (WHEN | {"parameters": {"when": ""}}, False),
    ],
)
def test_the_schema_takes_and_refuses_what_the_service_does(given: Any, valid: bool) -> None:
    validator = Draft202012Validator(schema())
    assert validator.is_valid(given) is valid
    if valid:
        parse(given)
    else:
        with pytest.raises(InvalidRuleError):
            parse(given)


def test_the_schema_is_one_and_has_every_kind() -> None:
    Draft202012Validator.check_schema(schema())
    assert set(schema()["discriminator"]["mapping"]) == set(KINDS)


def test_the_dashboards_stand_in_has_this_schema() -> None:
    kept = json.loads((ROOT / "dashboard/dev/rule.schema.json").read_text())
    assert kept == schema(), "dashboard/dev/rule.schema.json is stale: python tools/rule_schema.py"
