"""Notifications to Slack, PagerDuty and the others that apprise knows; the package is optional."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tickstream.alerting.adapters.channel import Message
from tickstream.alerting.routing_spec import AppriseSpec
from tickstream.core.errors import RetryableError


def missing_apprise(spec: AppriseSpec) -> str:
    """What keeps the channel from working; empty when nothing does."""
    try:
        service = _service(spec)
    except ImportError:
        return "needs the package apprise: install tickstream-alerting[apprise]"
    return "" if service else "url isn't one that apprise knows"


class AppriseChannel:
    """Sends by one URL of apprise's; redirects aren't followed."""

    def __init__(self, spec: AppriseSpec) -> None:
        self._service = _service(spec)

    def send(self, message: Message, now: int) -> None:  # noqa: ARG002 (other channels sign the time)
        """See `Channel`; apprise says only whether it worked, so that every failure counts as one that may pass."""
        kind = "failure" if message.body["counts"]["firing"] else "success"
        if not self._service.notify(title=message.title, body=message.text, notify_type=kind):
            raise RetryableError(f"{self._service.service_name or 'the service'} didn't take it")


def _service(spec: AppriseSpec) -> Any:
    """The service of the URL, None when there is none for it."""
    apprise: Any = import_module("apprise")
    asset = apprise.AppriseAsset(http_redirects=False)
    return apprise.Apprise.instantiate(spec.url.get_secret_value(), asset=asset, suppress_exceptions=True)
