"""The runtime's own tables, the same in every service's database.

Migrations create the tables (`services/*/src/*/migrations/versions`), and each service's
`test_migrations.py` compares a migrated database with `TABLES`.

streams            a row per stream: version and hash of its last event, revision of its state, whether it is parked
journal            every event that this service published, except archived months: exact bytes, append-only
archives           months of a table that were moved into files; only rows that they list may be deleted
outbox             the journal rows that Kafka has not acknowledged
inbox              every event that this service handled; never pruned
idempotency_keys   the stored response of each Idempotency-Key of a caller, for a limited time
timers             timers that have not fired
dead_letters       events that cannot be handled, and the later events of their keys
unreadable_records records that a consumer passed because they cannot be read; discarded ones are kept
projections        the newest event of another service, by projection and key
holds              which stream waits for an update of which row of a projection
heartbeat          when this service last ran; outages: periods in which it did not
endpoints, deliveries, delivery_attempts   addresses, queue and log of the webhook engine
"""

from typing import Final

from service_runtime.postgres.apply_function import APPLY_FUNCTION

TABLES: Final = (
    """
CREATE TABLE streams (
    topic text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    last_hash text NOT NULL DEFAULT repeat('0', 64),
    parked_because text,
    parked_at timestamptz,
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (topic, key)
) WITH (fillfactor = 70);
CREATE INDEX streams_parked ON streams (parked_at, topic, key) WHERE parked_because IS NOT NULL;

CREATE TABLE journal (
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
);

CREATE TABLE archives (
    name text PRIMARY KEY,
    kind text NOT NULL,
    month date NOT NULL,
    row_count bigint NOT NULL,
    sha256 text NOT NULL,
    archived_at timestamptz NOT NULL,
    first_position bigint,
    last_position bigint,
    UNIQUE (kind, month)
);

CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM archives WHERE OLD.position BETWEEN first_position AND last_position) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER journal_is_never_emptied BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

CREATE TABLE outbox (
    position bigint PRIMARY KEY REFERENCES journal,
    refused_because text
);
CREATE INDEX outbox_refused ON outbox (position) WHERE refused_because IS NOT NULL;

CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    handled_at timestamptz NOT NULL,
    discarded_because text
);

CREATE TABLE idempotency_keys (
    caller text NOT NULL,
    idempotency_key text NOT NULL,
    fingerprint text NOT NULL,
    received_at timestamptz NOT NULL,
    status smallint,
    headers text,
    answer bytea,
    PRIMARY KEY (caller, idempotency_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (received_at);

CREATE TABLE timers (
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
);
CREATE INDEX timers_due ON timers (due_at, precedence);

CREATE TABLE heartbeat (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seen_at timestamptz NOT NULL
);
CREATE TABLE outages (
    down_from timestamptz PRIMARY KEY,
    up_at timestamptz NOT NULL
);

CREATE TABLE dead_letters (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    topic text NOT NULL,
    key text NOT NULL,
    type text NOT NULL,
    headers bytea NOT NULL,
    payload bytea NOT NULL,
    arrived_at timestamptz NOT NULL,
    failure text
);
CREATE INDEX dead_letters_by_stream ON dead_letters (topic, key, position);

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
);
CREATE INDEX unreadable_records_listed ON unreadable_records (found_at, id) WHERE discarded_at IS NULL;

CREATE TABLE projections (
    view text NOT NULL,
    key text NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    change bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (view, key)
);
CREATE INDEX projections_by_change ON projections (change);

CREATE TABLE holds (
    view text NOT NULL,
    view_key text NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    council text NOT NULL,
    PRIMARY KEY (view, view_key, topic, key)
);

CREATE TABLE endpoints (
    owner text PRIMARY KEY,
    url text NOT NULL,
    secret bytea NOT NULL,
    previous_secret bytea,
    previous_secret_until timestamptz,
    disabled_because text,
    changed_at timestamptz NOT NULL,
    paused_until timestamptz,
    failing_since timestamptz,
    failing_notice_at timestamptz
);
CREATE INDEX endpoints_paused ON endpoints (paused_until) WHERE paused_until IS NOT NULL;

CREATE TABLE deliveries (
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
    replayed_at timestamptz,
    acknowledged_at timestamptz,
    CHECK (finished_at IS NULL OR outcome IS NOT NULL)
);
CREATE INDEX deliveries_in_order ON deliveries (owner, topic, key, position) WHERE finished_at IS NULL;
CREATE INDEX deliveries_due ON deliveries (next_attempt_at, position) WHERE finished_at IS NULL;
CREATE INDEX deliveries_by_stream ON deliveries (topic, key, position);
CREATE INDEX deliveries_by_owner ON deliveries (owner, position);
CREATE INDEX deliveries_kept ON deliveries (owner, position)
    WHERE outcome = 'undeliverable' AND acknowledged_at IS NULL;

CREATE TABLE delivery_attempts (
    delivery_id uuid NOT NULL REFERENCES deliveries (id),
    attempt integer NOT NULL,
    at timestamptz NOT NULL,
    took_ms integer NOT NULL,
    status smallint,
    failure text,
    PRIMARY KEY (delivery_id, attempt)
);
"""  # noqa: S608  it has no values
    + APPLY_FUNCTION
)


def split_statements(script: str) -> list[str]:
    """Splits a script into its statements. A statement ends with a semicolon at a line's end, outside a `$$` body."""
    statements: list[str] = []
    part: list[str] = []
    for line in script.strip().splitlines():
        part.append(line)
        inside_body = "\n".join(part).count("$$") % 2
        if line.rstrip().endswith(";") and not inside_body:
            statements.append("\n".join(part))
            part = []
    return statements
