"""The bridge's settings."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final, Literal, Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from tickstream.core.settings import Names, ServiceSettings
from tickstream.ws_bridge.adapters.tokens import MIN_SECRET_BYTES, read_public_key
from tickstream.ws_bridge.domain.access import is_local_name, is_whole_origin, read_keys
from tickstream.ws_bridge.domain.forwarding import Proxies

_PROOFS: Final = {
    "api_keys_file": "WS_BRIDGE_API_KEYS_FILE",
    "database_url": "DATABASE_URL",
    "jwt_secret": "WS_BRIDGE_JWT_SECRET",
    "jwt_public_key": "WS_BRIDGE_JWT_PUBLIC_KEY",
}
"""What clients may be recognised by, each by its setting."""


class WsBridgeSettings(ServiceSettings):
    """Kafka to browsers and programs over Socket.IO, and the dashboard."""

    shared_names: ClassVar[frozenset[str]] = frozenset(
        {"database_url", "timeseries", "influxdb_url", "influxdb_token", "influxdb_org", "influxdb_bucket"}
    )

    api_keys_file: Path | None = Field(None, description="lines of name:sha256 of the key in hex, and :write")
    database_url: SecretStr | None = Field(None, description="where API keys are, and instruments not seen yet")
    jwt_secret: SecretStr | None = Field(None, description="of the gateway's tokens, for HS256")
    jwt_public_key: Path | None = Field(None, description="file (PEM) of the gateway's Ed25519 key, for EdDSA")
    jwt_audience: str = Field("tickstream", min_length=1, description="whom the gateway's tokens must be meant for")
    timeseries: Literal["influxdb", "postgres", "off"] | None = Field(
        None,
        description="where older bars are; influxdb if INFLUXDB_URL is set, else postgres if DATABASE_URL is",
    )
    influxdb_url: str | None = Field(None, pattern=r"^https?://", description="where InfluxDB 2 listens")
    influxdb_token: SecretStr | None = Field(None, description="a token that may read the bucket")
    influxdb_org: str = Field("tickstream", min_length=1, description="the bucket's organisation")
    influxdb_bucket: str = Field("market", min_length=1, description="where the sink writes")
    auth: Literal["off", "key"] = Field("off", validate_default=True, description="off only on a loopback address")
    key_check_seconds: float = Field(1.0, ge=0.1, le=60, description="from one look at the keys in use to the next")
    key_grace_seconds: float = Field(300.0, ge=10, description="known keys go on while the database is away")
    origins: Names = Field((), description="origins of web pages that may connect, beside the bridge's own")
    allowed_hosts: Names = Field((), description="names it may be called by on a loopback address, beside localhost")
    trusted_proxies: Names = Field((), description="addresses or networks whose X-Forwarded-For and -Proto count")
    alerting_url: str = Field("http://127.0.0.1:8094", pattern=r"^https?://")
    alerting_api_key: SecretStr | None = None
    static_dir: Path = Field(Path(__file__).parent / "static", description="the dashboard's files")

    resume_secret: SecretStr | None = Field(
        None, min_length=16, description="signs resume tokens, the same on all nodes; else derived from the cluster"
    )
    resume_records: int = Field(200_000, ge=0, description="of a topic, read once more for a client that comes back")
    resume_seconds: float = Field(5.0, gt=0, le=15, description="within which it is served")
    resume_clients: int = Field(5_000, ge=1, description="subscriptions that may wait for it at once")
    resume_readers: int = Field(2, ge=1, le=6, description="threads that read it")

    flush_ms: int = Field(10, ge=5, le=1000, description="from one flush to the next, at least")
    flush_max_ms: int = Field(250, ge=5, le=1000, description="the same under load, at most")
    lag_seconds: float = Field(2.0, ge=0.1, le=60, description="late by more, records make clients be told of a lag")
    rest_seconds: float = Field(300.0, ge=0.1, description="that partitions of trades are read without a reader")
    max_connections: int = Field(20_000, ge=1)
    max_connections_per_ip: int = Field(10_000, ge=1)
    max_subscriptions_per_ip: int = Field(200_000, ge=1)
    commands_per_second_per_ip: int = Field(10_000, ge=1, description="connecting counts as one")
    max_symbols: int = Field(1_000, ge=1, description="in one subscription")
    max_subscriptions: int = Field(50, ge=1, description="of one client")
    commands_per_second: int = Field(20, ge=1, description="of one client")
    buffer_records: int = Field(20_000, ge=100, description="waiting for one client")
    buffer_bytes: int = Field(8_388_608, ge=65_536, description="waiting for one client")
    slow_step_seconds: float = Field(5.0, gt=0, description="behind until a client is slowed down a step")
    slow_limit_seconds: float = Field(10.0, gt=0, description="behind at the lowest rate until it is disconnected")
    slow_recover_seconds: float = Field(15.0, gt=0, description="keeping up until it is let up a step")
    closing_seconds: float = Field(5.0, gt=0, le=60, description="for a client to take its last frames and `closing`")
    connect_seconds: float = Field(10.0, gt=0, description="from the handshake to a valid CONNECT")
    compression: bool = Field(False, description="whether clients may ask for compressed websockets")  # noqa: FBT003
    ping_interval_seconds: float = Field(25.0, ge=0.1, le=3600, description="from a client's pong to the next ping")
    ping_timeout_seconds: float = Field(20.0, ge=0.1, le=3600, description="without a pong, the client is gone")
    drain_seconds: float = Field(5.0, ge=0, le=30, description="within which all clients are sent away at the end")

    history_bars: int = Field(5_000, ge=1, le=5_000, description="closed bars kept of a symbol and interval")
    history_records: int = Field(1_000_000, ge=1_000, description="closed bars and indicators kept altogether")
    lookback_records: int = Field(50_000, ge=0, description="read of each partition at the start")

    @model_validator(mode="after")
    def _store_can_be_reached(self) -> Self:
        if self.store == "influxdb" and (self.influxdb_url is None or self.influxdb_token is None):
            raise ValueError("TIMESERIES influxdb needs INFLUXDB_URL and INFLUXDB_TOKEN")
        if self.store == "postgres" and self.database_url is None:
            raise ValueError("TIMESERIES postgres needs DATABASE_URL")
        return self

    @property
    def store(self) -> Literal["influxdb", "postgres", "off"]:
        """The store that was named, or else the one that can be reached."""
        if self.timeseries is not None:
            return self.timeseries
        if self.influxdb_url is not None:
            return "influxdb"
        return "postgres" if self.database_url is not None else "off"

    @field_validator("auth")
    @classmethod
    def _off_only_on_loopback(cls, value: str, info: ValidationInfo) -> str:
        host = str(info.data.get("http_host", ""))
        if value == "off" and not is_local_name(host.lower()):
            raise ValueError(f"must be key unless HTTP_HOST is a loopback address (it is {host})")
        if value == "key" and not any(info.data.get(name) for name in _PROOFS):
            raise ValueError(f"needs a valid one of {', '.join(_PROOFS.values())}")
        return value

    @field_validator("jwt_secret")
    @classmethod
    def _long_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"must have at least {MIN_SECRET_BYTES} bytes")
        return value

    @field_validator("jwt_public_key")
    @classmethod
    def _one_readable_key(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None:
            if info.data.get("jwt_secret") is not None:
                raise ValueError("must not be given beside WS_BRIDGE_JWT_SECRET")
            try:
                read_public_key(value)
            except OSError as error:
                raise ValueError(f"must be a readable file ({error.strerror})") from None
        return value

    @field_validator("api_keys_file")
    @classmethod
    def _readable_keys(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                read_keys(value.read_text(encoding="utf-8"))
            except OSError as error:
                raise ValueError(f"must be a readable file ({error.strerror})") from None
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        Proxies(value)
        return value

    @field_validator("origins")
    @classmethod
    def _whole_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not is_whole_origin(origin):
                raise ValueError(f"must be a list of origins like https://example.org, and {origin!r} is not one")
        return value
