"""Rules as people write them: in the API's JSON, the rules file, and the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final, Literal, get_args
from uuid import UUID

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from tickstream.alerting.domain.expression import Expression
from tickstream.alerting.domain.frame import subject_of
from tickstream.alerting.domain.on_ticks import condition_on_ticks
from tickstream.alerting.domain.rule import ByExpression, Condition, PercentMove, PriceLevel, Rule
from tickstream.alerting.kinds import (
    CircuitBreakerParameters,
    FeedStaleParameters,
    GapParameters,
    LuldParameters,
    NewHighParameters,
    NewLowParameters,
    PriceSpikeParameters,
    VolatilityRegimeParameters,
    VolumeSurgeParameters,
)
from tickstream.alerting.language.errors import ExpressionError
from tickstream.alerting.language.parser import MAX_LENGTH
from tickstream.alerting.language.parser import parse as parse_expression
from tickstream.alerting.schedule_spec import ScheduleSpec, schedule_of
from tickstream.alerting.strict import Margin, Strict, Watched
from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.errors import TickstreamError
from tickstream.core.model import SessionName, Severity
from tickstream.core.scopes import GROUP

MAX_SECONDS: Final = 604_800

Seconds = Annotated[float, Field(ge=0, le=MAX_SECONDS, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
LabelName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,62}$")]
LabelValue = Annotated[str, Field(max_length=500)]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with what was given; `pointer` says where (RFC 6901)."""

    pointer: str
    detail: str


class InvalidRuleError(TickstreamError):
    """Everything that is wrong with a rule, found together."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.pointer or '/'}: {problem.detail}" for problem in problems))


class PriceLevelParameters(Strict):
    """See `PriceLevel`; `mode` "crossing" is its crossing."""

    direction: Literal["above", "below"]
    level: float = Field(gt=0, allow_inf_nan=False)
    mode: Literal["level", "crossing"] = "level"
    hysteresis: Margin = 0.0

    def condition(self) -> Condition:
        """The condition of a rule with these parameters."""
        return PriceLevel(self.direction, self.level, self.hysteresis, self.mode == "crossing")


class PercentMoveParameters(Strict):
    """See `PercentMove`."""

    direction: Literal["up", "down", "either"] = "either"
    percent: float = Field(gt=0, le=1000, allow_inf_nan=False)
    window_seconds: float = Field(ge=1, le=86_400)
    hysteresis: Margin = 0.0

    @model_validator(mode="after")
    def _check(self) -> PercentMoveParameters:
        if self.hysteresis >= self.percent:
            raise ValueError(f"hysteresis must be below percent ({self.percent:g}), was {self.hysteresis:g}")
        return self

    def condition(self) -> Condition:
        """The condition of a rule with these parameters."""
        return PercentMove(self.direction, self.percent, round(self.window_seconds * NANOS_PER_SECOND), self.hysteresis)


class VolumeSpikeParameters(Strict):
    """A closed bar's volume is a multiple of the mean volume of the closed bars before it."""

    factor: float = Field(gt=0, le=1_000_000, allow_inf_nan=False)
    bars: int = Field(20, ge=1, le=1000)
    interval: Literal["1s", "1m", "5m", "15m", "1h", "1d"] = "1m"
    hysteresis: Margin = 0.0
    sessions: tuple[SessionName, ...] = Field(("regular", "continuous"), min_length=1)

    @model_validator(mode="after")
    def _check(self) -> VolumeSpikeParameters:
        if self.hysteresis >= self.factor:
            raise ValueError(f"hysteresis must be below factor ({self.factor:g}), was {self.hysteresis:g}")
        return self

    def condition(self) -> Condition:
        """The condition of a rule with these parameters, as the expression that it is short for."""
        ratio = f"volume / mean(previous(volume), {self.bars} bars)"
        until = f" until {ratio} < {self.factor - self.hysteresis!r}" if self.hysteresis else ""
        sessions = ", ".join(sorted(set(self.sessions)))
        text = f"{ratio} >= {self.factor!r}{until} on {self.interval} during {sessions}"
        return ByExpression(parse_expression(text))


