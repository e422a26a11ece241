from __future__ import annotations

import pytest

from tickstream.core.errors import SettingsError
from tickstream.core.settings import load
from tickstream.processor.roles import RoleSettings
from tickstream.processor.sink.settings import SinkSettings

INFLUXDB = {"INFLUXDB_URL": "http://127.0.0.1:8086", "INFLUXDB_TOKEN": "secret-token"}
POSTGRES = {"DATABASE_URL": "postgresql://me:secret-password@127.0.0.1/db"}


def loaded(env: dict[str, str], *flags: str) -> SinkSettings:
    return load(SinkSettings, "PROCESSOR", flags, env)


@pytest.mark.parametrize(
    ("env", "store"),
    [
        ({}, "off"),
        (POSTGRES, "postgres"),
        (INFLUXDB, "influxdb"),
        (INFLUXDB | POSTGRES, "influxdb"),
        (INFLUXDB | POSTGRES | {"TIMESERIES": "postgres"}, "postgres"),
        (INFLUXDB | {"TIMESERIES": "off"}, "off"),
        (INFLUXDB | {"PROCESSOR_TIMESERIES": "off", "TIMESERIES": "influxdb"}, "off"),
    ],
)
def test_the_store_is_the_named_one_or_the_one_that_can_be_reached(env: dict[str, str], store: str) -> None:
    assert loaded(env).store == store


@pytest.mark.parametrize(
    ("env", "missing"),
    [
        ({"TIMESERIES": "influxdb"}, "INFLUXDB_URL"),
        ({"INFLUXDB_URL": "http://127.0.0.1:8086"}, "INFLUXDB_TOKEN"),
        ({"TIMESERIES": "postgres"} | INFLUXDB, "DATABASE_URL"),
    ],
)
def test_a_store_without_its_address_is_refused(env: dict[str, str], missing: str) -> None:
    with pytest.raises(SettingsError, match=missing):
        loaded(env)


def test_bad_settings_are_named_together_without_their_secrets() -> None:
    env = INFLUXDB | {"INFLUXDB_URL": "ftp://x", "PROCESSOR_SINK_BATCH": "0", "PROCESSOR_ROLES": "bars,tea"}
    with pytest.raises(SettingsError) as error:
        load(RoleSettings, "PROCESSOR", [], env)
    for name in ("INFLUXDB_URL", "PROCESSOR_SINK_BATCH", "PROCESSOR_ROLES"):
        assert name in str(error.value)
    assert "secret" not in str(error.value)


def test_secrets_stay_out_of_sight() -> None:
    assert "secret" not in repr(loaded(INFLUXDB | POSTGRES))
