"""Settings from the environment and the command line, validated together.

A field `speed` of the producer is read from the flag `--speed`, else from `PRODUCER_SPEED`.
A field of `ServiceSettings`, such as `log_level`, is read from `--log-level`, else from
`PRODUCER_LOG_LEVEL`, else from `LOG_LEVEL`. A secret, such as `INFLUXDB_TOKEN`, may lie in a file
that `INFLUXDB_TOKEN_FILE` names. A field such as `from_`, whose name is a word of Python's, is
read from `--from`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from tickstream.core.errors import SettingProblem, SettingsError

_RULES: Final = {
    "missing": "must be given",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be one of {expected}",
    "string_pattern_mismatch": "must match {pattern}",
}
_SECRET_WORDS: Final = ("PASSWORD", "TOKEN", "SECRET", "DATABASE_URL", "REDIS_URL")


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
    return value


LISTED: Final = BeforeValidator(_split)
"""Marks a setting that is a list: `A,B`."""

Names = Annotated[tuple[str, ...], LISTED]


def _servers(value: str) -> str:
    for server in value.split(","):
        host, colon, port = server.strip().rpartition(":")
        if not (colon and host and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"must be a list of host:port, and {server!r} is not one")
    return value


Servers = Annotated[str, AfterValidator(_servers)]


class KafkaSettings(BaseModel):
    """How to reach Kafka."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kafka_bootstrap_servers: Servers = Field("127.0.0.1:9092", description="brokers to begin with, host:port,…")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    kafka_sasl_username: str | None = Field(None, description="who logs in to the brokers")
    kafka_sasl_password: SecretStr | None = Field(None, description="their password")
    kafka_ssl_ca_location: str | None = Field(None, description="file of the authority that signs the brokers' keys")
    kafka_ssl_certificate_location: str | None = Field(None, description="file of our own certificate")
    kafka_ssl_key_location: str | None = Field(None, description="file of its key")
    kafka_topic_prefix: str = Field(
        "", pattern=r"^[a-zA-Z0-9._-]{0,100}$", description="before each topic, group and transactional id"
    )
    kafka_topic_partitions: int = Field(6, ge=1, le=1000, description="of topics that are created")
    schema_registry_url: str | None = Field(
        None, pattern=r"^https?://", description="Confluent's API; without it schemas have fixed ids"
    )


class ServiceSettings(KafkaSettings):
    """What every service takes beside its own settings."""

    http_host: str = Field("127.0.0.1", description="where /healthz, /readyz and /metrics are served")
    http_port: int | None = Field(
        None, ge=0, le=65535, description="without it the usual one, or any when that is taken"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="what is logged")
    log_format: Literal["auto", "json", "pretty"] = Field("auto", description="auto is pretty on a terminal")


_Settings = TypeVar("_Settings", bound=KafkaSettings)
_SHARED: Final = frozenset(ServiceSettings.model_fields)


def load(
    settings: type[_Settings], service: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> _Settings:
    """Read and check every setting of a service.

    Args:
        settings: the settings' class.
        service: its name in environment variables, such as "PRODUCER".
        arguments: the command line without the program's name.
        environment: the environment variables.

    Raises:
        SettingsError: one or more settings break a rule.
        SystemExit: `--help` was asked for, or a flag doesn't exist.
    """
    shared = _SHARED | getattr(settings, "shared_names", frozenset())
    flags = vars(_parser(settings, service, shared).parse_args(arguments))
    secrets, unreadable = _secrets_in_files(settings, service, shared, environment)
    environment = {**environment, **secrets}
    given: dict[str, object] = {}
    names: dict[str, str] = {}
    for field in settings.model_fields:
        variables = _variables(field, service, shared)
        names[field] = next((name for name in variables if environment.get(name)), variables[-1])
        if flags[field] is not None:
            given[field] = flags[field]
        elif environment.get(names[field]):
            given[field] = environment[names[field]]
    try:
        validated = settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError((*unreadable, *_problems(error, names))) from None
    if unreadable:
        raise SettingsError(unreadable)
    return validated


def _secrets_in_files(
    settings: type[BaseModel], service: str, shared: frozenset[str], environment: Mapping[str, str]
) -> tuple[dict[str, str], tuple[SettingProblem, ...]]:
    """Secrets by their variables' names, from files that other variables name; what is given itself wins."""
    found: dict[str, str] = {}
    problems = []
    secret = [field for field, info in settings.model_fields.items() if SecretStr in _kinds(info)]
    for variable in (name for field in secret for name in _variables(field, service, shared)):
        path = environment.get(f"{variable}_FILE")
        if not path or environment.get(variable):
            continue
        try:
            found[variable] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            problems.append(SettingProblem(f"{variable}_FILE", path, f"must be a readable file ({reason})"))
    return found, tuple(problems)


def _variables(field: str, service: str, shared: frozenset[str]) -> tuple[str, ...]:
    own = f"{service}_{plain_name(field).upper()}"
    return (own, field.upper()) if field in shared else (own,)


def _parser(settings: type[BaseModel], service: str, shared: frozenset[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"tickstream-{service.lower().replace('_', '-')}",
        description=settings.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for name, field in settings.model_fields.items():
        words = f"{field.description or ''} [{_variables(name, service, shared)[-1]}]".strip()
        flag = "--" + plain_name(name).replace("_", "-")
        if _is_flag(field):
            parser.add_argument(flag, dest=name, action=argparse.BooleanOptionalAction, default=None, help=words)
        else:
            parser.add_argument(flag, dest=name, default=None, metavar="VALUE", help=words.replace("%", "%%"))
    return parser


def plain_name(field: str) -> str:
    """A field's name without the underscore that tells it from a word of Python's."""
    return field.removesuffix("_")


def _is_flag(field: FieldInfo) -> bool:
    return bool in _kinds(field)


def _kinds(field: FieldInfo) -> tuple[Any, ...]:
    """The types that a field may have."""
    return get_args(field.annotation) if get_origin(field.annotation) in (Union, UnionType) else (field.annotation,)


def _problems(error: ValidationError, names: Mapping[str, str]) -> tuple[SettingProblem, ...]:
    problems = []
    for detail in error.errors(include_url=False):
        rule = _rule(detail["type"], detail["msg"], detail.get("ctx", {}))
        if detail["loc"]:
            name = names[str(detail["loc"][0])]
            problems.append(SettingProblem(name, _shown(name, detail["input"]), rule))
        else:
            problems.append(SettingProblem("", "", rule))
    return tuple(problems)


def _shown(name: str, value: object) -> str:
    if any(word in name for word in _SECRET_WORDS):
        return "(hidden)"
    return str(value) if value != {} else "absent"


def _rule(kind: str, message: str, context: Mapping[str, Any]) -> str:
    if kind == "greater_than" and context["gt"] == 0:
        return "must be positive"
    pattern = _RULES.get(kind)
    if pattern is not None:
        return pattern.format(**context)
    text = message.removeprefix("Value error, ")
    return text if kind == "value_error" else text[:1].lower() + text[1:]
