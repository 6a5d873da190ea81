"""The pulse of a service: a row renewed each second, so that after an outage it is known how long nobody could answer.

An outage of ours must not cost anybody their time to answer (DOMAIN, clocks: our own outage). What follows from one is
the service's business: it names the kinds of timers whose clocks stand still, and every stream that has one armed is
woken when we are back. An outage that still lasts, as far as the row tells, counts too: a process that was frozen must
not let a timer fire before it has noticed.
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
"""A longer gap is an outage (DESIGN §5)."""
OUTAGE_OVER: Final = "outage-over"
"""The kind of timer that wakes a stream whose clock stood still."""

_SEEN = text("SELECT seen_at FROM pulse FOR UPDATE")
_RENEW = text(
    """
    INSERT INTO pulse (seen_at) VALUES (:now)
    ON CONFLICT (one) DO UPDATE SET seen_at = greatest(pulse.seen_at, excluded.seen_at)
    """
)
_RECORD = text("INSERT INTO outages (down_from, up_at) VALUES (:down_from, :up_at) ON CONFLICT DO NOTHING")
_WAKE = text(
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
    SELECT seen_at, CAST(:now AS timestamptz) FROM pulse
    WHERE seen_at < CAST(:now AS timestamptz) - CAST(:outage AS interval)
    ORDER BY 1
    """
)


@dataclass(frozen=True)
class Outage:
    """From when to when nobody could answer."""

    down_from: datetime
    up_at: datetime


class Heartbeat:
    """Renews the row while the service answers; `paused` are the kinds of timers whose clocks an outage holds."""

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
                self._log.warning("pulse missed", error=type(error).__name__)
            await asyncio.sleep(RENEW_EVERY)

    async def renew(self) -> None:
        """Renews the row; after a gap records the outage and wakes the streams whose clocks stood still."""
        async with self._database.transaction() as connection:
            seen = (await connection.execute(_SEEN)).scalar_one_or_none()
            now = self._clock.now()
            if seen is not None and now - seen > MIN_OUTAGE:
                await self._record(connection, Outage(seen, now))
            await connection.execute(_RENEW, {"now": now})

    async def _record(self, connection: Connection, gap: Outage) -> None:
        await connection.execute(_RECORD, {"down_from": gap.down_from, "up_at": gap.up_at})
        await connection.execute(
            _WAKE,
            {"kind": OUTAGE_OVER, "now": gap.up_at, "precedence": int(Precedence.EXPIRY), "paused": self._paused},
        )
        self._log.warning("an outage is over", seconds=(gap.up_at - gap.down_from).total_seconds())


async def find_outages_since(connection: Connection, since: datetime, *, now: datetime) -> list[Outage]:
    """Our outages that ended after `since`, the earliest first, one that lasts until `now` included."""
    rows = await connection.execute(_SINCE, {"since": since, "now": now, "outage": MIN_OUTAGE})
    return [Outage(row.down_from, row.up_at) for row in rows]
