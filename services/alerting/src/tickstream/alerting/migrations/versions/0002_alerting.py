"""Rules, alerts and their transitions, notifications, and the alerting service's own progress."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_RULES = """
CREATE TABLE alert_rules (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name             text NOT NULL UNIQUE CHECK (name <> '' AND length(name) <= 200),
    kind             text NOT NULL CHECK (kind IN ('price_level', 'percent_move', 'volume_spike')),
    symbols          text[] NOT NULL DEFAULT '{*}' CHECK (cardinality(symbols) > 0),
    parameters       jsonb NOT NULL CHECK (jsonb_typeof(parameters) = 'object'),
    severity         text NOT NULL DEFAULT 'warning' CHECK (severity IN ('info', 'warning', 'critical')),
    labels           jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
    for_seconds      double precision NOT NULL DEFAULT 0 CHECK (for_seconds BETWEEN 0 AND 604800),
    cooldown_seconds double precision NOT NULL DEFAULT 0 CHECK (cooldown_seconds BETWEEN 0 AND 604800),
    enabled          boolean NOT NULL DEFAULT true,
    version          integer NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN alert_rules.symbols IS 'symbols, or patterns with * and ?';

CREATE TABLE alert_rules_revision (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE alert_rules_revision IS 'goes up with every change of alert_rules, whoever makes it';
INSERT INTO alert_rules_revision DEFAULT VALUES;

CREATE FUNCTION alert_rules_next_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.created_at := OLD.created_at;
    NEW.updated_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER alert_rules_version BEFORE UPDATE ON alert_rules
    FOR EACH ROW EXECUTE FUNCTION alert_rules_next_version();

CREATE FUNCTION alert_rules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE alert_rules_revision SET revision = revision + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER alert_rules_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON alert_rules
    FOR EACH STATEMENT EXECUTE FUNCTION alert_rules_changed();
"""

_ALERTS = """
CREATE TABLE alerts (
    alert_id     uuid PRIMARY KEY,
    rule_id      uuid NOT NULL,
    rule_name    text NOT NULL,
    rule_version integer NOT NULL,
    symbol       text NOT NULL,
    state        text NOT NULL CHECK (state IN ('pending', 'firing', 'resolved', 'unknown')),
    severity     text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    labels       jsonb NOT NULL DEFAULT '{}',
    began        bigint NOT NULL,
    fired        bigint,
    resolved     bigint,
    ts_event     bigint NOT NULL,
    value        double precision NOT NULL,
    threshold    double precision NOT NULL,
    summary      text NOT NULL,
    revision     integer NOT NULL CHECK (revision >= 0),
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'resolved') = (resolved IS NOT NULL)),
    CHECK (state <> 'firing' OR fired IS NOT NULL)
);
COMMENT ON TABLE alerts IS
    'one row for each alert, its whole life; began, fired, resolved and ts_event are event times in '
    'nanoseconds since the epoch; rule_id may name a rule that was deleted since';
CREATE INDEX alerts_newest ON alerts (began DESC, alert_id DESC);
CREATE INDEX alerts_by_symbol ON alerts (symbol, began DESC, alert_id DESC);
CREATE INDEX alerts_by_rule ON alerts (rule_id, began DESC, alert_id DESC);
CREATE INDEX alerts_active ON alerts (began DESC, alert_id DESC) WHERE state <> 'resolved';

CREATE TABLE alert_transitions (
    alert_id     uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
    revision     integer NOT NULL CHECK (revision >= 0),
    state        text NOT NULL CHECK (state IN ('pending', 'firing', 'resolved', 'unknown')),
    ts_event     bigint NOT NULL,
    value        double precision NOT NULL,
    threshold    double precision NOT NULL,
    reason       text NOT NULL,
    summary      text NOT NULL,
    position     bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    recorded_at  timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    PRIMARY KEY (alert_id, revision)
);
COMMENT ON TABLE alert_transitions IS
    'every change of state and why; a row without published_at has yet to reach the alerts topic';
CREATE INDEX alert_transitions_unpublished ON alert_transitions (position) WHERE published_at IS NULL;

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

_PROGRESS = """
CREATE TABLE alerting_positions (
    topic       text NOT NULL,
    partition   integer NOT NULL CHECK (partition >= 0),
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    PRIMARY KEY (topic, partition)
);
COMMENT ON TABLE alerting_positions IS 'the next offset to read, true to the rows written in the same transactions';

CREATE TABLE alerting_memory (
    topic     text NOT NULL,
    partition integer NOT NULL,
    symbol    text NOT NULL,
    memory    jsonb NOT NULL,
    PRIMARY KEY (topic, partition, symbol)
);
COMMENT ON TABLE alerting_memory IS
    'what the rules remember of each symbol: sequence numbers, windows of prices, volumes';

CREATE TABLE alerting_states (
    rule_id   uuid NOT NULL,
    symbol    text NOT NULL,
    topic     text NOT NULL,
    partition integer NOT NULL,
    condition text NOT NULL,
    state     jsonb NOT NULL,
    PRIMARY KEY (rule_id, symbol)
);
COMMENT ON TABLE alerting_states IS
    'where each rule stands for each symbol; condition is a digest of what the rule asked for then';
CREATE INDEX alerting_states_by_partition ON alerting_states (topic, partition);
"""


def upgrade() -> None:
    op.execute(_RULES)
    op.execute(_ALERTS)
    op.execute(_PROGRESS)


def downgrade() -> None:
    op.execute("DROP TABLE alerting_states, alerting_memory, alerting_positions")
    op.execute("DROP TABLE notifications, alert_transitions, alerts, alert_rules, alert_rules_revision")
    op.execute("DROP FUNCTION alert_rules_next_version(), alert_rules_changed()")
