"""Kinds of rules about markets."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OLD = ("price_level", "percent_move", "volume_spike", "expression")
_NEW = (
    "price_spike",
    "volume_surge",
    "volatility_regime",
    "gap",
    "new_high",
    "new_low",
    "circuit_breaker",
    "feed_stale",
    "luld",
)


def _listed(kinds: tuple[str, ...]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


def _allow(kinds: tuple[str, ...]) -> None:
    op.execute("ALTER TABLE alert_rules DROP CONSTRAINT alert_rules_kind_check")
    op.execute(f"ALTER TABLE alert_rules ADD CONSTRAINT alert_rules_kind_check CHECK (kind IN ({_listed(kinds)}))")


def upgrade() -> None:
    _allow(_OLD + _NEW)


def downgrade() -> None:
    op.execute(f"DELETE FROM alert_rules WHERE kind IN ({_listed(_NEW)})")  # noqa: S608 - constants
    _allow(_OLD)
