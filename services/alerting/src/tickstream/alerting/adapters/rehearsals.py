"""What clients ask when they test a rule over bars that they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tickstream.alerting.adapters.problems import problems_of
from tickstream.alerting.domain.lifecycle import Transition
from tickstream.alerting.domain.rehearsal import Span, can_rehearse, rehearse
from tickstream.alerting.domain.rule import Rule
from tickstream.alerting.spec import InvalidRuleError, Problem, StoredRule, parse
from tickstream.core.clock import NANOS_PER_MILLI

MOST_BARS: Final = 2_000
_MOST_TRANSITIONS: Final = 500

_Millis = Annotated[int, Field(ge=0, le=253_402_300_800_000)]
_Price = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Bars(BaseModel):
    """Bars by columns, in ascending order; times in milliseconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start_ms: list[_Millis] = Field(min_length=1, max_length=MOST_BARS)
    end_ms: list[_Millis]
    open: list[_Price]
    high: list[_Price]
    low: list[_Price]
    close: list[_Price]

    @model_validator(mode="after")
    def _check(self) -> _Bars:
        columns = (self.end_ms, self.open, self.high, self.low, self.close)
        if any(len(column) != len(self.start_ms) for column in columns):
            raise ValueError("all columns must have the same length")
        if any(end <= start for start, end in zip(self.start_ms, self.end_ms, strict=True)):
            raise ValueError("each bar must end after it starts")
        if any(after < before for before, after in pairwise(self.start_ms)):
            raise ValueError("the bars must be in ascending order")
        if any(low > high for low, high in zip(self.low, self.high, strict=True)):
            raise ValueError("a bar's low must not be above its high")
        return self

    def spans(self) -> list[Span]:
        """As the domain has them."""
        rows = zip(self.start_ms, self.end_ms, self.open, self.high, self.low, self.close, strict=True)
        return [Span(start * NANOS_PER_MILLI, end * NANOS_PER_MILLI, *prices) for start, end, *prices in rows]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: dict[str, Any]
    symbol: Annotated[str, Field(min_length=1, max_length=64)]
    bars: _Bars


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A rule, and the bars of one symbol that it is tried on."""

    rule: Rule
    symbol: str
    bars: _Bars

    def run(self) -> list[Transition]:
        """What the rule would have done."""
        return rehearse(self.rule, self.symbol, self.bars.spans())


def read_rehearsal(given: Any) -> Rehearsal:
    """What a client sent.

    Raises:
        InvalidRuleError: with everything that is wrong with it.
    """
    try:
        asked = _Asked.model_validate(given)
    except ValidationError as error:
        raise InvalidRuleError(problems_of(error)) from None
    now = datetime.now(tz=UTC)
    try:
        spec = parse(asked.rule)
    except InvalidRuleError as error:
        raise InvalidRuleError([Problem(f"/rule{one.pointer}", one.detail) for one in error.problems]) from None
    rule = StoredRule(UUID(int=0), spec, 1, now, now).rule()
    if not can_rehearse(rule):
        raise InvalidRuleError([Problem("/rule/kind", f"{spec.kind} can't be tested on prices alone")])
    return Rehearsal(rule, asked.symbol, asked.bars)


def rehearsal_json(rehearsal: Rehearsal, transitions: Sequence[Transition]) -> dict[str, Any]:
    """What a client gets: how often the rule would have fired, and the first transitions."""
    return {
        "bars": len(rehearsal.bars.start_ms),
        "fired": sum(one.state == "firing" for one in transitions),
        "transitions": [
            {
                "alert_id": one.alert_id,
                "state": one.state,
                "ts_event_ms": one.ts_event // NANOS_PER_MILLI,
                "value": one.value,
                "threshold": one.threshold,
                "summary": one.summary,
                "reason": one.reason,
            }
            for one in transitions[:_MOST_TRANSITIONS]
        ],
    }
