"""What can be set, and the rules it keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.sessions import Sessions
from tickstream.core.settings import ServiceSettings
from tickstream.producer.config_file import Changeable, ConfigFile, Rate, Speed, Symbols


def _time(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a time such as 2013-10-08T09:30-04:00") from None
    if time.tzinfo is None:
        raise ValueError("must name its zone, such as 2013-10-08T09:30-04:00 or 2013-10-08T13:30Z")
    return int(time.astimezone(UTC).timestamp()) * NANOS_PER_SECOND + time.microsecond * 1000


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("must be a time zone such as America/New_York") from None
    return name


def _calendar(name: str) -> str:
    try:
        Sessions.of(name)
    except ValueError:
        raise ValueError('must be "24/7" or an exchange calendar such as XNYS') from None
    return name


def _path(path: Path) -> Path:
    if not path.exists():
        raise ValueError("must be a file or folder that exists")
    return path


def _config_file(path: Path) -> Path:
    ConfigFile.read(path)
    return path


Time = Annotated[int, BeforeValidator(_time)]
SourceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class ProducerSettings(ServiceSettings):
    """Publishes trades to Kafka: recorded sessions, or a simulated market."""

    source: Literal["replay", "simulate"] = Field("simulate", description="where the trades come from")
    path: Annotated[Path, AfterValidator(_path)] | None = Field(
        None, description="replay: a file or folder of LEAN zips, CSV or Parquet", validate_default=True
    )
    speed: Speed = Field(1.0, description='seconds of event time a second, or "max" for as fast as it goes')
    symbols: Symbols = Field((), description="only these (replay), or these (simulate)")
    count: int | None = Field(None, ge=1, description="end after so many trades")
    start: Time | None = Field(None, description="replay: leave out what was before this time")
    end: Time | None = Field(None, description="replay: leave out what was from this time on")
    loop: bool = Field(default=False, description="replay: go on as the next trading day, again and again")
    timezone: Annotated[str, AfterValidator(_zone)] | None = Field(
        None, description="replay: the zone of times that name none"
    )
    strict: bool = Field(default=False, description="replay: end with 1 when a row of a file was no trade")
    source_name: SourceName | None = Field(None, description="the trades' source, instead of one a file or run")
    rate: Rate | None = Field(None, description="simulate: trades a second in total; else one a symbol in 1 to 5 s")
    seed: int = Field(1, ge=0, description="simulate: of all chance; the same one and start give the same trades")
    sim_start: Time | None = Field(None, description="simulate: the event time to start at; else the present")
    standby: bool = Field(default=True, description="simulate: wait while another producer of the group publishes")
    config_file: Annotated[Path, AfterValidator(_config_file)] | None = Field(
        None, description="TOML with symbols, speed, rate, characters; wins, and is read again on SIGHUP"
    )
    calendar: Annotated[str, AfterValidator(_calendar)] = Field("XNYS", description='sessions; "24/7" never closes')
    format: Literal["avro", "json"] = Field("avro", description="of the published values")
    replicas: int = Field(1, ge=1, description="how many producers share the symbols")
    replica: int = Field(0, ge=0, description="which of them this one is, from 0")
    delivery_timeout: float = Field(300.0, gt=0, le=86_400, description="seconds within which a trade must arrive")

    @field_validator("path", mode="after")
    @classmethod
    def _path_of_a_replay(cls, path: Path | None, given: ValidationInfo) -> Path | None:
        if path is None and given.data.get("source") == "replay":
            raise ValueError("must be given for a replay")
        return path

    @field_validator("end", mode="after")
    @classmethod
    def _end_after_start(cls, end: int | None, given: ValidationInfo) -> int | None:
        start = given.data.get("start")
        if end is not None and start is not None and end <= start:
            raise ValueError("must be after PRODUCER_START")
        return end

    @field_validator("replica", mode="after")
    @classmethod
    def _one_of_the_replicas(cls, replica: int, given: ValidationInfo) -> int:
        replicas = given.data.get("replicas", replica + 1)
        if replica >= replicas:
            raise ValueError(f"must be below PRODUCER_REPLICAS ({replicas})")
        return replica

    def changeable(self) -> Changeable:
        """What a reload may change, as it is set here."""
        return Changeable(self.speed, self.symbols, self.rate, {})
