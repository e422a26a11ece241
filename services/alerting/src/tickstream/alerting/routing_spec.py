"""Who is told of alerts, as people write it; checked, it is a plan and the receivers' channels."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationInfo, model_validator

from tickstream.alerting.addresses import is_loopback
from tickstream.alerting.domain.routing.matching import Match
from tickstream.alerting.domain.routing.plan import Cap, Escalation, Flapping, Inhibition, Plan, Route, Timing
from tickstream.alerting.spec import LabelName, Problem
from tickstream.core.clock import NANOS_PER_SECOND

ENVIRONMENT: Final = "environment"
"""The key of the environment in the context of a validation."""

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST: Final = 30 * 86_400
_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 (what a secret begins with)
_SECRET_BYTES: Final = (24, 64)
_DEEPEST: Final = 8


def _span(given: Any) -> Any:
    """Nanoseconds of `30s`, `5m`, `4h`, `1d`, or of a number of seconds."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)\s*([smhd]?)", str(given))
    if isinstance(given, bool) or found is None:
        raise ValueError("must be a time such as 30s, 5m, 4h or 1d")
    seconds = float(found[1]) * _SECONDS[found[2] or "s"]
    if seconds > _LONGEST:
        raise ValueError("must be 30d at the most")
    return round(seconds * NANOS_PER_SECOND)


def _listed(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


def _secret(given: Any, info: ValidationInfo) -> Any:
    """What `{env: NAME}` or `{file: PATH}` holds."""
    if not isinstance(given, dict) or len(given) != 1 or not given.keys() <= {"env", "file"}:
        raise ValueError("must be {env: NAME} or {file: PATH}: secrets don't stand here themselves")
    [(kind, name)] = given.items()
    if kind == "env":
        held = (info.context or {})[ENVIRONMENT].get(str(name), "")
    else:
        try:
            held = Path(str(name)).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"must be a readable file ({getattr(error, 'strerror', None) or 'not UTF-8'})") from None
    if not held:
        raise ValueError(f"must hold something, {kind} {name} is empty or isn't there")
    return held


def _url(given: Any, info: ValidationInfo) -> Any:
    return given if isinstance(given, str) else _secret(given, info)


