"""Searches, offers and placements, beside the runtime's own tables."""

from alembic import op

from service_runtime.postgres import schema
from sourcing.store import TABLES

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema.create(op.execute)
    for statement in schema.statements(TABLES):
        op.execute(statement)
