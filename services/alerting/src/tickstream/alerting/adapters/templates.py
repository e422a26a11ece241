"""What people read: titles and texts of notifications, by templates of jinja2's sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tickstream.alerting.domain.routing.alert import Change
from tickstream.alerting.domain.routing.decision import Notification
from tickstream.core.errors import TickstreamError

TITLE: Final = """\
{% if kind == "summary" %}{{ held.notifications }} notifications held back\
{% else %}{{ [counts.firing ~ " firing" if counts.firing, counts.resolved ~ " resolved" if counts.resolved]\
 | select | join(", ") }}: {{ group.values() | select | join(", ") or "alerts" }}\
{% if repeated %} (still){% endif %}{% endif %}"""
TEXT: Final = """\
{% if kind == "summary" %}\
More was to be told than {{ receiver }} may get: {{ held.firing }} that fire, {{ held.resolved }} that ended.
{% for rule, count in held.rules.items() %}{{ count }} of {{ rule }}
{% endfor %}\
{% else %}\
{% for alert in firing %}\
FIRING {{ alert.severity }} {{ alert.rule }}: {{ alert.summary }}, {{ alert.ts_event_ms | utc }}\
{% if alert.flapping %} (it flaps: nothing more is told until it is quiet){% endif %}
{% endfor %}\
{% for alert in resolved %}RESOLVED {{ alert.rule }}: {{ alert.summary }} ({{ alert.reason }}), \
{{ alert.ts_event_ms | utc }}
{% endfor %}\
{% if unlisted %}and {{ unlisted }} more
{% endif %}\
{% endif %}"""

_MOST: Final = 60_000
_CHANGE: Final = Change("id", 1, "firing", "id", "rule", "SPY", "warning", {}, 1, 1.0, 1.0, "summary", "reason")
_SAMPLE: Final = Notification("id", "receiver", "", {"rule": "rule"}, 1, (_CHANGE,), (_CHANGE,)).body()


class TemplateFaultError(TickstreamError):
    """A template that can't be rendered."""


class Templates:
    """A receiver's title and text; those of summaries are the usual ones.

    Raises:
        TemplateFaultError: one of them isn't a template, or speaks of what isn't there.
    """

    def __init__(self, title: str | None, text: str | None) -> None:
        self._usual = _template("title", TITLE), _template("text", TEXT)
        self._own = _template("title", title or TITLE), _template("text", text or TEXT)
        for template in self._own:
            _render(template, _SAMPLE)

    def render(self, body: Mapping[str, Any]) -> tuple[str, str]:
        """The title, on one line, and the text; the usual ones when those given can't be rendered after all."""
        try:
            templates = self._usual if body["kind"] == "summary" else self._own
            title, text = (_render(template, body) for template in templates)
        except TemplateFaultError:
            title, text = (_render(template, body) for template in self._usual)
        return " ".join(title.split())[:200], text.strip()[:_MOST]


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.filters["utc"] = _utc
    return environment


def _utc(millis: int) -> str:
    return f"{datetime.fromtimestamp(millis / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _template(name: str, source: str) -> Template:
    try:
        return _environment().from_string(source)
    except TemplateSyntaxError as error:
        raise TemplateFaultError(f"{name} isn't a template: {error.message}, in its line {error.lineno}") from None


def _render(template: Template, body: Mapping[str, Any]) -> str:
    try:
        return template.render(body)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise TemplateFaultError(f"can't be rendered: {error}") from None
