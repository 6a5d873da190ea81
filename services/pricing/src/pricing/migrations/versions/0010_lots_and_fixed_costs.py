"""Adds lot and fixed cost to purchase orders, and the framework of each listed package."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    "ALTER TABLE purchase_orders ADD COLUMN lot text NOT NULL DEFAULT 'unknown'",
    "ALTER TABLE purchase_orders ALTER COLUMN lot DROP DEFAULT",
    "ALTER TABLE purchase_orders ADD COLUMN fixed_cost numeric(12, 2) NOT NULL DEFAULT 0",
    "ALTER TABLE purchase_orders ALTER COLUMN fixed_cost DROP DEFAULT",
    """CREATE TABLE listed_packages (
    package_id uuid PRIMARY KEY,
    framework text NOT NULL
)""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
