from __future__ import annotations

import math
from pathlib import Path

import pytest

from tickstream.core.errors import SettingsError
from tickstream.core.settings import load
from tickstream.producer.config_file import ConfigFile
from tickstream.producer.domain.characters import KNOWN
from tickstream.producer.settings import ProducerSettings


def settings(*arguments: str, **environment: str) -> ProducerSettings:
    return load(ProducerSettings, "PRODUCER", arguments, environment)


def test_a_replay_needs_only_a_path(tmp_path: Path) -> None:
    found = settings("--source", "replay", "--path", str(tmp_path), "--speed", "max", "--symbols", "SPY,AIG,SPY")
    assert (found.path, found.speed, found.symbols) == (tmp_path, math.inf, ("SPY", "AIG"))


def test_times_name_their_zone_and_become_nanoseconds() -> None:
    assert settings("--start", "2013-10-08T09:30:00.000001-04:00").start == 1_381_239_000_000_001_000


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("speed", "0", "positive"),
        ("speed", "nan", "positive"),
        ("speed", "fast", "positive"),
        ("symbols", "SPY,spy", "upper-case"),
        ("start", "2013-10-08T09:30", "zone"),
        ("count", "0", "at least 1"),
        ("path", "/nowhere/at/all", "exists"),
        ("timezone", "Mars/Base", "time zone"),
        ("calendar", "MOON", "calendar"),
        ("rate", "-1", "positive"),
        ("replica", "1", "below PRODUCER_REPLICAS"),
        ("format", "xml", "one of"),
        ("source_name", "a b", "match"),
        ("config_file", "/nowhere.toml", "can be read"),
    ],
)
def test_a_setting_that_breaks_a_rule_is_named_with_its_value(name: str, value: str, rule: str) -> None:
    with pytest.raises(SettingsError) as raised:
        settings(**{f"PRODUCER_{name.upper()}": value})
    (problem,) = raised.value.problems
    assert problem.name == f"PRODUCER_{name.upper()}"
    assert rule in problem.rule
    assert value in problem.value


def test_all_problems_are_told_together() -> None:
    wrong = ("--source", "replay", "--speed", "0", "--start", "2013-10-08T10:00Z", "--end", "2013-10-08T09:00Z")
    with pytest.raises(SettingsError) as raised:
        settings(*wrong)
    assert [problem.name for problem in raised.value.problems] == ["PRODUCER_PATH", "PRODUCER_SPEED", "PRODUCER_END"]


def test_a_file_wins_and_leaves_alone_what_it_does_not_name(tmp_path: Path) -> None:
    file = tmp_path / "producer.toml"
    file.write_text('rate = 50\nsymbols = ["SPY", "ACME"]\n[characters.ACME]\nprice = 12.5\nvolatility = 0.9\n')
    own = settings("--speed", "3", "--rate", "7").changeable()
    now = own.over(ConfigFile.read(file))
    assert (now.speed, now.rate, now.symbols) == (3.0, 50.0, ("SPY", "ACME"))
    simulated = now.simulated()
    assert (simulated["ACME"].price, simulated["ACME"].volatility) == (12.5, 0.9)
    assert simulated["SPY"].price == KNOWN["SPY"].price
    assert sum(1 / character.interval for character in simulated.values()) == pytest.approx(50)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("speed = -1\nrate = 0", "speed must be a positive.*rate"),
        ("colour = 3", "colour"),
        ("speed = ", "TOML"),
        ('symbols = ["spy"]', "upper-case"),
        ("[characters.ACME]\nvolatility = -2", "characters.ACME.volatility"),
    ],
)
def test_a_wrong_file_says_everything_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "producer.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=said):
        ConfigFile.read(file)
