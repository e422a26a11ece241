"""The keys that programs and people show to the socket."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE api_keys (
    id                  text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
    name                text NOT NULL CHECK (name <> '' AND length(name) <= 100),
    digest              bytea NOT NULL CHECK (length(digest) = 32),
    channels            text[] NOT NULL CHECK (cardinality(channels) > 0),
    symbols             text[] NOT NULL CHECK (cardinality(symbols) > 0),
    max_connections     integer CHECK (max_connections > 0),
    max_subscriptions   integer CHECK (max_subscriptions > 0),
    commands_per_second integer CHECK (commands_per_second > 0),
    created_at          timestamptz NOT NULL DEFAULT now(),
    expires_at          timestamptz CHECK (isfinite(expires_at)),
    revoked_at          timestamptz
);
COMMENT ON TABLE api_keys IS
    'digest is the SHA-256 of a key''s whole text, tsk_<id>_<secret>, which is kept nowhere; '
    'where a limit is null there is none';
"""


def upgrade() -> None:
    op.execute(_TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE api_keys")
