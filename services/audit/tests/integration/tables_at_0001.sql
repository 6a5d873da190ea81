-- The service's part of a database as released code created it at revision 0001, with one row in each table. Frozen: never change it.

CREATE TABLE records (
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
);

CREATE INDEX records_by_stream ON records (topic, subject, source, sequence, "offset");

CREATE TABLE violations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    kind text NOT NULL,
    event_id uuid,
    council text NOT NULL,
    found_at timestamptz NOT NULL,
    UNIQUE (topic, partition, "offset", kind)
);

CREATE INDEX violations_by_council ON violations (council, found_at DESC, id DESC);

CREATE FUNCTION the_record_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record is append-only' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER records_are_append_only BEFORE UPDATE OR DELETE ON records
    FOR EACH ROW EXECUTE FUNCTION the_record_is_append_only();

CREATE TRIGGER records_are_never_emptied BEFORE TRUNCATE ON records
    FOR EACH STATEMENT EXECUTE FUNCTION the_record_is_append_only();

CREATE TRIGGER violations_are_append_only BEFORE UPDATE OR DELETE ON violations
    FOR EACH ROW EXECUTE FUNCTION the_record_is_append_only();

CREATE TRIGGER violations_are_never_emptied BEFORE TRUNCATE ON violations
    FOR EACH STATEMENT EXECUTE FUNCTION the_record_is_append_only();

INSERT INTO records (topic, partition, "offset", key, headers, payload, seal, subject, source, type, council,
    sequence, event_id, prevhash, hash, taken_in_at)
VALUES ('homecare.packages.v1', 1, 1, '018f0000-0000-7000-8000-000000000001', '\x7b7d', '\x7b7d', '\x7b7d',
    'subject', 'source', 'type', 'amberside', 1, '018f0000-0000-7000-8000-000000000002', repeat('0', 64),
    repeat('a', 64), '2026-11-26 09:00:00+00');

INSERT INTO violations (id, topic, partition, "offset", kind, event_id, council, found_at)
VALUES ('018f0000-0000-7000-8000-000000000001', 'homecare.packages.v1', 1, 1, 'kind',
    '018f0000-0000-7000-8000-000000000002', 'amberside', '2026-11-26 09:00:00+00');
