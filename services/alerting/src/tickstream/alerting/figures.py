"""The service's own figures."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class Figures:
    """What both of its loops count."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter("alerting_records", "Records read", ["topic"], registry=registry)
        self.rejected = Counter(
            "alerting_rejected",
            "Records that can't be read, and are left to their topic's DLQ",
            ["topic"],
            registry=registry,
        )
        self.changes = Counter("alerting_transitions", "Changes of alerts' states", ["state"], registry=registry)
        self.published = Counter("alerting_published", "Transitions published", registry=registry)
        self.enabled = Gauge("alerting_rules_enabled", "Rules in force", registry=registry)
        self.decisions = Counter(
            "alerting_decisions", "What transitions came to for receivers", ["outcome"], registry=registry
        )
        self.attempts = Counter(
            "alerting_notification_attempts", "Attempts to tell someone", ["receiver", "outcome"], registry=registry
        )
        self.waiting = Gauge("alerting_notifications_waiting", "Notifications that are to be sent", registry=registry)
        self.files_in_force = Gauge(
            "alerting_file_in_force",
            "Whether what lies in a file is in force, or was refused",
            ["path"],
            registry=registry,
        )
