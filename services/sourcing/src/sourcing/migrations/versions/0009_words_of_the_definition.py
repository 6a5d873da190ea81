"""Stages with several tiers and lists, offers to all providers at once, placements by lot.

Searches, offers and placements of earlier versions have no lot and cannot be continued.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    "ALTER TABLE searches DROP COLUMN tier, DROP COLUMN list_version",
    """ALTER TABLE searches ADD COLUMN follows jsonb, ADD COLUMN tiers text[] NOT NULL DEFAULT '{}',
    ADD COLUMN lists jsonb NOT NULL DEFAULT '[]'""",
    "ALTER TABLE searches ALTER COLUMN tiers DROP DEFAULT, ALTER COLUMN lists DROP DEFAULT",
    """ALTER TABLE offers ADD COLUMN deliver_within_minutes integer NOT NULL DEFAULT 2,
    ADD COLUMN asks_all boolean NOT NULL DEFAULT false, ADD COLUMN withdrawn_because text""",
    "ALTER TABLE offers ALTER COLUMN deliver_within_minutes DROP DEFAULT",
    "ALTER TABLE offers DROP CONSTRAINT offers_status_check",
    """ALTER TABLE offers ADD CONSTRAINT offers_status_check
    CHECK (status IN ('made', 'delivered', 'waiting', 'accepted', 'declined', 'expired', 'withdrawn'))""",
    "DROP INDEX one_live_offer_of_a_package",
    """CREATE UNIQUE INDEX one_live_offer_of_a_package ON offers (package_id)
    WHERE status IN ('made', 'delivered') AND NOT asks_all""",
    "CREATE UNIQUE INDEX one_accepted_offer_of_a_package ON offers (package_id) WHERE status = 'accepted'",
    """ALTER TABLE placements ADD COLUMN framework text NOT NULL DEFAULT 'unknown',
    ADD COLUMN lot text NOT NULL DEFAULT 'unknown'""",
    "ALTER TABLE placements ALTER COLUMN framework DROP DEFAULT, ALTER COLUMN lot DROP DEFAULT",
    """CREATE INDEX placements_of_an_area ON placements (framework, lot, area, provider_id, placed_at)
    WHERE NOT voided""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
