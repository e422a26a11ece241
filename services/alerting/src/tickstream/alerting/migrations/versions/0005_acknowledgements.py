"""Who has seen to an alert."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UP = """
CREATE TABLE alert_acknowledgements (
    alert_id        uuid PRIMARY KEY REFERENCES alerts ON DELETE CASCADE,
    acknowledged_by text NOT NULL CHECK (acknowledged_by <> '' AND length(acknowledged_by) <= 200),
    acknowledged_at timestamptz NOT NULL DEFAULT now(),
    comment         text NOT NULL DEFAULT '' CHECK (length(comment) <= 1000)
);
COMMENT ON TABLE alert_acknowledgements IS
    'that someone has seen to an alert, who and since when; says nothing of whether its condition still holds';
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute("DROP TABLE alert_acknowledgements")