def _expression(text: str) -> str:
    try:
        parse_expression(text)
    except ExpressionError as error:
        raise ValueError(str(error)) from None
    return text


class ExpressionParameters(Strict):
    """What the rule says, in the language of expressions."""

    when: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH), AfterValidator(_expression)]

    @property
    def expression(self) -> Expression:
        """The tree of the text."""
        return parse_expression(self.when)

    def condition(self) -> Condition:
        """The condition of a rule with these parameters."""
        expression = self.expression
        return condition_on_ticks(expression) if expression.interval == "ticks" else ByExpression(expression)


class _Spec(Strict):
    name: Name
    symbols: tuple[Watched, ...] = Field(("*",), min_length=1, max_length=1000)
    severity: Severity = "warning"
    labels: dict[LabelName, LabelValue] = Field(default_factory=dict, max_length=32)
    for_seconds: Seconds = 0.0
    cooldown_seconds: Seconds = 0.0
    keep_firing_for_seconds: Seconds = 0.0
    schedule: ScheduleSpec | None = None
    enabled: bool = True


class PriceLevelSpec(_Spec):
    """A rule about a price level."""

    kind: Literal["price_level"]
    parameters: PriceLevelParameters


class PercentMoveSpec(_Spec):
    """A rule about a move within a window."""

    kind: Literal["percent_move"]
    parameters: PercentMoveParameters


class VolumeSpikeSpec(_Spec):
    """A rule about a bar's volume."""

    kind: Literal["volume_spike"]
    parameters: VolumeSpikeParameters


class ExpressionSpec(_Spec):
    """A rule in the language of expressions."""

    kind: Literal["expression"]
    parameters: ExpressionParameters

    @model_validator(mode="after")
    def _check(self) -> ExpressionSpec:
        if self.for_seconds and self.parameters.expression.hold is not None:
            raise ValueError("for_seconds and the expression's own for exclude each other")
        return self


class PriceSpikeSpec(_Spec):
    """A rule about a bar's unusual return."""

    kind: Literal["price_spike"]
    parameters: PriceSpikeParameters = PriceSpikeParameters()


class VolumeSurgeSpec(_Spec):
    """A rule about volume that stays unusual."""

    kind: Literal["volume_surge"]
    parameters: VolumeSurgeParameters = VolumeSurgeParameters()


class VolatilityRegimeSpec(_Spec):
    """A rule about volatility that has changed."""

    kind: Literal["volatility_regime"]
    parameters: VolatilityRegimeParameters = VolatilityRegimeParameters()


class GapSpec(_Spec):
    """A rule about an opening away from the previous close."""

    kind: Literal["gap"]
    parameters: GapParameters = GapParameters()


class NewHighSpec(_Spec):
    """A rule about a new high."""

    kind: Literal["new_high"]
    parameters: NewHighParameters = NewHighParameters()


class NewLowSpec(_Spec):
    """A rule about a new low."""

    kind: Literal["new_low"]
    parameters: NewLowParameters = NewLowParameters()


class CircuitBreakerSpec(_Spec):
    """A rule about the market-wide circuit breakers."""

    kind: Literal["circuit_breaker"]
    parameters: CircuitBreakerParameters


class FeedStaleSpec(_Spec):
    """A rule about bars without data."""

    kind: Literal["feed_stale"]
    parameters: FeedStaleParameters = FeedStaleParameters()


class LuldSpec(_Spec):
    """A rule about limit-up and limit-down bands."""

    kind: Literal["luld"]
    parameters: LuldParameters


