"""What the sink can be told, and what the processor hands on to it."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from tickstream.core.settings import ServiceSettings

Store = Literal["influxdb", "postgres", "off"]


class SinkSettings(ServiceSettings):
    """Stores trades, closed bars, their indicators and analytics in a time-series database."""

    shared_names: ClassVar[frozenset[str]] = frozenset(
        {"timeseries", "influxdb_url", "influxdb_token", "influxdb_org", "influxdb_bucket", "database_url"}
    )

    timeseries: Store | None = Field(
        None, description="the store; influxdb where INFLUXDB_URL is set, else postgres where DATABASE_URL is"
    )
    influxdb_url: str | None = Field(None, pattern=r"^https?://", description="where InfluxDB 2 listens")
    influxdb_token: SecretStr | None = Field(None, description="a token that may write the bucket")
    influxdb_org: str = Field("tickstream", min_length=1, description="the bucket's organisation")
    influxdb_bucket: str = Field("market", min_length=1, description="made if it is missing and the token may")
    database_url: SecretStr | None = Field(None, description="PostgreSQL, as postgresql://...")
    sink_http_port: int = Field(0, ge=0, le=65535, description="the sink's own pages beside the bars'; 0 is any")
    sink_batch: int = Field(20_000, ge=1, le=200_000, description="records in a batch, at most")
    sink_timeout: float = Field(30.0, gt=0, le=300, description="seconds to wait for the store's answer")
    sink_ends_with_stdin: bool = Field(
        default=False, description="end when standard input is closed, as it is when the starting process dies"
    )
    until_caught_up: bool = Field(default=False, description="end once the logs' present ends are reached")

    @model_validator(mode="after")
    def _store_can_be_reached(self) -> Self:
        if self.store == "influxdb" and self.influxdb_url is None:
            raise ValueError("TIMESERIES influxdb needs INFLUXDB_URL")
        if self.store == "influxdb" and self.influxdb_token is None:
            raise ValueError("TIMESERIES influxdb needs INFLUXDB_TOKEN")
        if self.store == "postgres" and self.database_url is None:
            raise ValueError("TIMESERIES postgres needs DATABASE_URL")
        return self

    @property
    def store(self) -> Store:
        """The store that was named, or else the one that can be reached."""
        if self.timeseries is not None:
            return self.timeseries
        if self.influxdb_url is not None:
            return "influxdb"
        return "postgres" if self.database_url is not None else "off"
