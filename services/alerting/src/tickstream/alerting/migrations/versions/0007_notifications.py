"""Who is told of alerts: routing's state, its decisions, notifications, and silences."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_UP = """
DROP TABLE notifications;

ALTER TABLE alert_transitions ADD COLUMN routed_at timestamptz DEFAULT now();
ALTER TABLE alert_transitions ALTER COLUMN routed_at DROP DEFAULT;
CREATE INDEX alert_transitions_unrouted ON alert_transitions (position) WHERE routed_at IS NULL;
COMMENT ON COLUMN alert_transitions.routed_at IS 'when it was decided who is told; null until then';

CREATE TABLE notifications (
    id         uuid PRIMARY KEY,
    position   bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    receiver   text NOT NULL,
    stream     text NOT NULL,
    body       jsonb NOT NULL,
    status     text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'sent', 'dead')),
    attempts   integer NOT NULL DEFAULT 0,
    next_try   timestamptz NOT NULL,
    last_error text NOT NULL DEFAULT '',
    history    jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL,
    ended_at   timestamptz
);
COMMENT ON TABLE notifications IS
    'every notification, and every attempt to send it with its outcome (history); id is what receivers know it by, '
    'dead is given up; of a stream, the oldest that waits goes first';
CREATE INDEX notifications_waiting ON notifications (receiver, stream, position) WHERE status = 'waiting';

CREATE TABLE notification_decisions (
    position     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id     uuid NOT NULL,
    revision     integer NOT NULL,
    receiver     text NOT NULL,
    outcome      text NOT NULL CHECK (outcome IN ('grouped', 'notified', 'untold', 'silenced', 'inhibited', 'capped',
                                                  'flapping', 'escalated', 'acknowledged', 'failed')),
    reason       text NOT NULL,
    notification uuid REFERENCES notifications,
    decided_at   timestamptz NOT NULL,
    FOREIGN KEY (alert_id, revision) REFERENCES alert_transitions ON DELETE CASCADE
);
COMMENT ON TABLE notification_decisions IS
    'who was told of each transition, or not, and why; an empty receiver is nobody in particular';
CREATE INDEX notification_decisions_by_alert ON notification_decisions (alert_id, position);
CREATE INDEX notification_decisions_by_notification ON notification_decisions (notification);

CREATE VIEW alert_why AS
SELECT d.alert_id, d.position, d.decided_at, d.revision, t.state, d.receiver, d.outcome, d.reason,
    n.id AS notification, n.status, n.attempts, n.last_error, n.ended_at
FROM notification_decisions d
JOIN alert_transitions t USING (alert_id, revision)
LEFT JOIN notifications n ON n.id = d.notification;
COMMENT ON VIEW alert_why IS
    'every decision about an alert, by position, with what became of its notification';

CREATE TABLE routing_state (
    part  text NOT NULL,
    name  text NOT NULL,
    value jsonb NOT NULL,
    PRIMARY KEY (part, name)
);
COMMENT ON TABLE routing_state IS
    'groups, what their receivers were told, caps; true to the decisions of the same transactions';

CREATE TABLE routing_turns (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    turn     bigint NOT NULL
);
COMMENT ON TABLE routing_turns IS
    'goes up with every change of routing_state: of two instances only one gets through';

CREATE TABLE silences (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    match      jsonb NOT NULL CHECK (jsonb_typeof(match) = 'object' AND match <> '{}'),
    starts_at  timestamptz NOT NULL DEFAULT now(),
    ends_at    timestamptz NOT NULL CHECK (ends_at >= starts_at),
    created_by text NOT NULL CHECK (created_by <> '' AND length(created_by) <= 200),
    comment    text NOT NULL DEFAULT '' CHECK (length(comment) <= 1000),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE silences IS 'alerts that nobody is told of for a while; match has patterns by the names of labels';
CREATE INDEX silences_by_end ON silences (ends_at);
"""

_DOWN = """
DROP TABLE silences, routing_turns, routing_state;
DROP VIEW alert_why;
DROP TABLE notification_decisions, notifications;
ALTER TABLE alert_transitions DROP COLUMN routed_at;
CREATE TABLE notifications (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id     uuid NOT NULL,
    revision     integer NOT NULL,
    channel      text NOT NULL CHECK (channel <> ''),
    attempt      integer NOT NULL CHECK (attempt >= 1),
    outcome      text NOT NULL CHECK (outcome IN ('sent', 'failed', 'grouped', 'silenced', 'inhibited', 'capped')),
    reason       text NOT NULL DEFAULT '',
    attempted_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (alert_id, revision) REFERENCES alert_transitions ON DELETE CASCADE,
    UNIQUE (alert_id, revision, channel, attempt)
);
COMMENT ON TABLE notifications IS 'every attempt to tell someone, and its outcome';
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