RuleSpec = Annotated[
    PriceLevelSpec
    | PercentMoveSpec
    | VolumeSpikeSpec
    | PriceSpikeSpec
    | VolumeSurgeSpec
    | VolatilityRegimeSpec
    | GapSpec
    | NewHighSpec
    | NewLowSpec
    | CircuitBreakerSpec
    | FeedStaleSpec
    | LuldSpec
    | ExpressionSpec,
    Field(discriminator="kind"),
]
KINDS: Final[tuple[str, ...]] = tuple(
    get_args(spec.model_fields["kind"].annotation)[0] for spec in get_args(get_args(RuleSpec)[0])
)
_ADAPTER: Final[TypeAdapter[RuleSpec]] = TypeAdapter(RuleSpec)
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule of the database."""

    id: UUID
    spec: RuleSpec
    version: int
    created_at: datetime
    updated_at: datetime

    def rule(self) -> Rule:
        """What the rule asks for."""
        spec = self.spec
        hold_ns, hold_rows = _hold(spec)
        return Rule(
            id=str(self.id),
            name=spec.name,
            condition=spec.parameters.condition(),
            symbols=spec.symbols,
            severity=spec.severity,
            labels=spec.labels,
            hold_ns=hold_ns,
            hold_rows=hold_rows,
            cooldown_ns=round(spec.cooldown_seconds * NANOS_PER_SECOND),
            keep_ns=round(spec.keep_firing_for_seconds * NANOS_PER_SECOND),
            schedule=None if spec.schedule is None else schedule_of(spec.schedule),
            version=self.version,
        )


def _hold(spec: RuleSpec) -> tuple[int, int]:
    """How long the condition has to hold, in nanoseconds or in bars."""
    hold = spec.parameters.expression.hold if isinstance(spec, ExpressionSpec) else None
    if hold is None:
        return round(spec.for_seconds * NANOS_PER_SECOND), 0
    return (0, hold.size) if hold.unit == "bars" else (hold.size, 0)


@cache
def schema() -> dict[str, Any]:
    """What a rule may say, as JSON Schema: of each kind its parameters, their choices, limits and defaults."""
    return {"$schema": _DIALECT, "title": "A rule of tickstream-alerting", **_ADAPTER.json_schema()}


def parse(given: Any) -> RuleSpec:
    """Check what someone wrote.

    Raises:
        InvalidRuleError: with everything that is wrong with it.
    """
    try:
        spec = _ADAPTER.validate_python(given)
    except ValidationError as error:
        problems = []
        for detail in error.errors(include_url=False, include_context=False):
            place = [str(part) for part in detail["loc"] if part not in KINDS and part != "[key]"]
            if detail["type"].startswith("union_tag"):
                place = ["kind"]
            problems.append(Problem("".join(f"/{part}" for part in place), _said(detail)))
        raise InvalidRuleError(problems) from None
    misplaced = list(_misplaced(spec))
    if misplaced:
        raise InvalidRuleError(misplaced)
    return spec


def _misplaced(spec: RuleSpec) -> Iterator[Problem]:
    """Groups among the symbols of a rule that isn't about groups, and the other way round."""
    expression = spec.parameters.expression if isinstance(spec, ExpressionSpec) else None
    if expression is not None and subject_of(expression) is not None:
        return
    of_groups = expression is not None and expression.is_of_groups
    for at, pattern in enumerate(spec.symbols):
        if of_groups and not _may_be_group(pattern):
            rule = f"must be {GROUP}NAME, as the rule speaks of a group's own figures, or a pattern such as {GROUP}*"
        elif not of_groups and pattern.startswith(GROUP):
            rule = "must be a symbol: a group has what group.NAME[WINDOW].VALUE says, and nothing else"
        else:
            continue
        yield Problem(f"/symbols/{at}", f"{rule}, was {pattern!r}")


def _may_be_group(pattern: str) -> bool:
    start = re.split(r"[*?]", pattern, maxsplit=1)[0]
    return start.startswith(GROUP) or (start != pattern and GROUP.startswith(start))


def _said(detail: Any) -> str:
    message = detail["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    given = detail["input"]
    if detail["loc"][-1:] == ("when",):
        return str(message)
    return f"{message}, was {given!r}" if isinstance(given, str | int | float) else message
