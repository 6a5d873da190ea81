-- The runtime's part of a database as released code created it at revision 0001, with one row in each table. Frozen: never change it.

CREATE TABLE alembic_version (
    version_num character varying(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE streams (
    topic text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    head text NOT NULL DEFAULT repeat('0', 64),
    parked_because text,
    parked_at timestamptz,
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

CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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

CREATE TABLE commands (
    caller text NOT NULL,
    idempotency_key text NOT NULL,
    fingerprint text NOT NULL,
    received_at timestamptz NOT NULL,
    status smallint,
    headers text,
    answer bytea,
    PRIMARY KEY (caller, idempotency_key)
);

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

CREATE TABLE pulse (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seen_at timestamptz NOT NULL
);

CREATE TABLE outages (
    down_from timestamptz PRIMARY KEY,
    up_at timestamptz NOT NULL
);

CREATE TABLE parked (
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

CREATE INDEX parked_by_stream ON parked (topic, key, position);

CREATE TABLE views (
    view text NOT NULL,
    key text NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (view, key)
);

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
    changed_at timestamptz NOT NULL
);

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
    CHECK (finished_at IS NULL OR outcome IS NOT NULL)
);

CREATE INDEX deliveries_in_order ON deliveries (owner, topic, key, position) WHERE finished_at IS NULL;

CREATE INDEX deliveries_due ON deliveries (next_attempt_at, position) WHERE finished_at IS NULL;

CREATE INDEX deliveries_by_stream ON deliveries (topic, key, position);

CREATE INDEX deliveries_by_owner ON deliveries (owner, position);

CREATE TABLE delivery_attempts (
    delivery_id uuid NOT NULL REFERENCES deliveries (id),
    attempt integer NOT NULL,
    at timestamptz NOT NULL,
    took_ms integer NOT NULL,
    status smallint,
    failure text,
    PRIMARY KEY (delivery_id, attempt)
);

INSERT INTO alembic_version (version_num)
VALUES ('0001');

INSERT INTO streams (topic, key, version, head, parked_because, parked_at)
VALUES ('homecare.packages.v1', '018f0000-0000-7000-8000-000000000001', 1, repeat('a', 64), NULL, NULL);

INSERT INTO journal (id, topic, key, version, type, occurred_at, actor, cause, headers, payload, hash)
VALUES ('018f0000-0000-7000-8000-000000000001', 'homecare.packages.v1', '018f0000-0000-7000-8000-000000000001',
    1, 'type', '2026-11-26 09:00:00+00', 'actor', 'cause', '\x7b7d', '\x7b7d', repeat('a', 64));

INSERT INTO outbox (position, refused_because)
VALUES (1, NULL);

INSERT INTO inbox (event_id, handled_at, discarded_because)
VALUES ('018f0000-0000-7000-8000-000000000002', '2026-11-26 09:00:00+00', 'discarded because');

INSERT INTO commands (caller, idempotency_key, fingerprint, received_at, status, headers, answer)
VALUES ('caller', 'idempotency key', 'fingerprint', '2026-11-26 09:00:00+00', 1, 'headers', '\x7b7d');

INSERT INTO timers (id, topic, key, kind, about, due_at, precedence, council, armed_by, traceparent)
VALUES ('018f0000-0000-7000-8000-000000000001', 'homecare.packages.v1', '018f0000-0000-7000-8000-000000000001',
    'kind', 'about', '2026-11-26 09:00:00+00', 1, 'amberside', 'armed by', 'traceparent');

INSERT INTO pulse (one, seen_at)
VALUES (true, '2026-11-26 09:00:00+00');

INSERT INTO outages (down_from, up_at)
VALUES ('2026-11-26 09:00:00+00', '2026-11-26 09:00:00+00');

INSERT INTO parked (event_id, topic, key, type, headers, payload, arrived_at, failure)
VALUES ('018f0000-0000-7000-8000-000000000002', 'homecare.packages.v1', '018f0000-0000-7000-8000-000000000001',
    'type', '\x7b7d', '\x7b7d', '2026-11-26 09:00:00+00', 'failure');

INSERT INTO views (view, key, sequence, type, body)
VALUES ('view', '018f0000-0000-7000-8000-000000000001', 1, 'type', '\x7b7d');

INSERT INTO holds (view, view_key, topic, key, council)
VALUES ('view', 'view key', 'homecare.packages.v1', '018f0000-0000-7000-8000-000000000001', 'amberside');

INSERT INTO endpoints (owner, url, secret, previous_secret, previous_secret_until, disabled_because, changed_at)
VALUES ('owner', 'url', '\x7b7d', '\x7b7d', '2026-11-26 09:00:00+00', 'disabled because',
    '2026-11-26 09:00:00+00');

INSERT INTO deliveries (id, owner, topic, key, kind, about, council, caused_by, traceparent, body, queued_at,
    first_attempt_at, next_attempt_at, give_up_after, attempts, lease, failure, outcome, decided_at, finished_at)
VALUES ('018f0000-0000-7000-8000-000000000001', 'owner', 'homecare.packages.v1',
    '018f0000-0000-7000-8000-000000000001', 'kind', 'about', 'amberside', 'caused by', 'traceparent', '\x7b7d',
    '2026-11-26 09:00:00+00', '2026-11-26 09:00:00+00', '2026-11-26 09:00:00+00', '00:02:00', 1,
    '018f0000-0000-7000-8000-000000000003', 'failure', 'delivered', '2026-11-26 09:00:00+00', NULL);

INSERT INTO delivery_attempts (delivery_id, attempt, at, took_ms, status, failure)
VALUES ('018f0000-0000-7000-8000-000000000001', 1, '2026-11-26 09:00:00+00', 1, 1, 'failure');
