"""Adds notices to providers with what belongs to them: proposals that stand, calls, bounces, issued lists."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    """CREATE TABLE notices (
    notice_id uuid PRIMARY KEY,
    council text NOT NULL,
    package_id uuid,
    list_id uuid,
    kind text NOT NULL,
    about uuid NOT NULL,
    provider_id uuid NOT NULL,
    facts jsonb NOT NULL,
    channel text NOT NULL,
    state text NOT NULL,
    because text,
    mail_id uuid,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    settled_at timestamptz,
    calls integer NOT NULL,
    CHECK ((package_id IS NULL) <> (list_id IS NULL)),
    CHECK ((settled_at IS NULL) = (state IN ('sending', 'to call')))
)""",
    "CREATE INDEX notices_of_a_package ON notices (package_id) WHERE package_id IS NOT NULL",
    "CREATE INDEX notices_of_a_list ON notices (list_id) WHERE list_id IS NOT NULL",
    "CREATE INDEX notices_to_a_provider ON notices (provider_id, notice_id)",
    "CREATE INDEX pending_notices ON notices (council, due_at, notice_id) WHERE settled_at IS NULL",
    "CREATE UNIQUE INDEX notices_by_mail ON notices (mail_id) WHERE mail_id IS NOT NULL",
    """CREATE TABLE standing_proposals (
    package_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    proposal_id uuid NOT NULL,
    facts jsonb NOT NULL,
    PRIMARY KEY (package_id, provider_id)
)""",
    """CREATE TABLE notice_calls (
    notice_id uuid NOT NULL REFERENCES notices,
    attempt integer NOT NULL,
    result text NOT NULL,
    officer text NOT NULL,
    called_at timestamptz NOT NULL,
    PRIMARY KEY (notice_id, attempt)
)""",
    """CREATE TABLE mail_bounces (
    mail_id uuid PRIMARY KEY,
    council text NOT NULL,
    status text NOT NULL,
    reported_by text NOT NULL,
    reported_at timestamptz NOT NULL
)""",
    """CREATE TABLE issued_lists (
    list_id uuid NOT NULL,
    part integer NOT NULL,
    council text NOT NULL,
    type text NOT NULL,
    issued jsonb NOT NULL,
    PRIMARY KEY (list_id, part)
)""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
