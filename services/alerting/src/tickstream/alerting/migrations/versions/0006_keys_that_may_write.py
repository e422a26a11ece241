"""A key changes nothing unless it was given leave to."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE api_keys ADD COLUMN may_write boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN api_keys.may_write IS
    'whether rules, acknowledgements and silences may be changed with it';
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute("ALTER TABLE api_keys DROP COLUMN may_write")
