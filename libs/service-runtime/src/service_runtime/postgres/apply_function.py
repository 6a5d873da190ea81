"""The database function that applies what units of work decided: all of it in one statement, or nothing.

Every list is given as parallel arrays. `*_units` number the unit of work that an element belongs to. The function
raises CONFLICT and names the units (`3,7`) whose decision no longer holds: a stream has another revision than the one
decided on, an event or an Idempotency-Key was claimed before, a timer or a delivery is gone, or a projection that a
stream wants to wait for has moved. Nothing of any unit is then changed.

It returns a row for each event, in their order, with its position in the journal, and a row for each new delivery. For
one that it has claimed for the caller, the row has the address and the encrypted secrets of its endpoint.
"""

from typing import Final

CONFLICT: Final = "CO001"
"""The SQLSTATE of a conflict; its message is the list of units."""

PARAMETERS: Final = (
    ("applied_at", "timestamptz"),
    ("stream_units", "integer[]"),
    ("stream_topics", "text[]"),
    ("stream_keys", "text[]"),
    ("stream_revisions", "bigint[]"),
    ("stream_versions", "bigint[]"),
    ("stream_hashes", "text[]"),
    ("inbox_units", "integer[]"),
    ("inbox_ids", "uuid[]"),
    ("response_units", "integer[]"),
    ("response_callers", "text[]"),
    ("response_keys", "text[]"),
    ("response_fingerprints", "text[]"),
    ("response_statuses", "smallint[]"),
    ("response_headers", "text[]"),
    ("response_bodies", "bytea[]"),
    ("fired_units", "integer[]"),
    ("fired_ids", "uuid[]"),
    ("fired_at", "timestamptz[]"),
    ("settled_units", "integer[]"),
    ("settled_ids", "uuid[]"),
    ("settled_leases", "uuid[]"),
    ("settled_outcomes", "text[]"),
    ("settled_finished", "boolean[]"),
    ("settled_next_attempts", "timestamptz[]"),
    ("settled_failures", "text[]"),
    ("settled_decided_at", "timestamptz[]"),
    ("attempt_numbers", "integer[]"),
    ("attempt_instants", "timestamptz[]"),
    ("attempt_milliseconds", "integer[]"),
    ("attempt_statuses", "smallint[]"),
    ("attempt_failures", "text[]"),
    ("cancelled_units", "integer[]"),
    ("cancelled_ids", "uuid[]"),
    ("released_ids", "uuid[]"),
    ("hold_units", "integer[]"),
    ("hold_views", "text[]"),
    ("hold_view_keys", "text[]"),
    ("hold_seen", "bigint[]"),
    ("hold_topics", "text[]"),
    ("hold_keys", "text[]"),
    ("hold_councils", "text[]"),
    ("disarmed_topics", "text[]"),
    ("disarmed_keys", "text[]"),
    ("disarmed_kinds", "text[]"),
    ("disarmed_abouts", "text[]"),
    ("timer_topics", "text[]"),
    ("timer_keys", "text[]"),
    ("timer_kinds", "text[]"),
    ("timer_abouts", "text[]"),
    ("timer_due_at", "timestamptz[]"),
    ("timer_precedences", "smallint[]"),
    ("timer_councils", "text[]"),
    ("timer_causes", "text[]"),
    ("timer_traceparents", "text[]"),
    ("delivery_ids", "uuid[]"),
    ("delivery_owners", "text[]"),
    ("delivery_topics", "text[]"),
    ("delivery_keys", "text[]"),
    ("delivery_kinds", "text[]"),
    ("delivery_abouts", "text[]"),
    ("delivery_councils", "text[]"),
    ("delivery_causes", "text[]"),
    ("delivery_traceparents", "text[]"),
    ("delivery_bodies", "bytea[]"),
    ("delivery_give_up_after", "interval[]"),
    ("delivery_queued_at", "timestamptz[]"),
    ("delivery_optional", "boolean[]"),
    ("delivery_leases", "uuid[]"),
    ("leased_until", "timestamptz"),
    ("acknowledged", "bigint[]"),
    ("event_ids", "uuid[]"),
    ("event_topics", "text[]"),
    ("event_keys", "text[]"),
    ("event_versions", "bigint[]"),
    ("event_types", "text[]"),
    ("event_times", "timestamptz[]"),
    ("event_actors", "text[]"),
    ("event_causes", "text[]"),
    ("event_headers", "bytea[]"),
    ("event_payloads", "bytea[]"),
    ("event_hashes", "text[]"),
)
"""Name and type of each parameter, in order."""

