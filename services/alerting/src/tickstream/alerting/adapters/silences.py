"""Silences: what clients say and get, and the statements for their table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from psycopg.types.json import Jsonb
from pydantic import Field, ValidationError, model_validator

from tickstream.alerting.adapters.acknowledgements import Acknowledgement
from tickstream.alerting.adapters.problems import problems_of
from tickstream.alerting.routing_spec import Patterns
from tickstream.alerting.spec import LabelName, Problem
from tickstream.core.clock import NANOS_PER_MILLI, NANOS_PER_SECOND

_MOST: Final = 1000
_LONGEST: Final = 366 * 86_400
_LATEST_MS: Final = 4_102_444_800_000
_COLUMNS: Final = """id, match, starts_at, ends_at, created_by, comment, created_at,
    CASE WHEN ends_at <= now() THEN 'expired' WHEN starts_at > now() THEN 'pending' ELSE 'active' END AS state"""

STATES: Final = ("active", "pending", "expired")
LIST: Final = f"""
    SELECT * FROM (SELECT {_COLUMNS} FROM silences) s WHERE state = ANY(%(states)s)
    ORDER BY created_at DESC, id LIMIT {_MOST}"""  # noqa: S608 - constants, as are those below
ONE: Final = f"SELECT {_COLUMNS} FROM silences WHERE id = %(id)s"  # noqa: S608 - see above
INSERT: Final = f"""
    INSERT INTO silences (match, starts_at, ends_at, created_by, comment)
    VALUES (%(match)s, %(starts)s, %(ends)s, %(by)s, %(comment)s) RETURNING {_COLUMNS}"""  # noqa: S608 - see above
EXPIRE: Final = """
    UPDATE silences SET ends_at = greatest(starts_at, least(ends_at, now())) WHERE id = %(id)s"""

Moment = Annotated[int, Field(ge=0, le=_LATEST_MS)]


class SilenceRequest(Acknowledgement):
    """What a client says: of what it doesn't want to hear, from when (now, unless said), and until when."""

    match: Annotated[dict[LabelName, Patterns], Field(min_length=1, max_length=32)]
    starts_ms: Moment | None = None
    ends_ms: Moment | None = None
    for_seconds: Annotated[float, Field(gt=0, le=_LONGEST)] | None = None

    @model_validator(mode="after")
    def _check(self) -> SilenceRequest:
        if (self.ends_ms is None) == (self.for_seconds is None):
            raise ValueError("needs one of ends_ms and for_seconds")
        return self

    def parameters(self, now: datetime, actor: str | None) -> dict[str, Any] | list[Problem]:
        """What the statement takes."""
        starts = now if self.starts_ms is None else _moment(self.starts_ms)
        ends = starts + timedelta(seconds=self.for_seconds or 0) if self.ends_ms is None else _moment(self.ends_ms)
        if ends <= max(starts, now):
            return [Problem("/ends_ms", "must come after its start, and be to come")]
        return {"match": Jsonb(self.match), "starts": starts, "ends": ends, **self.values(actor)}


def read(given: Any) -> SilenceRequest | list[Problem]:
    """What a client sent, or everything that is wrong with it."""
    try:
        return SilenceRequest.model_validate(given)
    except ValidationError as error:
        return problems_of(error)


def states_of(given: str | None) -> list[str]:
    """The states asked for; those that aren't over unless said otherwise.

    Raises:
        ValueError: there is no such state.
    """
    if given is None:
        return ["active", "pending"]
    states = given.split(",")
    if not set(states) <= set(STATES):
        raise ValueError(f"must be of {', '.join(STATES)}, was {given!r}")
    return states


def silence_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """A silence as clients get it."""
    return {
        "id": str(row["id"]),
        "match": row["match"],
        "state": row["state"],
        "starts_ms": _millis(row["starts_at"]),
        "ends_ms": _millis(row["ends_at"]),
        "by": row["created_by"],
        "comment": row["comment"],
        "created_ms": _millis(row["created_at"]),
    }


def _moment(millis: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=millis)


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * NANOS_PER_SECOND) // NANOS_PER_MILLI
