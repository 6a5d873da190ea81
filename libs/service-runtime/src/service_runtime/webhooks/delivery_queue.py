"""The queue of deliveries: rows written with their cause, claimed in batches, one at a time for each owner and stream.

`next_attempt_at` is when a row is due: for its next attempt, to be given up, or, while a process holds its lease, for
the end of that lease. The lease is a fencing token too: a failure counts only with the newest lease, so that a process
that lost it can neither postpone nor give up what another one is sending. A 2xx counts with any lease.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from contracts.precedence import Precedence
from service_runtime.due_policy import DueLimit
from service_runtime.postgres.database import Connection, Reader
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.deliveries import DueDelivery, SettledDelivery

SCANNED: Final = 300
"""Due rows that one claim reads. An owner that fills them all is busy afterwards, and the next claim skips it."""


@dataclass(frozen=True)
class ClaimLimits:
    """How many deliveries a process can claim: in all, for an owner it is not busy with, and for each busy owner."""

    total: int
    per_owner: int
    per_busy_owner: Mapping[str, int]


_FIND_UNATTEMPTED = text(
    """
    SELECT id FROM deliveries
    WHERE topic = :topic AND key = :key AND kind = :kind AND about = :about AND attempts = 0 AND outcome IS NULL
    """
)
# The earliest unfinished delivery of each owner and stream that is due, oldest first, within the limits: in all
# (:total) and for each owner (:per_owner, or :free_slots for the owners that this process is busy with). A delivery
# that is due at this very instant waits for its precedence; first attempts do not wait. While an endpoint is paused,
# its deliveries are postponed to the end of the pause, but not beyond the instant at which they are given up; that of a
# delivery without an attempt counts from its queueing then.
_CLAIM = text(
    """
    WITH paused AS MATERIALIZED (
        SELECT owner, paused_until FROM endpoints WHERE paused_until > :now AND disabled_because IS NULL
    ), postponed AS (
        UPDATE deliveries
        SET lease = NULL,
            next_attempt_at = least(paused_until, coalesce(first_attempt_at, queued_at) + give_up_after)
        FROM paused
        WHERE deliveries.owner = paused.owner AND deliveries.position = ANY(ARRAY(
            SELECT position FROM paused JOIN deliveries USING (owner)
            WHERE finished_at IS NULL AND outcome IS NULL AND next_attempt_at <= :now
              AND coalesce(first_attempt_at, queued_at) + give_up_after > :now
              AND id <> ALL(CAST(:in_flight AS uuid[]))
            FOR UPDATE OF deliveries SKIP LOCKED))
    ), waiting AS MATERIALIZED (
        SELECT position, owner, next_attempt_at FROM deliveries AS waiting
        WHERE finished_at IS NULL AND next_attempt_at <= :now
          AND (next_attempt_at < :now OR attempts = 0
               OR CASE WHEN first_attempt_at + give_up_after <= :now THEN CAST(:give_up_precedence AS integer)
                    ELSE CAST(:retry_precedence AS integer) END <= :max_precedence)
          AND owner <> ALL(CAST(:full_owners AS text[])) AND id <> ALL(CAST(:in_flight AS uuid[]))
          AND (owner NOT IN (SELECT owner FROM paused) OR outcome IS NOT NULL
               OR coalesce(first_attempt_at, queued_at) + give_up_after <= :now)
          AND NOT EXISTS (
              SELECT 1 FROM deliveries AS earlier
              WHERE earlier.finished_at IS NULL AND earlier.owner = waiting.owner AND earlier.topic = waiting.topic
                AND earlier.key = waiting.key AND earlier.position < waiting.position)
          AND (outcome IS NULL OR NOT EXISTS (
              SELECT 1 FROM streams WHERE streams.topic = waiting.topic AND streams.key = waiting.key
                                      AND streams.parked_because IS NOT NULL))
        ORDER BY next_attempt_at, position LIMIT :scanned
    ), placed AS (
        SELECT position, owner, next_attempt_at,
               row_number() OVER (PARTITION BY owner ORDER BY next_attempt_at, position) AS place
        FROM waiting
    ), picked AS (
        SELECT position FROM placed
        LEFT JOIN unnest(CAST(:busy_owners AS text[]), CAST(:free_slots AS integer[])) AS busy(owner, slots)
             USING (owner)
        WHERE place <= coalesce(slots, :per_owner) ORDER BY next_attempt_at, position LIMIT :total
    ), locked AS (
        SELECT position, owner, outcome IS NULL AND coalesce(first_attempt_at + give_up_after > :now, true) AS in_time
        FROM deliveries
        WHERE position = ANY(ARRAY(SELECT position FROM picked)) AND finished_at IS NULL AND next_attempt_at <= :now
        FOR UPDATE SKIP LOCKED
    ), addressed AS (
        SELECT position, url, secret, disabled_because IS NOT NULL AS disabled,
               CASE WHEN previous_secret_until > :now THEN previous_secret END AS previous,
               in_time AND url IS NOT NULL AND disabled_because IS NULL AND coalesce(paused_until <= :now, true)
                   AS sendable
        FROM locked LEFT JOIN endpoints ON endpoints.owner = locked.owner
    )
    UPDATE deliveries
    SET lease = gen_random_uuid(), next_attempt_at = :leased_until,
        attempts = attempts + CASE WHEN sendable THEN 1 ELSE 0 END,
        first_attempt_at = CASE WHEN sendable THEN coalesce(first_attempt_at, :now) ELSE first_attempt_at END
    FROM addressed WHERE deliveries.position = addressed.position
    RETURNING id, lease, deliveries.owner, topic, key, kind, about, council, traceparent, body, queued_at,
              first_attempt_at, first_attempt_at + give_up_after AS give_up_at, attempts, url, secret, previous,
              disabled, sendable, outcome, decided_at, failure, replayed_at IS NOT NULL AS is_replay
    """
)
# One statement for a whole batch. A failure needs the lease that it was claimed with, a 2xx needs none.
_SETTLE = text(
    """
    WITH settled AS (
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:leases AS uuid[]), CAST(:outcomes AS text[]), CAST(:finished AS boolean[]),
            CAST(:nexts AS timestamptz[]), CAST(:failures AS text[]), CAST(:decided AS timestamptz[]),
            CAST(:attempts AS integer[]), CAST(:ats AS timestamptz[]), CAST(:tooks AS integer[]),
            CAST(:statuses AS smallint[]), CAST(:attempt_failures AS text[]))
        AS settled(id, lease, outcome, finished, next_attempt_at, failure, decided_at,
                   attempt, at, took_ms, status, attempt_failure)
    ), logged AS (
        INSERT INTO delivery_attempts (delivery_id, attempt, at, took_ms, status, failure)
        SELECT id, attempt, at, took_ms, status, attempt_failure FROM settled WHERE attempt IS NOT NULL
        ON CONFLICT DO NOTHING
    )
    UPDATE deliveries
    SET outcome = settled.outcome, failure = coalesce(settled.failure, deliveries.failure), lease = NULL,
        decided_at = settled.decided_at,
        finished_at = CASE WHEN settled.finished THEN CAST(:now AS timestamptz) END,
        next_attempt_at = coalesce(settled.next_attempt_at, deliveries.next_attempt_at)
    FROM settled
    WHERE deliveries.id = settled.id AND finished_at IS NULL
      AND (settled.outcome = 'delivered' OR deliveries.lease = settled.lease)
    RETURNING deliveries.id
    """
)


async def find_unattempted(reader: Reader, stream: StreamKey, kind: str, about: str) -> list[UUID]:
    """Returns the ids of deliveries that were never attempted and can still be cancelled."""
    arguments = {"topic": stream.topic, "key": stream.key, "kind": kind, "about": about}
    return [row.id for row in await reader.execute(_FIND_UNATTEMPTED, arguments)]


async def claim(
    connection: Connection, limits: ClaimLimits, *, in_flight: Sequence[UUID], due_limit: DueLimit, lease: timedelta
) -> list[DueDelivery]:
    """Claims due deliveries within `limits`; no other process gets them before `lease` ends."""
    full = [owner for owner, left in limits.per_busy_owner.items() if left < 1]
    rows = await connection.execute(
        _CLAIM,
        {
            "now": due_limit.instant,
            "max_precedence": due_limit.max_precedence,
            "retry_precedence": int(Precedence.DELIVERY),
            "give_up_precedence": int(Precedence.UNDELIVERABLE),
            "leased_until": due_limit.instant + lease,
            "scanned": SCANNED,
            "total": limits.total,
            "per_owner": limits.per_owner,
            "full_owners": full,
            "busy_owners": list(limits.per_busy_owner),
            "free_slots": list(limits.per_busy_owner.values()),
            "in_flight": list(in_flight),
        },
    )
    return list(map(_read_due, rows))


def _read_due(row: Any) -> DueDelivery:  # a row's attributes are its columns
    return DueDelivery(
        id=row.id,
        lease=row.lease,
        owner=row.owner,
        stream=StreamKey(row.topic, row.key),
        kind=row.kind,
        about=row.about,
        council=row.council,
        traceparent=row.traceparent,
        body=row.body,
        queued_at=row.queued_at,
        first_attempt_at=row.first_attempt_at,
        give_up_at=row.give_up_at,
        attempts=row.attempts,
        url=row.url,
        secrets=tuple(secret for secret in (row.secret, row.previous) if secret is not None),
        disabled=row.disabled,
        sendable=row.sendable,
        outcome=row.outcome,
        decided_at=row.decided_at,
        failure=row.failure,
        is_replay=row.is_replay,
    )


_SETTLED_COLUMNS: Final = (
    "ids",
    "leases",
    "outcomes",
    "finished",
    "nexts",
    "failures",
    "decided",
    "attempts",
    "ats",
    "tooks",
    "statuses",
    "attempt_failures",
)
"""The parameters of `_SETTLE` in the order of `SettledDelivery.to_row`."""


async def settle(connection: Connection, settled: Sequence[SettledDelivery], *, now: datetime) -> set[UUID]:
    """Logs attempts, finishes deliveries that have an outcome, and postpones the others.

    Returns the ids that it changed; the others were finished before, or another process holds their lease.
    """
    columns = zip(*(each.to_row() for each in settled), strict=True)
    rows = await connection.execute(
        _SETTLE, {"now": now, **dict(zip(_SETTLED_COLUMNS, map(list, columns), strict=True))}
    )
    return {row.id for row in rows}
