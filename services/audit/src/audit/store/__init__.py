"""Audit's tables, and the repository and queries that use them.

`records` holds each Kafka record byte for byte. The other columns only serve to find a row; verification derives them
again from the bytes. Both tables refuse UPDATE, DELETE and TRUNCATE, except the DELETE of records that are in an
archive. `archived_offsets` has the offsets that each archive holds, `archived_streams` the last archived event of each
stream.
"""

from typing import Final

TABLES: Final = """
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
CREATE INDEX records_of_holders_and_placements ON records (council, type)
    WHERE type IN ('calloff.EligibilityChanged.v1', 'calloff.PackagePlaced.v1');

CREATE TABLE archived_offsets (
    topic text NOT NULL,
    partition integer NOT NULL,
    first_offset bigint NOT NULL,
    next_offset bigint NOT NULL,
    archive text NOT NULL REFERENCES archives,
    PRIMARY KEY (topic, partition, first_offset)
);

CREATE TABLE archived_streams (
    topic text NOT NULL,
    partition integer NOT NULL,
    subject text NOT NULL,
    source text NOT NULL,
    council text NOT NULL,
    sequence bigint NOT NULL,
    event_id uuid NOT NULL,
    prevhash text NOT NULL,
    hash text NOT NULL,
    archive text NOT NULL REFERENCES archives,
    PRIMARY KEY (topic, subject, source, sequence)
);

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
CREATE FUNCTION records_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM archived_offsets AS moved
                   WHERE moved.topic = OLD.topic AND moved.partition = OLD.partition
                     AND OLD."offset" >= moved.first_offset AND OLD."offset" < moved.next_offset) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the record is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER records_are_append_only BEFORE UPDATE OR DELETE ON records
    FOR EACH ROW EXECUTE FUNCTION records_are_append_only();
CREATE TRIGGER records_are_never_emptied BEFORE TRUNCATE ON records
    FOR EACH STATEMENT EXECUTE FUNCTION the_record_is_append_only();
CREATE TRIGGER violations_are_append_only BEFORE UPDATE OR DELETE ON violations
    FOR EACH ROW EXECUTE FUNCTION the_record_is_append_only();
CREATE TRIGGER violations_are_never_emptied BEFORE TRUNCATE ON violations
    FOR EACH STATEMENT EXECUTE FUNCTION the_record_is_append_only();
"""
