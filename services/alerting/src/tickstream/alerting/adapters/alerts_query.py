"""What clients may ask about alerts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args
from uuid import UUID

from tickstream.alerting.adapters.acknowledgements import acknowledged_json
from tickstream.alerting.spec import Problem
from tickstream.core.clock import NANOS_PER_MILLI
from tickstream.core.model import AlertState, Severity

_STATES: Final = get_args(AlertState)
_SEVERITIES: Final = get_args(Severity)
_LIMIT: Final = 100
_MOST: Final = 500
_LONGEST_SEARCH: Final = 100
_KNOWN: Final = {"state", "severity", "symbol", "rule", "search", "limit", "cursor"}

_FROM: Final = "FROM alerts LEFT JOIN alert_acknowledgements USING (alert_id)"
ALERT: Final = f"SELECT * {_FROM} WHERE alert_id = %(id)s"
TRANSITIONS: Final = "SELECT * FROM alert_transitions WHERE alert_id = %(id)s ORDER BY revision"
DECISIONS: Final = "SELECT * FROM alert_why WHERE alert_id = %(id)s ORDER BY position"
_PAGE: Final = f"SELECT * {_FROM} WHERE {{}} ORDER BY began DESC, alert_id DESC LIMIT %(rows)s"
_FILTERS: Final = {
    "states": "state = ANY(%(states)s)",
    "severities": "severity = ANY(%(severities)s)",
    "symbols": "symbol = ANY(%(symbols)s)",
    "search": "concat_ws(' ', symbol, rule_name, summary) ILIKE %(search)s",
    "rule_id": "rule_id = %(rule_id)s",
    "rule_name": "rule_name = %(rule_name)s",
    "began": "(began, alert_id) < (%(began)s, %(alert_id)s)",
}


@dataclass(slots=True)
class AlertQuery:
    """Which alerts, newest first; `problems` says what is wrong with the question."""

    limit: int = _LIMIT
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def read(cls, given: Mapping[str, str]) -> AlertQuery:
        """The query of some URL parameters: state, severity, symbol, rule, search, limit, cursor."""
        query = cls()
        query.problems += [Problem(f"/{name}", "there is no such parameter") for name in sorted(set(given) - _KNOWN)]
        query._read_filters(given)
        query._read_limit(given.get("limit", str(_LIMIT)))
        if "cursor" in given:
            query._read_cursor(given["cursor"])
        query.values["rows"] = query.limit + 1
        return query

    @property
    def statement(self) -> str:
        """The SQL; one row more than the limit tells whether there is a next page."""
        chosen = [condition for name, condition in _FILTERS.items() if name in self.values]
        return _PAGE.format(" AND ".join(chosen) or "true")

    @staticmethod
    def cursor_after(rows: Sequence[Mapping[str, Any]]) -> str:
        """Where the next page begins."""
        last = rows[-1]
        return base64.urlsafe_b64encode(f"{last['began']}.{last['alert_id']}".encode()).decode()

    def _read_filters(self, given: Mapping[str, str]) -> None:
        self._read_list(given, "state", "states", _STATES)
        self._read_list(given, "severity", "severities", _SEVERITIES)
        if "search" in given:
            self._read_search(given["search"])
        if "symbol" in given:
            self.values["symbols"] = given["symbol"].split(",")
        if "rule" in given:
            try:
                self.values["rule_id"] = UUID(given["rule"])
            except ValueError:
                self.values["rule_name"] = given["rule"]

    def _read_list(self, given: Mapping[str, str], name: str, value: str, known: Sequence[str]) -> None:
        if name not in given:
            return
        self.values[value] = chosen = given[name].split(",")
        if any(each not in known for each in chosen):
            self.problems.append(Problem(f"/{name}", f"must be of {', '.join(known)}, was {given[name]!r}"))

    def _read_search(self, given: str) -> None:
        if len(given) > _LONGEST_SEARCH:
            said = f"may have {_LONGEST_SEARCH} characters at the most, had {len(given)}"
            self.problems.append(Problem("/search", said))
        literal = given.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        self.values["search"] = f"%{literal}%"

    def _read_limit(self, given: str) -> None:
        if given.isascii() and given.isdigit() and 1 <= int(given) <= _MOST:
            self.limit = int(given)
        else:
            self.problems.append(Problem("/limit", f"must be from 1 to {_MOST}, was {given!r}"))

    def _read_cursor(self, given: str) -> None:
        try:
            began, _, alert_id = base64.urlsafe_b64decode(given).decode().partition(".")
            self.values |= {"began": int(began), "alert_id": UUID(alert_id)}
        except (binascii.Error, ValueError):
            self.problems.append(Problem("/cursor", "must be a next_cursor of an earlier answer"))


def alert_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """An alert as clients get it: event times in milliseconds, null for what hasn't happened."""
    return {
        "alert_id": str(row["alert_id"]),
        "rule_id": str(row["rule_id"]),
        **{name: row[name] for name in ("rule_name", "rule_version", "symbol", "state", "severity", "labels")},
        **{f"{name}_ms": _millis(row[name]) for name in ("began", "fired", "resolved", "ts_event")},
        **{name: row[name] for name in ("value", "threshold", "summary", "revision")},
        "acknowledged": acknowledged_json(row),
    }


def transition_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """A change of an alert's state as clients get it."""
    return {
        **{name: row[name] for name in ("revision", "state", "value", "threshold", "reason", "summary")},
        "ts_event_ms": _millis(row["ts_event"]),
        "recorded_at": row["recorded_at"].isoformat(),
    }


def decision_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """What was decided for a receiver as clients get it, with what became of the notification."""
    sent = {"id": str(row["notification"]), **{name: row[name] for name in ("status", "attempts", "last_error")}}
    return {
        **{name: row[name] for name in ("revision", "receiver", "outcome", "reason")},
        "decided_at": row["decided_at"].isoformat(),
        "notification": sent if row["notification"] else None,
    }


def _millis(nanos: int | None) -> int | None:
    return None if nanos is None else nanos // NANOS_PER_MILLI