_BODY: Final = """
DECLARE
    won bigint[];
    won_ids uuid[];
    lost integer[];
BEGIN
    IF cardinality(stream_units) > 0 THEN
        IF 0 = ANY(stream_revisions) THEN
            INSERT INTO streams (topic, key, revision)
            SELECT t, k, 0 FROM unnest(stream_topics, stream_keys, stream_revisions) AS decided(t, k, r) WHERE r = 0
            ON CONFLICT DO NOTHING;
        END IF;
        WITH updated AS (
            UPDATE streams
            SET revision = revision + 1, version = coalesce(v, version), last_hash = coalesce(h, last_hash)
            FROM unnest(stream_topics, stream_keys, stream_revisions, stream_versions, stream_hashes)
                 WITH ORDINALITY AS decided(t, k, r, v, h, ordinal)
            WHERE topic = t AND key = k AND revision = r
            RETURNING ordinal
        )
        SELECT array_agg(ordinal) INTO won FROM updated;
        IF coalesce(cardinality(won), 0) <> cardinality(stream_units) THEN
            SELECT array_agg(DISTINCT stream_units[i]) INTO lost FROM generate_subscripts(stream_units, 1) AS i
            WHERE i <> ALL(coalesce(won, '{}'));
            RAISE EXCEPTION '%', array_to_string(lost, ',') USING ERRCODE = 'CO001';
        END IF;
    END IF;
    IF cardinality(inbox_units) > 0 THEN
        WITH inserted AS (
            INSERT INTO inbox (event_id, handled_at) SELECT id, applied_at FROM unnest(inbox_ids) AS id
            ON CONFLICT DO NOTHING RETURNING event_id
        )
        SELECT array_agg(event_id) INTO won_ids FROM inserted;
        IF coalesce(cardinality(won_ids), 0) <> cardinality(inbox_units) THEN
            SELECT array_agg(DISTINCT inbox_units[i]) INTO lost FROM generate_subscripts(inbox_units, 1) AS i
            WHERE inbox_ids[i] <> ALL(coalesce(won_ids, '{}'));
            RAISE EXCEPTION '%', array_to_string(coalesce(lost, inbox_units), ',') USING ERRCODE = 'CO001';
        END IF;
    END IF;
    IF cardinality(response_units) > 0 THEN
        WITH inserted AS (
            INSERT INTO idempotency_keys (caller, idempotency_key, fingerprint, received_at, status, headers, answer)
            SELECT c, k, f, applied_at, s, h, b
            FROM unnest(response_callers, response_keys, response_fingerprints, response_statuses, response_headers,
                        response_bodies) AS given(c, k, f, s, h, b)
            ON CONFLICT DO NOTHING RETURNING caller, idempotency_key
        )
        SELECT array_agg(first) INTO won
        FROM (SELECT min(ordinal) AS first
              FROM inserted JOIN unnest(response_callers, response_keys) WITH ORDINALITY AS given(c, k, ordinal)
                   ON c = caller AND k = idempotency_key
              GROUP BY c, k) AS firsts;
        IF coalesce(cardinality(won), 0) <> cardinality(response_units) THEN
            SELECT array_agg(DISTINCT response_units[i]) INTO lost FROM generate_subscripts(response_units, 1) AS i
            WHERE i <> ALL(coalesce(won, '{}'));
            RAISE EXCEPTION '%', array_to_string(coalesce(lost, response_units), ',') USING ERRCODE = 'CO001';
        END IF;
    END IF;
    IF cardinality(fired_units) > 0 THEN
        WITH fired AS (
            DELETE FROM timers USING unnest(fired_ids, fired_at) AS claimed(i, at) WHERE id = i AND due_at <= at
            RETURNING id
        )
        SELECT array_agg(id) INTO won_ids FROM fired;
        IF coalesce(cardinality(won_ids), 0) <> cardinality(fired_units) THEN
            SELECT array_agg(DISTINCT fired_units[i]) INTO lost FROM generate_subscripts(fired_units, 1) AS i
            WHERE fired_ids[i] <> ALL(coalesce(won_ids, '{}'));
            RAISE EXCEPTION '%', array_to_string(coalesce(lost, fired_units), ',') USING ERRCODE = 'CO001';
        END IF;
    END IF;
    IF cardinality(settled_units) > 0 THEN
        WITH settled AS MATERIALIZED (
            SELECT * FROM unnest(
                settled_ids, settled_leases, settled_outcomes, settled_finished, settled_next_attempts,
                settled_failures, settled_decided_at, attempt_numbers, attempt_instants, attempt_milliseconds,
                attempt_statuses, attempt_failures)
            WITH ORDINALITY
                 AS given(i, l, o, is_finished, n, f, d, number, at_instant, milliseconds, code, why, ordinal)
        ), logged AS (
            INSERT INTO delivery_attempts (delivery_id, attempt, at, took_ms, status, failure)
            SELECT i, number, at_instant, milliseconds, code, why FROM settled WHERE number IS NOT NULL
            ON CONFLICT DO NOTHING
        ), changed AS (
            UPDATE deliveries
            SET outcome = o, failure = coalesce(f, failure), lease = NULL, decided_at = d,
                finished_at = CASE WHEN is_finished THEN applied_at END,
                next_attempt_at = coalesce(n, next_attempt_at)
            FROM settled
            WHERE id = i AND finished_at IS NULL AND (o = 'delivered' OR lease = l)
            RETURNING ordinal
        )
        SELECT array_agg(ordinal) INTO won FROM changed;
        IF coalesce(cardinality(won), 0) <> cardinality(settled_units) THEN
            SELECT array_agg(DISTINCT settled_units[i]) INTO lost FROM generate_subscripts(settled_units, 1) AS i
            WHERE settled_units[i] IS NOT NULL AND i <> ALL(coalesce(won, '{}'));
            IF lost IS NOT NULL THEN
                RAISE EXCEPTION '%', array_to_string(lost, ',') USING ERRCODE = 'CO001';
            END IF;
        END IF;
    END IF;
    IF cardinality(cancelled_units) > 0 THEN
        WITH cancelled AS (
            UPDATE deliveries SET outcome = 'cancelled', finished_at = applied_at
            WHERE id = ANY(cancelled_ids) AND attempts = 0 AND outcome IS NULL RETURNING id
        )
        SELECT array_agg(id) INTO won_ids FROM cancelled;
        IF coalesce(cardinality(won_ids), 0) <> cardinality(cancelled_units) THEN
            SELECT array_agg(DISTINCT cancelled_units[i]) INTO lost FROM generate_subscripts(cancelled_units, 1) AS i
            WHERE cancelled_ids[i] <> ALL(coalesce(won_ids, '{}'));
            RAISE EXCEPTION '%', array_to_string(coalesce(lost, cancelled_units), ',') USING ERRCODE = 'CO001';
        END IF;
    END IF;
    IF cardinality(released_ids) > 0 THEN
        DELETE FROM dead_letters WHERE event_id = ANY(released_ids);
    END IF;
    IF cardinality(hold_units) > 0 THEN
        PERFORM pg_advisory_xact_lock_shared(hashtextextended(name, 0))
        FROM (SELECT DISTINCT v || '/' || k AS name FROM unnest(hold_views, hold_view_keys) AS held(v, k)
              ORDER BY name) AS names;
        SELECT array_agg(DISTINCT u) INTO lost
        FROM unnest(hold_units, hold_views, hold_view_keys, hold_seen) AS held(u, v, k, seen)
        JOIN projections ON view = v AND key = k WHERE sequence > seen;
        IF lost IS NOT NULL THEN
            RAISE EXCEPTION '%', array_to_string(lost, ',') USING ERRCODE = 'CO001';
        END IF;
        INSERT INTO holds (view, view_key, topic, key, council)
        SELECT * FROM unnest(hold_views, hold_view_keys, hold_topics, hold_keys, hold_councils) ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(disarmed_keys) > 0 THEN
        DELETE FROM timers USING unnest(disarmed_topics, disarmed_keys, disarmed_kinds, disarmed_abouts)
                                 AS disarmed(t, k, n, a)
        WHERE topic = t AND key = k AND kind = n AND about = a;
    END IF;
    IF cardinality(timer_keys) > 0 THEN
        INSERT INTO timers (topic, key, kind, about, due_at, precedence, council, armed_by, traceparent)
        SELECT * FROM unnest(timer_topics, timer_keys, timer_kinds, timer_abouts, timer_due_at, timer_precedences,
                             timer_councils, timer_causes, timer_traceparents)
        ON CONFLICT (topic, key, kind, about)
        DO UPDATE SET due_at = excluded.due_at, precedence = excluded.precedence, armed_by = excluded.armed_by,
                      traceparent = excluded.traceparent;
    END IF;
    IF cardinality(acknowledged) > 0 THEN
        DELETE FROM outbox WHERE position = ANY(acknowledged);
    END IF;
    IF cardinality(event_ids) > 0 THEN
        RETURN QUERY
        WITH written AS (
            INSERT INTO journal (id, topic, key, version, type, occurred_at, actor, cause, headers, payload, hash)
            SELECT i, t, k, v, n, at, a, c, h, p, x
            FROM unnest(event_ids, event_topics, event_keys, event_versions, event_types, event_times, event_actors,
                        event_causes, event_headers, event_payloads, event_hashes)
                 WITH ORDINALITY AS chained(i, t, k, v, n, at, a, c, h, p, x, ordinal)
            ORDER BY ordinal
            RETURNING position
        ), queued AS (
            INSERT INTO outbox (position) SELECT position FROM written
        )
        SELECT position, CAST(NULL AS uuid), CAST(NULL AS text), CAST(NULL AS bytea), CAST(NULL AS bytea)
        FROM written ORDER BY position;
    END IF;
    IF cardinality(delivery_ids) > 0 THEN
        RETURN QUERY
        WITH addressed AS MATERIALIZED (
            SELECT given.*, endpoint.url AS address, endpoint.secret AS present, endpoint.previous AS former,
                   coalesce(endpoint.is_enabled, false) AS sendable, endpoint.paused_until AS paused
            FROM unnest(delivery_ids, delivery_owners, delivery_topics, delivery_keys, delivery_kinds, delivery_abouts,
                        delivery_councils, delivery_causes, delivery_traceparents, delivery_bodies,
                        delivery_give_up_after, delivery_queued_at, delivery_optional, delivery_leases)
                 WITH ORDINALITY AS given(i, o, t, k, n, a, c, w, p, b, g, at, is_optional, l, ordinal)
            LEFT JOIN LATERAL (
                SELECT url, secret, disabled_because IS NULL AS is_enabled, paused_until,
                       CASE WHEN previous_secret_until > at THEN previous_secret END AS previous
                FROM endpoints WHERE owner = o OFFSET 0) AS endpoint ON true
        ), started AS MATERIALIZED (
            SELECT *, l IS NOT NULL AND sendable AND coalesce(paused <= at, true)
                      AND row_number() OVER (PARTITION BY o, t, k ORDER BY ordinal) = 1
                      AND NOT EXISTS (SELECT 1 FROM deliveries WHERE finished_at IS NULL AND owner = o AND topic = t
                                                                 AND key = k) AS is_started
            FROM addressed WHERE address IS NOT NULL OR NOT is_optional
        ), inserted AS (
            INSERT INTO deliveries (id, owner, topic, key, kind, about, council, caused_by, traceparent, body,
                                    queued_at, next_attempt_at, give_up_after, lease, attempts, first_attempt_at)
            SELECT i, o, t, k, n, a, c, w, p, b, at, CASE WHEN is_started THEN leased_until ELSE at END, g,
                   CASE WHEN is_started THEN l END, CAST(is_started AS integer), CASE WHEN is_started THEN at END
            FROM started ORDER BY ordinal
        )
        SELECT CAST(NULL AS bigint), i, CASE WHEN is_started THEN address END, CASE WHEN is_started THEN present END,
               CASE WHEN is_started THEN former END
        FROM started;
    END IF;
END
"""

APPLY_FUNCTION: Final = (
    "CREATE FUNCTION apply_changes(\n    "
    + ",\n    ".join(f"{name} {kind}" for name, kind in PARAMETERS)
    + "\n) RETURNS TABLE (\n    journal_position bigint, queued_delivery uuid,"
    + "\n    endpoint_url text, endpoint_secret bytea, endpoint_previous_secret bytea\n"
    + ") LANGUAGE plpgsql SET lock_timeout = '2s' AS $$\n#variable_conflict use_column"
    + _BODY
    + "$$;\n"
)
