from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field, SecretStr

from tickstream.core.errors import SettingsError
from tickstream.core.settings import ServiceSettings, load


class Settings(ServiceSettings):
    """A service with secrets."""

    shared_names: ClassVar[frozenset[str]] = frozenset({"database_url"})

    database_url: SecretStr = Field(SecretStr("postgresql://default"))
    api_key: SecretStr | None = None
    keys_file: Path | None = None


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("from a file \n", encoding="utf-8")
    return file


def loaded(**environment: str) -> Settings:
    return load(Settings, "SOME", [], environment)


def test_a_secret_is_read_from_the_file_that_its_variable_names(secret: Path) -> None:
    settings = loaded(DATABASE_URL_FILE=str(secret), SOME_API_KEY_FILE=str(secret))
    assert settings.database_url.get_secret_value() == "from a file "
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "from a file "


def test_the_service_s_own_variable_comes_before_the_shared_one(secret: Path) -> None:
    assert (
        loaded(SOME_DATABASE_URL_FILE=str(secret), DATABASE_URL="x").database_url.get_secret_value().startswith("from")
    )
    assert loaded(SOME_DATABASE_URL="x", DATABASE_URL_FILE=str(secret)).database_url.get_secret_value() == "x"
    assert loaded(DATABASE_URL="x", DATABASE_URL_FILE=str(secret)).database_url.get_secret_value() == "x"


def test_only_secrets_are_read_from_files(secret: Path) -> None:
    settings = loaded(LOG_LEVEL_FILE=str(secret), SOME_KEYS_FILE=str(secret))
    assert settings.log_level == "INFO"
    assert settings.keys_file == secret


def test_a_file_that_can_not_be_read_is_named_beside_the_other_problems(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    with pytest.raises(SettingsError) as error:
        loaded(DATABASE_URL_FILE=missing, LOG_LEVEL="LOUD")
    assert [problem.name for problem in error.value.problems] == ["DATABASE_URL_FILE", "LOG_LEVEL"]
    assert missing in str(error.value)
    with pytest.raises(SettingsError, match="SOME_API_KEY_FILE must be a readable file"):
        loaded(SOME_API_KEY_FILE=missing)
