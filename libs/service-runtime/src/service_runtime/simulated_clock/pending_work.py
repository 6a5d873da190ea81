"""Pending work: what a service's database still has to do, read over a connection that no load can take away."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from contracts.precedence import Precedence
from service_runtime.due_policy import DueLimit
from service_runtime.postgres.database import Connection, Database

# Heads: the deliveries that do not wait behind an earlier one of their owner and stream.
_COUNT_PENDING = text(
    """
    WITH due_timers AS (
        SELECT due_at, precedence FROM timers
        WHERE due_at <= :now AND NOT EXISTS (
            SELECT 1 FROM streams WHERE streams.topic = timers.topic AND streams.key = timers.key
                                    AND streams.parked_because IS NOT NULL)
    ), heads AS (
        SELECT next_attempt_at AS due_at,
               CASE WHEN attempts = 0 THEN 0
                    WHEN first_attempt_at + give_up_after <= :now THEN CAST(:give_up_precedence AS integer)
                    ELSE CAST(:retry_precedence AS integer) END AS precedence
        FROM deliveries AS waiting
        WHERE finished_at IS NULL AND NOT EXISTS (
            SELECT 1 FROM deliveries AS earlier
            WHERE earlier.finished_at IS NULL AND earlier.owner = waiting.owner AND earlier.topic = waiting.topic
              AND earlier.key = waiting.key AND earlier.position < waiting.position)
          AND (outcome IS NULL OR NOT EXISTS (
              SELECT 1 FROM streams WHERE streams.topic = waiting.topic AND streams.key = waiting.key
                                      AND streams.parked_because IS NOT NULL))
    ), held_back AS (
        SELECT precedence FROM due_timers WHERE due_at = :now AND precedence > :max_precedence
        UNION SELECT precedence FROM heads WHERE due_at = :now AND precedence > :max_precedence
    )
    SELECT
        (SELECT count(*) FROM due_timers WHERE due_at < :now OR precedence <= :max_precedence) AS timers,
        (SELECT count(*) FROM heads WHERE due_at < :now OR due_at = :now AND precedence <= :max_precedence) AS webhooks,
        ARRAY(SELECT precedence FROM held_back ORDER BY precedence) AS due_precedences,
        least((SELECT due_at FROM timers WHERE due_at > :now AND NOT EXISTS (
                   SELECT 1 FROM streams WHERE streams.topic = timers.topic AND streams.key = timers.key
                                           AND streams.parked_because IS NOT NULL)
               ORDER BY due_at LIMIT 1),
              (SELECT min(due_at) FROM heads WHERE due_at > :now)) AS next_due_at,
        (SELECT count(*) FROM outbox JOIN journal USING (position) WHERE NOT EXISTS (
             SELECT 1 FROM outbox AS refused JOIN journal AS earlier USING (position)
             WHERE refused.refused_because IS NOT NULL AND earlier.topic = journal.topic
               AND earlier.key = journal.key AND refused.position <= outbox.position)) AS outbox,
        (SELECT count(*) FROM outbox) AS unsent,
        coalesce((SELECT max(position) FROM journal), 0) AS published
    """
)


@dataclass(frozen=True)
class PendingWork:
    """Work in the database: what may start now, what is held back, and what comes next."""

    timers: int
    webhooks: int
    due_precedences: tuple[int, ...]
    next_due_at: datetime | None
    outbox: int
    """Rows that the relay can send; rows behind a refused one wait for an operator."""
    unsent: int
    published: int
    """Position of the newest event in the journal."""


class PendingWorkReader:
    """Answers one question at a time over a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._questions: asyncio.Queue[tuple[DueLimit, asyncio.Future[PendingWork]]] = asyncio.Queue()

    async def read(self, due_limit: DueLimit) -> PendingWork:
        """Returns the pending work under `due_limit`. Raises what the database raises."""
        answer: asyncio.Future[PendingWork] = asyncio.get_running_loop().create_future()
        self._questions.put_nowait((due_limit, answer))
        return await answer

    async def run(self) -> None:
        """Answers until it is cancelled; after an error the next question gets a new connection."""
        while True:
            due_limit, answer = await self._questions.get()
            try:
                async with self._database.open_unpooled_connection() as connection:
                    await self._answer(connection, due_limit, answer)
                    while True:
                        due_limit, answer = await self._questions.get()
                        await self._answer(connection, due_limit, answer)
            except Exception as error:  # noqa: BLE001  the caller of `read` gets it
                if not answer.done():
                    answer.set_exception(error)

    async def _answer(self, connection: Connection, due_limit: DueLimit, answer: "asyncio.Future[PendingWork]") -> None:
        rows = await connection.execute(
            _COUNT_PENDING,
            {
                "now": due_limit.instant,
                "max_precedence": due_limit.max_precedence,
                "retry_precedence": int(Precedence.DELIVERY),
                "give_up_precedence": int(Precedence.UNDELIVERABLE),
            },
        )
        row = rows.one()
        if not answer.done():
            answer.set_result(
                PendingWork(
                    timers=row.timers,
                    webhooks=row.webhooks,
                    due_precedences=tuple(row.due_precedences),
                    next_due_at=row.next_due_at,
                    outbox=row.outbox,
                    unsent=row.unsent,
                    published=row.published,
                )
            )
