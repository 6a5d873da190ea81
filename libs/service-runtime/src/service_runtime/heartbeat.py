"""Heartbeat: a row renewed every second; a gap of more than a minute is an outage of the service.

An outage must not shorten the time that a provider has to answer. The service names the kinds of timers that an outage
pauses, and after the outage every stream with such a timer gets a timer of kind `outage-over`. A gap up to now counts
as an outage too, so that a process that was frozen fires no timer before it has recorded the outage.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from contracts.precedence import Precedence
from service_runtime.clock import Clock
from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Connection, Database

RENEW_EVERY: Final = 1.0
"""Seconds between two renewals."""
MIN_OUTAGE: Final = timedelta(minutes=1)
"""A longer gap between renewals is an outage."""
OUTAGE_OVER: Final = "outage-over"
"""Kind of the timer that fires for a stream whose timers were paused by an outage."""

_LOCK_HEARTBEAT = text("SELECT seen_at FROM heartbeat FOR UPDATE")
_RENEW = text(
    """
    INSERT INTO heartbeat (seen_at) VALUES (:now)
    ON CONFLICT (one) DO UPDATE SET seen_at = greatest(heartbeat.seen_at, excluded.seen_at)
    """
)
_INSERT_OUTAGE = text("INSERT INTO outages (down_from, up_at) VALUES (:down_from, :up_at) ON CONFLICT DO NOTHING")
_ARM_TIMERS = text(
    """
    INSERT INTO timers (topic, key, kind, about, due_at, precedence, council, armed_by, traceparent)
    SELECT DISTINCT ON (topic, key) topic, key, :kind, key, CAST(:now AS timestamptz), CAST(:precedence AS smallint),
           council, :kind, ''
    FROM timers WHERE kind = ANY(:paused)
    ON CONFLICT (topic, key, kind, about) DO NOTHING
    """
)
_ALL_OUTAGES = text("SELECT down_from, up_at FROM outages ORDER BY down_from")
_FIND_OUTAGES = text(
    """
    SELECT down_from, up_at FROM outages WHERE up_at > :since
    UNION ALL
    SELECT seen_at, CAST(:now AS timestamptz) FROM heartbeat
    WHERE seen_at < CAST(:now AS timestamptz) - CAST(:outage AS interval)
    ORDER BY 1
    """
)


@dataclass(frozen=True)
class Outage:
    """A period in which the service did not run."""

    down_from: datetime
    up_at: datetime


class OutageLog:
    """The outages, read from memory while this process renews the heartbeat.

    No outage can have been recorded since its last renewal if that is at most MIN_OUTAGE ago, because an outage is a
    longer gap between renewals. Otherwise, and where no heartbeat runs, the outages are read from the table.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._outages: list[Outage] = []
        self._renewed_at: datetime | None = None

    async def list_since(self, since: datetime, *, now: datetime) -> list[Outage]:
        """Returns outages that ended after `since`, the earliest first, including one that lasts until `now`."""
        if self.is_complete(now=now):
            return [outage for outage in self._outages if outage.up_at > since]
        async with self._database.open_read_connection() as connection:
            return await find_outages_since(connection, since, now=now)

    def is_complete(self, *, now: datetime) -> bool:
        """Returns True if no outage can be missing."""
        return self._renewed_at is not None and now - self._renewed_at <= MIN_OUTAGE

    def renew(self, at: datetime, outages: Sequence[Outage] | None = None) -> None:
        """Notes a renewal of the heartbeat, and all recorded outages where they were read."""
        if outages is not None:
            self._outages = list(outages)
        self._renewed_at = at


class Heartbeat:
    """Renews the row while the service runs; `paused` are the kinds of timers that an outage pauses."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        paused: Sequence[str],
        log: Logger,
        outage_log: OutageLog | None = None,
        explain_pause: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._explain_pause = explain_pause
        self._outage_log = outage_log or OutageLog(database)
        self._database = database
        self._clock = clock
        self._paused = list(paused)
        self._log = log

    async def run(self) -> None:
        while True:
            try:
                # A wrong clock would record an outage that never was, or hide the next one.
                if self._explain_pause() is None:
                    await self.renew()
            except Exception as error:  # noqa: BLE001  without the database the service is down; the gap becomes an outage
                self._log.warning("heartbeat failed", error=type(error).__name__)
            await asyncio.sleep(RENEW_EVERY)

    async def renew(self) -> None:
        """Renews the row; after a gap records the outage and arms a timer for each stream with paused timers."""
        async with self._database.begin_transaction() as connection:
            seen = (await connection.execute(_LOCK_HEARTBEAT)).scalar_one_or_none()
            now = self._clock.now()
            if seen is not None and now - seen > MIN_OUTAGE:
                await self._record_outage(connection, Outage(seen, now))
            outages = None if self._outage_log.is_complete(now=now) else await _list_outages(connection)
            await connection.execute(_RENEW, {"now": now})
        self._outage_log.renew(now, outages)

    async def _record_outage(self, connection: Connection, outage: Outage) -> None:
        await connection.execute(_INSERT_OUTAGE, {"down_from": outage.down_from, "up_at": outage.up_at})
        await connection.execute(
            _ARM_TIMERS,
            {"kind": OUTAGE_OVER, "now": outage.up_at, "precedence": int(Precedence.EXPIRY), "paused": self._paused},
        )
        self._log.warning("outage over", seconds=(outage.up_at - outage.down_from).total_seconds())


async def _list_outages(connection: Connection) -> list[Outage]:
    return [Outage(row.down_from, row.up_at) for row in await connection.execute(_ALL_OUTAGES)]


async def find_outages_since(connection: Connection, since: datetime, *, now: datetime) -> list[Outage]:
    """Returns outages that ended after `since`, the earliest first, including one that lasts until `now`."""
    rows = await connection.execute(_FIND_OUTAGES, {"since": since, "now": now, "outage": MIN_OUTAGE})
    return [Outage(row.down_from, row.up_at) for row in rows]
