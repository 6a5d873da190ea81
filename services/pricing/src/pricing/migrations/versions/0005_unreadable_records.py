"""Adds the table of unreadable records: records of Kafka that a consumer passed because they cannot be read."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    """
    CREATE TABLE unreadable_records (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        consumer text NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        "offset" bigint NOT NULL,
        cause text NOT NULL,
        key bytea,
        headers bytea NOT NULL,
        payload bytea,
        size bigint NOT NULL,
        sha256 bytea NOT NULL,
        found_at timestamptz NOT NULL,
        discarded_at timestamptz,
        discarded_because text,
        UNIQUE (consumer, topic, partition, "offset")
    )
    """,
    "CREATE INDEX unreadable_records_listed ON unreadable_records (found_at, id) WHERE discarded_at IS NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
