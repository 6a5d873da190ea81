"""Creates the runtime's tables, and records and violations."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """CREATE TABLE streams (
    topic text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    head text NOT NULL DEFAULT repeat('0', 64),
    parked_because text,
    parked_at timestamptz,
    PRIMARY KEY (topic, key)
) WITH (fillfactor = 70)""",
    "CREATE INDEX streams_parked ON streams (parked_at, topic, key) WHERE parked_because IS NOT NULL",
    """CREATE TABLE journal (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    topic text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL,
    type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    actor text NOT NULL,
    cause text NOT NULL,
    headers bytea NOT NULL,
    payload bytea NOT NULL,
    hash text NOT NULL,
    UNIQUE (topic, key, version)
)""",
    """CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'restrict_violation';
END $$""",
    """CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()""",
    """CREATE TRIGGER journal_is_never_emptied BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()""",
    """CREATE TABLE outbox (
    position bigint PRIMARY KEY REFERENCES journal,
    refused_because text
)""",
    "CREATE INDEX outbox_refused ON outbox (position) WHERE refused_because IS NOT NULL",
    """CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    handled_at timestamptz NOT NULL,
    discarded_because text
)""",
    """CREATE TABLE commands (
    caller text NOT NULL,
    idempotency_key text NOT NULL,
    fingerprint text NOT NULL,
    received_at timestamptz NOT NULL,
    status smallint,
    headers text,
    answer bytea,
    PRIMARY KEY (caller, idempotency_key)
)""",
    """CREATE TABLE timers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    topic text NOT NULL,
    key text NOT NULL,
    kind text NOT NULL,
    about text NOT NULL,
    due_at timestamptz NOT NULL,
    precedence smallint NOT NULL,
    council text NOT NULL,
    armed_by text NOT NULL,
    traceparent text NOT NULL,
    UNIQUE (topic, key, kind, about)
)""",
    "CREATE INDEX timers_due ON timers (due_at, precedence)",
    """CREATE TABLE pulse (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seen_at timestamptz NOT NULL
)""",
    """CREATE TABLE outages (
    down_from timestamptz PRIMARY KEY,
    up_at timestamptz NOT NULL
)""",
    """CREATE TABLE parked (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    topic text NOT NULL,
    key text NOT NULL,
    type text NOT NULL,
    headers bytea NOT NULL,
    payload bytea NOT NULL,
    arrived_at timestamptz NOT NULL,
    failure text
)""",
    "CREATE INDEX parked_by_stream ON parked (topic, key, position)",
    """CREATE TABLE views (
    view text NOT NULL,
    key text NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (view, key)
)""",
    """CREATE TABLE holds (
    view text NOT NULL,
    view_key text NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    council text NOT NULL,
    PRIMARY KEY (view, view_key, topic, key)
)""",
    """CREATE TABLE endpoints (
    owner text PRIMARY KEY,
    url text NOT NULL,
    secret bytea NOT NULL,
    previous_secret bytea,
    previous_secret_until timestamptz,
    disabled_because text,
    changed_at timestamptz NOT NULL
)""",
    """CREATE TABLE deliveries (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    owner text NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    kind text NOT NULL,
    about text NOT NULL,
    council text NOT NULL,
    caused_by text NOT NULL,
    traceparent text NOT NULL,
    body bytea NOT NULL,
    queued_at timestamptz NOT NULL,
    first_attempt_at timestamptz,
    next_attempt_at timestamptz NOT NULL,
    give_up_after interval NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    lease uuid,
    failure text,
    outcome text CHECK (outcome IN ('delivered', 'undeliverable', 'cancelled')),
    decided_at timestamptz,
    finished_at timestamptz,
    CHECK (finished_at IS NULL OR outcome IS NOT NULL)
)""",
    "CREATE INDEX deliveries_in_order ON deliveries (owner, topic, key, position) WHERE finished_at IS NULL",
    "CREATE INDEX deliveries_due ON deliveries (next_attempt_at, position) WHERE finished_at IS NULL",
    "CREATE INDEX deliveries_by_stream ON deliveries (topic, key, position)",
    "CREATE INDEX deliveries_by_owner ON deliveries (owner, position)",
    """CREATE TABLE delivery_attempts (
    delivery_id uuid NOT NULL REFERENCES deliveries (id),
    attempt integer NOT NULL,
    at timestamptz NOT NULL,
    took_ms integer NOT NULL,
    status smallint,
    failure text,
    PRIMARY KEY (delivery_id, attempt)
)""",
    """CREATE TABLE records (
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    key bytea,
    headers bytea NOT NULL,
    payload bytea,
    seal bytea NOT NULL,
    subject text NOT NULL,
    source text NOT NULL,
    type text NOT NULL,
    council text NOT NULL,
    sequence bigint NOT NULL,
    event_id uuid,
    prevhash text NOT NULL,
    hash text NOT NULL,
    taken_in_at timestamptz NOT NULL,
    PRIMARY KEY (topic, partition, "offset")
)""",
    """CREATE INDEX records_by_stream ON records (topic, subject, source, sequence, "offset")""",
    """CREATE TABLE violations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    kind text NOT NULL,
    event_id uuid,
    council text NOT NULL,
    found_at timestamptz NOT NULL,
    UNIQUE (topic, partition, "offset", kind)
)""",
    "CREATE INDEX violations_by_council ON violations (council, found_at DESC, id DESC)",
    """CREATE FUNCTION the_record_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record is append-only' USING ERRCODE = 'restrict_violation';
END $$""",
    """CREATE TRIGGER records_are_append_only BEFORE UPDATE OR DELETE ON records
    FOR EACH ROW EXECUTE FUNCTION the_record_is_append_only()""",
    """CREATE TRIGGER records_are_never_emptied BEFORE TRUNCATE ON records
    FOR EACH STATEMENT EXECUTE FUNCTION the_record_is_append_only()""",
    """CREATE TRIGGER violations_are_append_only BEFORE UPDATE OR DELETE ON violations
    FOR EACH ROW EXECUTE FUNCTION the_record_is_append_only()""",
    """CREATE TRIGGER violations_are_never_emptied BEFORE TRUNCATE ON violations
    FOR EACH STATEMENT EXECUTE FUNCTION the_record_is_append_only()""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
