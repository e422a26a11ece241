"""The receivers of a configuration, with their channels."""

from __future__ import annotations

from tickstream.alerting.adapters.apprise_channel import AppriseChannel
from tickstream.alerting.adapters.channel import Channel
from tickstream.alerting.adapters.mail import Mail
from tickstream.alerting.adapters.templates import Templates
from tickstream.alerting.adapters.webhook import Webhook
from tickstream.alerting.dispatcher import Receiver
from tickstream.alerting.routing_spec import ReceiverSpec, RoutingSpec
from tickstream.core.errors import TickstreamError


def receivers_of(spec: RoutingSpec) -> dict[str, Receiver]:
    """Each receiver by its name."""
    return {
        each.name: Receiver(_channel(each), Templates(each.title, each.text), each.give_up_after)
        for each in spec.receivers
    }


def _channel(spec: ReceiverSpec) -> Channel:
    if spec.webhook is not None:
        return Webhook(spec.webhook)
    if spec.email is not None:
        return Mail(spec.email)
    if spec.apprise is not None:
        return AppriseChannel(spec.apprise)
    raise TickstreamError(f"receiver {spec.name} has no channel")
