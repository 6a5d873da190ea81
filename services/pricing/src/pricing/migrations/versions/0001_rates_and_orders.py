"""Selected rates, purchase orders and spot prices, beside the runtime's own tables."""

from alembic import op

from pricing.store import TABLES
from service_runtime.postgres import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema.create(op.execute)
    for statement in schema.statements(TABLES):
        op.execute(statement)
