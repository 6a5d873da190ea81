"""Offers keep which kinds of answers were recorded and not used, so that each kind is recorded once."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("ALTER TABLE offers ADD COLUMN refused_answers text[] NOT NULL DEFAULT '{}'")
