"""Lists that are sent out, their rows, and a package's row on a Batching List."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    "ALTER TABLE searches ADD COLUMN batching jsonb",
    """
    CREATE TABLE lists (
        list_id uuid PRIMARY KEY,
        council text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('batching-list', 'available-packages')),
        framework text NOT NULL,
        stage text NOT NULL,
        day date NOT NULL,
        late boolean NOT NULL,
        moved_from date,
        closes_at timestamptz,
        parts integer NOT NULL,
        issued_at timestamptz NOT NULL,
        closed_at timestamptz
    )
    """,
    "CREATE INDEX lists_of_a_council ON lists (council, issued_at DESC, list_id DESC)",
    """
    CREATE TABLE list_rows (
        reference uuid PRIMARY KEY,
        list_id uuid NOT NULL,
        package_id uuid NOT NULL REFERENCES searches,
        council text NOT NULL,
        position bigint GENERATED ALWAYS AS IDENTITY,
        added jsonb NOT NULL,
        part integer
    )
    """,
    """
    CREATE TABLE list_recipients (
        list_id uuid NOT NULL,
        part integer NOT NULL,
        provider_id uuid NOT NULL,
        areas text[] NOT NULL,
        PRIMARY KEY (list_id, provider_id, part)
    )
    """,
    "CREATE INDEX lists_of_a_provider ON list_recipients (provider_id, list_id)",
    "CREATE INDEX rows_of_a_list ON list_rows (list_id, position)",
    "CREATE INDEX rows_of_a_package ON list_rows (package_id, position)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
