"""Adds the index `records_of_holders_and_placements`: a replay's evidence does not scan the whole record."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENT = """
CREATE INDEX records_of_holders_and_placements ON records (council, type)
    WHERE type IN ('calloff.EligibilityChanged.v1', 'calloff.PackagePlaced.v1')
"""


def upgrade() -> None:
    op.execute(STATEMENT)
