"""When rules are looked at, every version of them with who made it, and what pruning looks for."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE alert_rules ADD COLUMN schedule jsonb CHECK (jsonb_typeof(schedule) = 'object');
COMMENT ON COLUMN alert_rules.schedule IS 'outside of it the rule is not looked at; null is always';

CREATE TABLE alert_rule_versions (
    rule_id    uuid NOT NULL,
    version    integer NOT NULL,
    change     text NOT NULL CHECK (change IN ('made', 'changed', 'deleted')),
    rule       jsonb NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (rule_id, version)
);
COMMENT ON TABLE alert_rule_versions IS
    'the last 100 versions of each rule, written with the change, whoever makes it: what it was from then on, '
    'or, when it was deleted, had been; changed_by is the setting tickstream.actor, or else the role';
CREATE INDEX alert_rule_versions_deleted ON alert_rule_versions (changed_at) WHERE change = 'deleted';

CREATE FUNCTION alert_rules_first_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT coalesce(max(version), 0) + 1 INTO NEW.version FROM alert_rule_versions WHERE rule_id = NEW.id;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION alert_rules_first_version() IS 'a rule that comes back goes on where it was deleted';
CREATE TRIGGER alert_rules_first_version BEFORE INSERT ON alert_rules
    FOR EACH ROW EXECUTE FUNCTION alert_rules_first_version();

CREATE FUNCTION alert_rules_keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept alert_rules := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF TG_OP = 'DELETE' THEN
        kept.version := OLD.version + 1;
    END IF;
    INSERT INTO alert_rule_versions (rule_id, version, change, rule, changed_by)
    VALUES (kept.id, kept.version, CASE TG_OP WHEN 'INSERT' THEN 'made' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END,
        to_jsonb(kept) - '{id,version,created_at,updated_at}'::text[],
        coalesce(nullif(current_setting('tickstream.actor', true), ''), session_user));
    DELETE FROM alert_rule_versions WHERE rule_id = kept.id AND version <= kept.version - 100;
    RETURN NULL;
END $$;
CREATE TRIGGER alert_rules_keep_version AFTER INSERT OR UPDATE OR DELETE ON alert_rules
    FOR EACH ROW EXECUTE FUNCTION alert_rules_keep_version();

INSERT INTO alert_rule_versions (rule_id, version, change, rule, changed_by, changed_at)
    SELECT id, version, 'made', to_jsonb(r) - '{id,version,created_at,updated_at}'::text[], session_user, updated_at
    FROM alert_rules r;

CREATE INDEX alerts_ended ON alerts (updated_at) WHERE state = 'resolved';
CREATE INDEX notifications_ended ON notifications (ended_at) WHERE status <> 'waiting';
"""

_DOWN = """
DROP INDEX alerts_ended, notifications_ended;
DROP TRIGGER alert_rules_keep_version ON alert_rules;
DROP TRIGGER alert_rules_first_version ON alert_rules;
DROP FUNCTION alert_rules_keep_version(), alert_rules_first_version();
DROP TABLE alert_rule_versions;
ALTER TABLE alert_rules DROP COLUMN schedule;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
