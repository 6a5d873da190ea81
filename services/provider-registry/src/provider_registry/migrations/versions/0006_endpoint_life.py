"""Keeps webhooks for owners whose endpoint is disabled or failing, and records since when an endpoint fails."""

from alembic import op

revision = "0006"
down_revision = "0005"

# `apply_changes` is changed in place: a notification to a disabled endpoint is queued, so that it is kept.
QUEUE_FOR_DISABLED_ENDPOINTS = """
DO $change$
DECLARE
    definition text := pg_get_functiondef(CAST('apply_changes' AS regproc));
    changed text := replace(definition, 'WHERE sendable OR NOT is_optional',
                            'WHERE address IS NOT NULL OR NOT is_optional');
BEGIN
    IF changed = definition THEN
        RAISE EXCEPTION 'apply_changes is not as expected; migrate with the release that created it first';
    END IF;
    EXECUTE changed;
END
$change$
"""

STATEMENTS = (
    """
    ALTER TABLE endpoints
        ADD COLUMN failing_since timestamptz,
        ADD COLUMN failing_notice_at timestamptz
    """,
    """
    ALTER TABLE deliveries
        ADD COLUMN replayed_at timestamptz,
        ADD COLUMN acknowledged_at timestamptz
    """,
    """
    CREATE INDEX deliveries_kept ON deliveries (owner, position)
        WHERE outcome = 'undeliverable' AND acknowledged_at IS NULL
    """,
    QUEUE_FOR_DISABLED_ENDPOINTS,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
