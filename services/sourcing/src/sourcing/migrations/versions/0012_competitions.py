"""Mini-competitions, their encrypted texts, and placements that come from a bid."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    "ALTER TABLE searches DROP CONSTRAINT searches_status_check",
    """ALTER TABLE searches ADD CONSTRAINT searches_status_check
    CHECK (status IN ('running', 'held', 'listed', 'competing', 'placed', 'exhausted', 'stopped'))""",
    "ALTER TABLE searches DROP CONSTRAINT searches_needs_a_person_check",
    """ALTER TABLE searches ADD CONSTRAINT searches_needs_a_person_check
    CHECK (needs_a_person IN ('exhausted', 'held', 'paused', 'call', 'approval', 'open', 'competition'))""",
    "DROP INDEX open_searches",
    """CREATE INDEX open_searches ON searches (status, stage, requested_at)
    WHERE status IN ('running', 'held', 'listed', 'competing', 'exhausted')""",
    "ALTER TABLE placements ADD COLUMN bid_id uuid UNIQUE",
    "ALTER TABLE placements DROP CONSTRAINT placements_check",
    """ALTER TABLE placements ADD CONSTRAINT placements_check
    CHECK (num_nonnulls(offer_id, proposal_id, manual_id, bid_id) = 1)""",
    """CREATE TABLE competitions (
    competition_id uuid PRIMARY KEY,
    package_id uuid NOT NULL REFERENCES searches,
    turn smallint NOT NULL,
    council text NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'closed', 'awarded', 'ended')),
    opened_at timestamptz NOT NULL,
    invited uuid[] NOT NULL,
    body jsonb NOT NULL,
    UNIQUE (package_id, turn)
)""",
    "CREATE INDEX competitions_of_a_provider ON competitions USING gin (invited)",
    """CREATE INDEX competitions_under_way ON competitions (council, opened_at DESC, competition_id DESC)
    WHERE status IN ('open', 'closed')""",
    """CREATE TABLE competition_texts (
    text_id uuid PRIMARY KEY,
    package_id uuid NOT NULL,
    sealed bytea NOT NULL
)""",
    "CREATE INDEX texts_of_a_package ON competition_texts (package_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
