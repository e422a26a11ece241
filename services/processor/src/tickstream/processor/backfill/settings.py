"""What a backfill can be told."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from tickstream.core.clock import event_time
from tickstream.core.settings import ServiceSettings
from tickstream.processor.domain.recomputed import Scope

BEGINNING: Final = -(2**63)
"""Before any event time."""
_END: Final = 2**63 - 1

_A_TIME: Final = "a time such as 2013-10-08T14:30:00Z"


def _time(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return event_time(value)
    except ValueError:
        raise ValueError(f"must be {_A_TIME}") from None


def _start(value: object) -> object:
    if value == "beginning":
        return BEGINNING
    try:
        return _time(value)
    except ValueError:
        raise ValueError(f"must be beginning or {_A_TIME}") from None


Prefix = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{0,100}$")]


class BackfillSettings(ServiceSettings):
    """With `from_` the processor is a backfill, and nothing else."""

    from_: Annotated[int, BeforeValidator(_start)] | None = Field(
        None, description="backfill the bars that start at this time or later: a time, or beginning; then end"
    )
    until: Annotated[int, BeforeValidator(_time)] | None = Field(
        None, description="backfill: only bars that start before this time"
    )
    to: Prefix | None = Field(None, description="backfill into the topics with this prefix")
    in_place: bool = Field(default=False, description="backfill what is published: what differs, as a revision")
    log: Prefix | None = Field(
        None, description="backfill from the trades in the topics with this prefix, not KAFKA_TOPIC_PREFIX"
    )
    late: float | None = Field(
        None, ge=0, le=31_622_400, description="backfill: seconds a trade may be late, if not PROCESSOR_RETENTION"
    )
    json_: bool = Field(default=False, description="backfill: print what became of it as JSON")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.from_ is None:
            given = ("until", "to", "in_place", "log", "late", "json_")
            if any(getattr(self, name) not in (None, False) for name in given):
                raise ValueError("PROCESSOR_FROM must be given for a backfill, and nothing of a backfill without it")
            return self
        if (self.to is None) != self.in_place:
            raise ValueError("PROCESSOR_TO or PROCESSOR_IN_PLACE must be given for a backfill, and not both")
        if self.until is not None and self.until <= self.from_:
            raise ValueError("PROCESSOR_UNTIL must be after PROCESSOR_FROM")
        if self.to == self.kafka_topic_prefix:
            raise ValueError("PROCESSOR_TO must differ from KAFKA_TOPIC_PREFIX; see PROCESSOR_IN_PLACE")
        return self

    @property
    def scope(self) -> Scope:
        """The windows that the backfill is about."""
        return Scope(BEGINNING if self.from_ is None else self.from_, _END if self.until is None else self.until)
