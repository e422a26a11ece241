"""Rules in the language of expressions, and what rules about bars remember."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KINDS = "('price_level', 'percent_move', 'volume_spike'{})"

_UP = f"""
ALTER TABLE alert_rules DROP CONSTRAINT alert_rules_kind_check;
ALTER TABLE alert_rules ADD CONSTRAINT alert_rules_kind_check CHECK (kind IN {_KINDS.format(", 'expression'")});
ALTER TABLE alert_rules ADD COLUMN keep_firing_for_seconds double precision NOT NULL DEFAULT 0
    CHECK (keep_firing_for_seconds BETWEEN 0 AND 604800);

CREATE TABLE alerting_rows (
    tape    text NOT NULL,
    symbol  text NOT NULL,
    ts      bigint NOT NULL,
    fields  jsonb NOT NULL,
    PRIMARY KEY (tape, symbol, ts)
);
COMMENT ON TABLE alerting_rows IS
    'the last bars, indicators and figures that rules look back at; true to the positions of the same transactions';

CREATE TABLE alerting_tracks (
    rule_id   uuid NOT NULL,
    symbol    text NOT NULL,
    condition text NOT NULL,
    track     jsonb NOT NULL,
    PRIMARY KEY (rule_id, symbol)
);
COMMENT ON TABLE alerting_tracks IS
    'how each rule about bars came to stand where it does for each symbol; condition is a digest of what it asked for';

INSERT INTO alerting_tracks (rule_id, symbol, condition, track)
    SELECT rule_id, symbol, condition, jsonb_build_object('base', state, 'marks', '[]'::jsonb, 'told',
        CASE WHEN state->>'alert_id' = '' THEN '{{}}'::jsonb ELSE jsonb_build_object(
            state->>'alert_id', jsonb_build_array((state->>'revision')::int, 0)) END)
    FROM alerting_states WHERE topic LIKE '%bars';
DELETE FROM alerting_states WHERE topic LIKE '%bars';
DELETE FROM alerting_memory WHERE topic LIKE '%bars';
"""  # noqa: S608 - constants

_DOWN = f"""
DROP TABLE alerting_rows, alerting_tracks;
DELETE FROM alert_rules WHERE kind = 'expression';
ALTER TABLE alert_rules DROP COLUMN keep_firing_for_seconds;
ALTER TABLE alert_rules DROP CONSTRAINT alert_rules_kind_check;
ALTER TABLE alert_rules ADD CONSTRAINT alert_rules_kind_check CHECK (kind IN {_KINDS.format("")});
"""  # noqa: S608 - constants


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
