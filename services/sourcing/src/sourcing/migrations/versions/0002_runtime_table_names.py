"""Renames the runtime's tables to the standard words for what they hold."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    "ALTER TABLE streams RENAME COLUMN head TO last_hash",
    "ALTER TABLE pulse RENAME TO heartbeat",
    "ALTER TABLE heartbeat RENAME CONSTRAINT pulse_pkey TO heartbeat_pkey",
    "ALTER TABLE heartbeat RENAME CONSTRAINT pulse_one_check TO heartbeat_one_check",
    "ALTER TABLE views RENAME TO projections",
    "ALTER TABLE projections RENAME CONSTRAINT views_pkey TO projections_pkey",
    "ALTER TABLE commands RENAME TO idempotency_keys",
    "ALTER TABLE idempotency_keys RENAME CONSTRAINT commands_pkey TO idempotency_keys_pkey",
    "ALTER TABLE parked RENAME TO dead_letters",
    "ALTER TABLE dead_letters RENAME CONSTRAINT parked_pkey TO dead_letters_pkey",
    "ALTER TABLE dead_letters RENAME CONSTRAINT parked_event_id_key TO dead_letters_event_id_key",
    "ALTER INDEX parked_by_stream RENAME TO dead_letters_by_stream",
    "ALTER SEQUENCE parked_position_seq RENAME TO dead_letters_position_seq",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
