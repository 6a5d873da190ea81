"""Acts of officers: offers out of order, placements by hand, paused searches, and the rows of the work list."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    "ALTER TABLE searches ADD COLUMN acts jsonb NOT NULL DEFAULT '{}'",
    "ALTER TABLE searches ALTER COLUMN acts DROP DEFAULT",
    "ALTER TABLE searches DROP CONSTRAINT searches_needs_a_person_check",
    """ALTER TABLE searches ADD CONSTRAINT searches_needs_a_person_check
    CHECK (needs_a_person IN ('exhausted', 'held', 'paused', 'call', 'approval', 'open'))""",
    """ALTER TABLE offers ADD COLUMN tier text, ADD COLUMN place_lot text, ADD COLUMN place_area text,
    ADD COLUMN act_id uuid""",
    "ALTER TABLE offers DROP CONSTRAINT offers_status_check",
    """ALTER TABLE offers ADD CONSTRAINT offers_status_check
    CHECK (status IN ('made', 'delivered', 'waiting', 'accepted', 'declined', 'expired', 'withdrawn',
                      'fell through'))""",
    "ALTER TABLE placements ADD COLUMN manual_id uuid UNIQUE",
    "ALTER TABLE placements DROP CONSTRAINT placements_check",
    """ALTER TABLE placements ADD CONSTRAINT placements_check
    CHECK (num_nonnulls(offer_id, proposal_id, manual_id) = 1)""",
    """
    CREATE TABLE work_items (
        item_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        package_id uuid NOT NULL REFERENCES searches,
        kind text NOT NULL,
        subject text NOT NULL,
        council text NOT NULL,
        framework text NOT NULL,
        area text NOT NULL,
        officer text,
        since timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        details jsonb NOT NULL,
        UNIQUE (package_id, kind, subject)
    )
    """,
    "CREATE INDEX work_list ON work_items (council, due_at, item_id)",
    "CREATE INDEX work_list_of_an_area ON work_items (council, area, due_at, item_id)",
    """CREATE INDEX work_list_of_an_officer ON work_items (council, officer, due_at, item_id)
    WHERE officer IS NOT NULL""",
    # What waits for an officer in a database of an earlier version.
    """
    INSERT INTO work_items (package_id, kind, subject, council, framework, area, since, due_at, details)
    SELECT package_id, kind, subject, council, care ->> 'framework', care ->> 'area', changed_at,
           coalesce(CAST(details ->> 'due' AS timestamptz), changed_at), details
    FROM searches CROSS JOIN LATERAL (
        SELECT 'exhausted' AS kind, '' AS subject, jsonb_build_object('last_stage', stage) AS details
        WHERE status = 'exhausted'
        UNION ALL
        SELECT 'held', '', jsonb_build_object('missing', missing) WHERE status = 'held'
        UNION ALL
        SELECT 'call', CAST(offer_id AS text), jsonb_build_object(
            'offer_id', offer_id, 'provider_id', provider_id, 'attempt', calls + 1,
            'due', coalesce(answer_by, redirected_at, made_at))
        FROM offers WHERE offers.package_id = searches.package_id AND offers.status = 'made' AND channel = 'phone'
        UNION ALL
        SELECT 'price', listing #>> '{award,award_id}', jsonb_build_object(
            'award_id', listing #>> '{award,award_id}', 'proposal_id', listing #>> '{award,proposal_id}')
        WHERE status = 'listed' AND listing #>> '{award,award_id}' IS NOT NULL
        UNION ALL
        SELECT 'proposals', '', jsonb_build_object('count', jsonb_array_length(listing -> 'proposals'))
        WHERE status = 'listed' AND listing #>> '{award,award_id}' IS NULL
          AND jsonb_array_length(listing -> 'proposals') > 0
        UNION ALL
        SELECT 'nobody proposes', '', jsonb_build_object()
        WHERE status = 'listed' AND listing #>> '{award,award_id}' IS NULL
          AND jsonb_array_length(listing -> 'proposals') = 0 AND CAST(listing ->> 'is_overdue' AS boolean)
    ) AS item
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
