"""Clock guard: compares the machine's clock with PostgreSQL's, and notices when it jumps.

A clock that is ahead ends offers early, and what it decided stays in the record. While the clock cannot be trusted, due
timers rest, commands are refused temporarily, the heartbeat pauses, and the service is not ready.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Gauge
from sqlalchemy import text

from contracts.errors import RetryLater
from service_runtime.clock import Clock, SystemClock
from service_runtime.observability.logs import Logger
from service_runtime.postgres.database import Database

MAX_DIFFERENCE: Final = timedelta(seconds=5)
"""A larger difference or jump is a wrong clock; machines with NTP differ by milliseconds."""
CHECK_EVERY: Final = 2.0
"""Seconds between two comparisons."""

_READ_CLOCK = text("SELECT clock_timestamp() AS now")


class ClockNotTrusted(RetryLater):
    """The clock of the service's machine is wrong, so that nothing that depends on the time can be decided."""

    title = "Clock not trusted"


class ClockGuard:
    """Tells whether the clock can be trusted. A clock that is not the machine's, such as a simulated one, always can.

    Between two comparisons the wall clock is checked against the monotonic clock, so that a jump is noticed at once.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        log: Logger,
        difference: Gauge,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._log = log
        self._gauge = difference
        self._monotonic = monotonic
        self._is_machine_clock = isinstance(clock, SystemClock)
        self._compared: tuple[datetime, float] | None = None
        """The clock and the monotonic clock at the last comparison; None before the first."""
        self._difference = timedelta()

    async def run(self) -> None:
        """Compares the clocks for as long as the service runs."""
        while self._is_machine_clock:
            try:
                await self.compare()
            except Exception as error:  # noqa: BLE001  without the database nothing is decided; the next check follows
                self._log.warning("clocks not compared", error=type(error).__name__)
            await asyncio.sleep(CHECK_EVERY)

    async def compare(self) -> None:
        """Reads PostgreSQL's clock. A slow answer does not count as a difference."""
        if not self._is_machine_clock:
            return
        before = self._clock.now()
        (row,) = await self._database.find(_READ_CLOCK)
        after, monotonic = self._clock.now(), self._monotonic()
        ahead, behind = max(before - row.now, timedelta()), max(row.now - after, timedelta())
        was_wrong = self.explain() is not None
        self._difference, self._compared = ahead - behind, (after, monotonic)
        self._gauge.set(self._difference.total_seconds())
        if was_wrong != (self.explain() is not None):
            self._log.warning(
                "clock not trusted" if not was_wrong else "clock trusted", seconds=self._difference.total_seconds()
            )

    async def compare_until_right(self) -> None:
        """Compares the clocks once. Raises ClockNotTrusted while they differ."""
        await self.compare()
        self.check()

    def check(self) -> None:
        """Raises ClockNotTrusted while the clock cannot be trusted."""
        because = self.explain()
        if because is not None:
            raise ClockNotTrusted(f"{because}; try again shortly", retry_after=5)

    def explain(self) -> str | None:
        """Returns why the clock cannot be trusted, or None if it can."""
        if abs(self._difference) > MAX_DIFFERENCE:
            direction = "ahead of" if self._difference > timedelta() else "behind"
            seconds = abs(self._difference).total_seconds()
            return f"the clock of the service is {seconds:.0f} s {direction} the database's"
        return "the clock of the service has jumped and is being compared" if self._has_jumped() else None

    def _has_jumped(self) -> bool:
        if self._compared is None:
            return False
        wall, monotonic = self._compared
        expected = wall + timedelta(seconds=self._monotonic() - monotonic)
        return abs(self._clock.now() - expected) > MAX_DIFFERENCE
