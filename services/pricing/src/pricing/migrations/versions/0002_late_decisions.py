"""Adds the late decisions of a spot price to databases whose table was created without the column."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE spot_prices ADD COLUMN IF NOT EXISTS late_decisions jsonb NOT NULL DEFAULT '[]'")