Span = Annotated[int, BeforeValidator(_span)]
PositiveSpan = Annotated[int, BeforeValidator(_span), Field(gt=0)]
Secret = Annotated[SecretStr, BeforeValidator(_secret)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1, max_length=100)]
Matching = Annotated[dict[LabelName, Patterns], Field(default_factory=dict, max_length=32)]
ReceiverName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Address = Annotated[str, Field(pattern=r"^[^\s@<>,;]{1,64}@[^\s@<>,;]{1,255}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class CapSpec(_Strict):
    """See `Cap`."""

    notifications: int = Field(ge=1, le=100_000)
    per: PositiveSpan = 60 * NANOS_PER_SECOND


class WebhookSpec(_Strict):
    """A POST to a URL, signed as Standard Webhooks has it when there is a secret."""

    url: Annotated[SecretStr, BeforeValidator(_url)]
    secret: Secret | None = None

    @model_validator(mode="after")
    def _check(self) -> WebhookSpec:
        parts = urlsplit(self.url.get_secret_value())
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment:
            raise ValueError("url must be http(s)://HOST… without a user and a fragment")
        if self.secret is not None:
            signing_key(self.secret)
        return self

    @property
    def host(self) -> str:
        """Where it goes."""
        return urlsplit(self.url.get_secret_value()).hostname or ""

    @property
    def encrypted(self) -> bool:
        """Whether nobody can listen in."""
        return self.url.get_secret_value().startswith("https:")


class EmailSpec(_Strict):
    """A mail by SMTP."""

    to: Annotated[tuple[Address, ...], BeforeValidator(_listed), Field(min_length=1, max_length=50)]
    sender: Address = Field(alias="from")
    host: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,253}$")
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: Secret | None = None

    @model_validator(mode="after")
    def _check(self) -> EmailSpec:
        if bool(self.username) != (self.password is not None):
            raise ValueError("username and password go together")
        return self

    @property
    def encrypted(self) -> bool:
        """Whether nobody can listen in."""
        return self.security != "none"


class AppriseSpec(_Strict):
    """Slack, PagerDuty, Telegram and the others that apprise knows, by its URLs."""

    url: Secret


class ReceiverSpec(_Strict):
    """Someone who is told, on one channel."""

    name: ReceiverName
    webhook: WebhookSpec | None = None
    email: EmailSpec | None = None
    apprise: AppriseSpec | None = None
    cap: CapSpec | None = None
    title: str | None = Field(None, max_length=4000)
    text: str | None = Field(None, max_length=20_000)
    give_up_after: Annotated[PositiveSpan, Field(le=86_400 * NANOS_PER_SECOND)] = 6 * 3600 * NANOS_PER_SECOND

    @model_validator(mode="after")
    def _check(self) -> ReceiverSpec:
        if sum(each is not None for each in (self.webhook, self.email, self.apprise)) != 1:
            raise ValueError("must have one of webhook, email and apprise")
        return self


class EscalateSpec(_Strict):
    """See `Escalation`."""

    after: PositiveSpan
    receiver: ReceiverName


class RouteSpec(_Strict):
    """See `Route`; what isn't given is as at the route above it."""

    match: Matching
    receivers: Annotated[tuple[ReceiverName, ...], BeforeValidator(_listed), Field(min_length=1)] | None = None
    group_by: Annotated[tuple[LabelName, ...], BeforeValidator(_listed)] | None = None
    group_wait: Span | None = None
    group_interval: PositiveSpan | None = None
    repeat_interval: PositiveSpan | None = None
    escalate: EscalateSpec | None = None
    goes_on: bool = Field(default=False, alias="continue")
    routes: tuple[RouteSpec, ...] = ()

    def route(self, above: Route, path: tuple[Match, ...] = ()) -> Route:
        """The route, with what it takes from the one above it."""
        given = self.group_wait, self.group_interval, self.repeat_interval
        usual = above.timing.group_wait_ns, above.timing.group_interval_ns, above.timing.repeat_interval_ns
        match = Match.of(self.match)
        receivers = above.receivers if self.receivers is None else self.receivers
        escalation = Escalation(self.escalate.after, self.escalate.receiver) if self.escalate else above.escalation
        own = Route(
            match=match,
            receivers=receivers,
            group_by=above.group_by if self.group_by is None else self.group_by,
            timing=Timing(*(usual[at] if value is None else value for at, value in enumerate(given))),
            escalation=None if escalation and escalation.receiver in receivers else escalation,
            goes_on=self.goes_on,
            path=path,
        )
        return replace(own, routes=tuple(each.route(own, (*path, match)) for each in self.routes))


class InhibitSpec(_Strict):
    """See `Inhibition`."""

    when: Annotated[dict[LabelName, Patterns], Field(min_length=1)]
    mute: Annotated[dict[LabelName, Patterns], Field(min_length=1)]
    equal: Annotated[tuple[LabelName, ...], BeforeValidator(_listed)] = ()


class FlappingSpec(_Strict):
    """See `Flapping`."""

    firings: int = Field(ge=2, le=100)
    within: PositiveSpan


class RoutingSpec(_Strict):
    """The whole file."""

    receivers: tuple[ReceiverSpec, ...] = Field(min_length=1, max_length=1000)
    route: RouteSpec
    inhibit: tuple[InhibitSpec, ...] = Field((), max_length=1000)
    flapping: FlappingSpec | None = None
    plain_hosts: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()

    def plan(self) -> Plan:
        """What the state machine goes by."""
        return Plan(
            root=self.route.route(_USUAL),
            caps={each.name: Cap(each.cap.notifications, each.cap.per) for each in self.receivers if each.cap},
            inhibitions=tuple(Inhibition(Match.of(i.when), Match.of(i.mute), i.equal) for i in self.inhibit),
            flapping=Flapping(self.flapping.firings, self.flapping.within) if self.flapping else None,
        )

    def problems(self) -> Iterator[Problem]:
        """What is wrong between its parts."""
        names = [receiver.name for receiver in self.receivers]
        for number, receiver in enumerate(self.receivers):
            if receiver.name in names[:number]:
                yield Problem(f"/receivers/{number}/name", f"there is another receiver {receiver.name}")
            yield from self._listeners(f"/receivers/{number}", receiver)
        if self.route.match:
            yield Problem("/route/match", "must be absent: the first route takes every alert")
        if self.route.receivers is None:
            yield Problem("/route/receivers", "must be given: the first route takes every alert")
        yield from _routes(self.route, "/route", self.route.receivers or (), names, 1)
        keys = [route.key for route in self.plan().all_routes()]
        if len(set(keys)) < len(keys):
            yield Problem("/route", "has two routes with the same match, group_by and receivers at the same place")

    def _listeners(self, place: str, receiver: ReceiverSpec) -> Iterator[Problem]:
        """Whether what is sent can be read on its way."""
        for name in ("webhook", "email"):
            channel = getattr(receiver, name)
            if channel and not (channel.encrypted or is_loopback(channel.host) or channel.host in self.plain_hosts):
                said = f"isn't encrypted: {channel.host} must be a loopback address or stand in plain_hosts"
                yield Problem(f"{place}/{name}", said)


def _routes(route: RouteSpec, place: str, above: tuple[str, ...], names: list[str], depth: int) -> Iterator[Problem]:
    receivers = above if route.receivers is None else route.receivers
    known = f"there are {', '.join(names)}"
    for number, name in enumerate(route.receivers or ()):
        if name not in names:
            yield Problem(f"{place}/receivers/{number}", f"there is no receiver {name}; {known}")
    if route.escalate and route.escalate.receiver not in names:
        yield Problem(f"{place}/escalate/receiver", f"there is no receiver {route.escalate.receiver}; {known}")
    if route.escalate and route.escalate.receiver in receivers:
        yield Problem(f"{place}/escalate/receiver", f"{route.escalate.receiver} is told at once already")
    if depth > _DEEPEST:
        yield Problem(place, f"lies deeper than {_DEEPEST} routes")
        return
    for number, child in enumerate(route.routes):
        yield from _routes(child, f"{place}/routes/{number}", receivers, names, depth + 1)


def signing_key(secret: SecretStr) -> bytes:
    """The key of a webhook's secret.

    Raises:
        ValueError: it isn't one.
    """
    given = secret.get_secret_value()
    try:
        key = base64.b64decode(given.removeprefix(_SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not given.startswith(_SECRET_PREFIX) or not _SECRET_BYTES[0] <= len(key) <= _SECRET_BYTES[1]:
        raise ValueError(f"secret must be {_SECRET_PREFIX} and 24 to 64 bytes in base64")
    return key


def environment_of(values: Mapping[str, str]) -> dict[str, Any]:
    """The context of a validation."""
    return {ENVIRONMENT: values}


_USUAL: Final = Route(
    match=Match(),
    receivers=(),
    group_by=("rule",),
    timing=Timing(30 * NANOS_PER_SECOND, 300 * NANOS_PER_SECOND, 4 * 3600 * NANOS_PER_SECOND),
)
