"""Lets idempotency keys expire, and months of the journal and of the record move into archive files."""

from alembic import op

revision = "0007"
down_revision = "0006"

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
    """CREATE TABLE archived_offsets (
    topic text NOT NULL,
    partition integer NOT NULL,
    first_offset bigint NOT NULL,
    next_offset bigint NOT NULL,
    archive text NOT NULL REFERENCES archives,
    PRIMARY KEY (topic, partition, first_offset)
)""",
    """CREATE TABLE archived_streams (
    topic text NOT NULL,
    partition integer NOT NULL,
    subject text NOT NULL,
    source text NOT NULL,
    council text NOT NULL,
    sequence bigint NOT NULL,
    event_id uuid NOT NULL,
    prevhash text NOT NULL,
    hash text NOT NULL,
    archive text NOT NULL REFERENCES archives,
    PRIMARY KEY (topic, subject, source, sequence)
)""",
    """CREATE FUNCTION records_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM archived_offsets AS moved
                   WHERE moved.topic = OLD.topic AND moved.partition = OLD.partition
                     AND OLD."offset" >= moved.first_offset AND OLD."offset" < moved.next_offset) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the record is append-only' USING ERRCODE = 'restrict_violation';
END $$""",
    "DROP TRIGGER records_are_append_only ON records",
    """CREATE TRIGGER records_are_append_only BEFORE UPDATE OR DELETE ON records
    FOR EACH ROW EXECUTE FUNCTION records_are_append_only()""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
