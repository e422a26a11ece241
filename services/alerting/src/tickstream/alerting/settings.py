"""What the alerting service takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from tickstream.alerting.adapters.routing_file import InvalidRoutingError, read_routing
from tickstream.alerting.adapters.rules_file import read_rules
from tickstream.alerting.addresses import is_loopback
from tickstream.alerting.spec import InvalidRuleError
from tickstream.core.sessions import Sessions
from tickstream.core.settings import ServiceSettings


def _routable(path: Path) -> Path:
    try:
        read_routing(path, os.environ)
    except InvalidRoutingError as error:
        raise ValueError(f"must hold a valid routing of alerts: {error}") from None
    return path


def _readable(path: Path) -> Path:
    try:
        read_rules(path)
    except InvalidRuleError as error:
        raise ValueError(f"must hold valid rules: {error}") from None
    return path


class AlertingSettings(ServiceSettings):
    """Watches trades and bars by rules, and keeps the life of each alert."""

    shared_names: ClassVar[frozenset[str]] = frozenset({"database_url"})

    database_url: SecretStr = Field(
        SecretStr("postgresql://tickstream@127.0.0.1:5432/tickstream"), description="PostgreSQL, as a URL"
    )
    api_key: SecretStr | None = Field(None, description="what clients of the API have to show")
    rules_file: Annotated[Path, AfterValidator(_readable)] | None = Field(
        None, description="YAML file of rules to write, by name, at the start and when it changes"
    )
    notify_file: Annotated[Path, AfterValidator(_routable)] | None = Field(
        None, description="YAML file of who is told of alerts; without it nobody is"
    )
    retention_days: int = Field(
        90, ge=0, le=36_500, description="how long ended alerts, decisions and notifications are kept; 0: for ever"
    )
    calendar: str = Field("XNYS", description="sessions of bars that aren't continuous; a name of exchange_calendars")
    migrate_only: bool = Field(default=False, description="bring the database's schema up to date, and end")
    until_caught_up: bool = Field(default=False, description="end at the log ends as they were at the start")

    @field_validator("calendar")
    @classmethod
    def _is_a_calendar(cls, name: str) -> str:
        Sessions.of(name)
        return name

    @model_validator(mode="after")
    def _guard(self) -> AlertingSettings:
        if self.api_key is None and not is_loopback(self.http_host):
            raise ValueError(f"need ALERTING_API_KEY while HTTP_HOST, {self.http_host}, isn't a loopback address")
        return self
