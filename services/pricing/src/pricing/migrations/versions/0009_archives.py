"""Lets idempotency keys expire, and months of the journal move into archive files."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    "CREATE INDEX idempotency_keys_by_age ON idempotency_keys (received_at)",
    """CREATE TABLE archives (
    name text PRIMARY KEY,
    kind text NOT NULL,
    month date NOT NULL,
    row_count bigint NOT NULL,
    sha256 text NOT NULL,
    archived_at timestamptz NOT NULL,
    first_position bigint,
    last_position bigint,
    UNIQUE (kind, month)
)""",
    """CREATE OR REPLACE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM archives WHERE OLD.position BETWEEN first_position AND last_position) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'restrict_violation';
END $$""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
