"""Heartbeat: a row renewed each second; a gap of more than a minute is an outage of the service.

An outage must not cost a provider its time to answer. The service names the kinds of timers that an outage pauses, and
after the outage every stream with such a timer gets a timer of kind `outage-over`. A gap up to now counts as an outage
too, so that a process that was frozen does not fire a timer before it has noticed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from service_runtime.clock import Clock
from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Connection, Database
from service_runtime.timers.timers import Precedence

RENEW_EVERY: Final = 1.0
"""Seconds between two renewals."""
MIN_OUTAGE: Final = timedelta(minutes=1)
"""A longer gap is an outage."""
OUTAGE_OVER: Final = "outage-over"
"""Kind of the timer that wakes a stream whose timers were paused by an outage."""

_SEEN = text("SELECT seen_at FROM heartbeat FOR UPDATE")
_RENEW = text(
    """
    INSERT INTO heartbeat (seen_at) VALUES (:now)
    ON CONFLICT (one) DO UPDATE SET seen_at = greatest(heartbeat.seen_at, excluded.seen_at)
    """
)
_RECORD = text("INSERT INTO outages (down_from, up_at) VALUES (:down_from, :up_at) ON CONFLICT DO NOTHING")
_ARM_TIMERS = text(
    """
    INSERT INTO timers (topic, key, kind, about, due_at, precedence, council, armed_by, traceparent)
    SELECT DISTINCT ON (topic, key) topic, key, :kind, key, CAST(:now AS timestamptz), CAST(:precedence AS smallint),
           council, :kind, ''
    FROM timers WHERE kind = ANY(:paused)
    ON CONFLICT (topic, key, kind, about) DO NOTHING
    """
)
_SINCE = text(
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


class Heartbeat:
    """Renews the row while the service runs; `paused` are the kinds of timers that an outage pauses."""

    def __init__(self, database: Database, clock: Clock, *, paused: Sequence[str], log: Logger) -> None:
        self._database = database
        self._clock = clock
        self._paused = list(paused)
        self._log = log

    async def run(self) -> None:
        while True:
            try:
                await self.renew()
            except Exception as error:  # noqa: BLE001  without the database nobody can answer either: the gap will tell
                self._log.warning("heartbeat failed", error=type(error).__name__)
            await asyncio.sleep(RENEW_EVERY)

    async def renew(self) -> None:
        """Renews the row; after a gap records the outage and wakes the streams with paused timers."""
        async with self._database.begin_transaction() as connection:
            seen = (await connection.execute(_SEEN)).scalar_one_or_none()
            now = self._clock.now()
            if seen is not None and now - seen > MIN_OUTAGE:
                await self._record(connection, Outage(seen, now))
            await connection.execute(_RENEW, {"now": now})

    async def _record(self, connection: Connection, gap: Outage) -> None:
        await connection.execute(_RECORD, {"down_from": gap.down_from, "up_at": gap.up_at})
        await connection.execute(
            _ARM_TIMERS,
            {"kind": OUTAGE_OVER, "now": gap.up_at, "precedence": int(Precedence.EXPIRY), "paused": self._paused},
        )
        self._log.warning("outage over", seconds=(gap.up_at - gap.down_from).total_seconds())


async def find_outages_since(connection: Connection, since: datetime, *, now: datetime) -> list[Outage]:
    """Returns outages that ended after `since`, the earliest first, including one that lasts until `now`."""
    rows = await connection.execute(_SINCE, {"since": since, "now": now, "outage": MIN_OUTAGE})
    return [Outage(row.down_from, row.up_at) for row in rows]
