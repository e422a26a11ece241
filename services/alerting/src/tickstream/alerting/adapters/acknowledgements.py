"""That someone has seen to an alert: what is written down of it, and how clients get it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from tickstream.alerting.adapters.problems import problems_of
from tickstream.alerting.spec import Problem
from tickstream.core.clock import NANOS_PER_MILLI, NANOS_PER_SECOND

ACTOR_HEADER: Final = "X-Tickstream-Actor"
"""Whose key it was that a service with the API's key let in; goes before what the body says."""
ACKNOWLEDGE: Final = """
    INSERT INTO alert_acknowledgements (alert_id, acknowledged_by, comment)
    SELECT alert_id, %(by)s, %(comment)s FROM alerts WHERE alert_id = %(id)s
    ON CONFLICT (alert_id) DO UPDATE
    SET acknowledged_by = excluded.acknowledged_by, comment = excluded.comment, acknowledged_at = now()"""
TAKE_BACK: Final = "DELETE FROM alert_acknowledgements WHERE alert_id = %(id)s"

_NOBODY: Final = "someone"


class Acknowledgement(BaseModel):
    """What a client says when it acknowledges an alert."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)] = ""

    def values(self, actor: str | None) -> dict[str, Any]:
        """What the statement takes.

        Args:
            actor: who it was, percent-encoded, where that is known better than from what the client says.
        """
        return {"by": unquote(actor or "").strip()[:200] or self.by or _NOBODY, "comment": self.comment}


def read(given: Any) -> Acknowledgement | list[Problem]:
    """What a client sent, or everything that is wrong with it."""
    try:
        return Acknowledgement.model_validate(given)
    except ValidationError as error:
        return problems_of(error)


def acknowledged_json(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The acknowledgement of an alert's row, null when nobody has."""
    at = row["acknowledged_at"]
    if at is None:
        return None
    at_ms = round(at.timestamp() * NANOS_PER_SECOND) // NANOS_PER_MILLI
    return {"by": row["acknowledged_by"], "at_ms": at_ms, "comment": row["comment"]}
