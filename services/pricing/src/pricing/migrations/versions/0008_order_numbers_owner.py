"""Lets `next_order_number` create its sequences as the owner of the tables: the service's role creates nothing."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER FUNCTION next_order_number(text, integer) SECURITY DEFINER SET search_path = public, pg_temp")
