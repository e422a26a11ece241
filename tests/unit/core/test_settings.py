from __future__ import annotations

from typing import ClassVar

import pytest
from pydantic import Field, SecretStr, model_validator

from tickstream.core.errors import SettingsError
from tickstream.core.settings import Names, ServiceSettings, load


class Settings(ServiceSettings):
    """A service's settings."""

    shared_names: ClassVar[frozenset[str]] = frozenset({"database_url"})

    speed: float = Field(1.0, gt=0)
    symbols: Names = ()
    source: str = "replay"
    path: str | None = None
    strict: bool = False
    database_url: SecretStr | None = None

    @model_validator(mode="after")
    def _replay_needs_a_path(self) -> Settings:
        if self.source == "simulate" and self.path:
            raise ValueError("PRODUCER_PATH must be absent when PRODUCER_SOURCE is simulate")
        return self


def read(*arguments: str, **environment: str) -> Settings:
    return load(Settings, "PRODUCER", arguments, environment)


def test_flag_wins_over_own_variable_and_own_over_shared() -> None:
    environment = {"LOG_LEVEL": "ERROR", "PRODUCER_LOG_LEVEL": "WARNING"}
    assert read(**environment).log_level == "WARNING"
    assert read("--log-level", "DEBUG", **environment).log_level == "DEBUG"
    assert read(LOG_LEVEL="ERROR").log_level == "ERROR"


def test_own_settings_are_not_read_without_the_prefix() -> None:
    assert read(SPEED="3", PRODUCER_SYMBOLS="A, B,,C") == read("--symbols", "A,B,C")


def test_empty_variable_counts_as_absent() -> None:
    assert read(PRODUCER_SPEED="").speed == 1.0


def test_switches_go_both_ways() -> None:
    assert read("--strict").strict
    assert not read("--no-strict", PRODUCER_STRICT="true").strict


def test_all_problems_are_named_at_once_with_value_and_rule() -> None:
    with pytest.raises(SettingsError) as caught:
        read(PRODUCER_SPEED="-3", HTTP_PORT="99999", LOG_LEVEL="LOUD", KAFKA_BOOTSTRAP_SERVERS="nowhere")
    assert {(problem.name, problem.value) for problem in caught.value.problems} == {
        ("PRODUCER_SPEED", "-3"),
        ("HTTP_PORT", "99999"),
        ("LOG_LEVEL", "LOUD"),
        ("KAFKA_BOOTSTRAP_SERVERS", "nowhere"),
    }
    assert "PRODUCER_SPEED must be positive, was -3" in str(caught.value)


def test_a_problem_of_a_prefixed_shared_setting_names_the_variable_that_was_set() -> None:
    with pytest.raises(SettingsError) as caught:
        read(PRODUCER_HTTP_PORT="x")
    assert caught.value.problems[0].name == "PRODUCER_HTTP_PORT"


def test_rules_between_settings_are_told_too() -> None:
    with pytest.raises(SettingsError, match="PRODUCER_PATH must be absent when PRODUCER_SOURCE is simulate"):
        read("--source", "simulate", "--path", "x")


def test_secrets_never_stand_in_a_message() -> None:
    with pytest.raises(SettingsError) as caught:
        load(Settings, "PRODUCER", [], {"PRODUCER_SPEED": "0", "KAFKA_SASL_PASSWORD": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(read(DATABASE_URL="postgresql://u:hunter2@h/d"))


def test_an_unknown_flag_ends_with_2() -> None:
    with pytest.raises(SystemExit) as caught:
        read("--sped", "3")
    assert caught.value.code == 2
