"""Refreshes gauges from PostgreSQL and Kafka at each scrape and export."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final, Protocol

from service_runtime.clock import Clock
from service_runtime.dead_letters import parked_keys
from service_runtime.dead_letters.unreadable_records import count_unreadable_records
from service_runtime.observability.guard import TelemetryGuard
from service_runtime.observability.instruments import GaugeSpec
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import Metrics
from service_runtime.outbox.outbox_table import measure_outbox
from service_runtime.postgres.database import Database
from service_runtime.timers import timers
from service_runtime.webhooks.endpoint_queries import count_failing_endpoints
from service_runtime.webhooks.queue_measures import count_waiting, measure_overdue
from service_runtime.webhooks.reencryption import count_under_old_keys
from service_runtime.webhooks.secret_box import SecretBox

READ_TIMEOUT: Final = 2.0
"""Seconds. A scrape times out soon, and counters are worth serving while database or Kafka do not answer."""


GAUGES: Final = TelemetryGuard("gauges")


class LagReader(Protocol):
    """A reader of topics that can report its lag: the event consumer or a batch feed."""

    @property
    def group(self) -> str: ...
    async def get_lag(self) -> Mapping[str, int]: ...


class GaugeRefresher:
    """Refreshes the gauges of one process."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        readers: Sequence[LagReader],
        *,
        log: Logger,
        metrics: Metrics,
        secret_box: SecretBox | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._readers = tuple(readers)
        self._log = log
        self._metrics = metrics
        self._secret_box = secret_box

    async def refresh(self) -> None:
        """Reads all gauges at once; never raises.

        A gauge that cannot be read keeps its value, is counted, and `gauges_fresh` becomes 0; the others are set.
        """
        reads = [self._read_outbox(), self._read_runtime(), self._read_lag()]
        reads += [self._read_business(gauge) for gauge in self._metrics.business.gauges]
        if self._secret_box is not None:
            reads.append(self._read_endpoints(self._secret_box))
        fresh = await asyncio.gather(*map(self._try_to_read, reads))
        self._metrics.gauges_fresh.set(all(fresh))

    async def _try_to_read(self, read: Coroutine[Any, Any, None]) -> bool:
        """Returns False if the gauge could not be read in time."""
        with GAUGES:
            try:
                async with asyncio.timeout(READ_TIMEOUT):
                    await read
            except Exception as error:
                self._log.warning("gauge not refreshed", gauge=read.__name__, error=type(error).__name__)
                raise
            return True
        return False

    async def _read_outbox(self) -> None:
        rows, age = await measure_outbox(self._database, self._clock)
        self._metrics.relay.depth.set(rows)
        self._metrics.relay.age.set(age)

    async def _read_lag(self) -> None:
        self._metrics.consumer.set_lag({reader.group: await reader.get_lag() for reader in self._readers})

    async def _read_business(self, gauge: GaugeSpec) -> None:
        async with self._database.begin_transaction() as connection:
            self._metrics.business.set_gauge(gauge, await gauge.read(connection, self._clock.now()))

    async def _read_runtime(self) -> None:
        async with self._database.open_read_connection() as connection:
            self._metrics.consumer.parked_keys.set(await parked_keys.count_parked_keys(connection))
            self._metrics.consumer.listed_unreadable.set(await count_unreadable_records(connection))
            earliest = await timers.find_next_due(connection)
        overdue = (self._clock.now() - earliest).total_seconds() if earliest is not None else 0.0
        self._metrics.timers.overdue.set(max(0.0, overdue))

    async def _read_endpoints(self, secret_box: SecretBox) -> None:
        async with self._database.open_read_connection() as connection:
            self._metrics.webhooks.waiting.set(await count_waiting(connection))
            self._metrics.webhooks.overdue.set(await measure_overdue(connection, self._clock.now()))
            self._metrics.webhooks.failing_endpoints.set(await count_failing_endpoints(connection))
            self._metrics.webhooks.old_key_secrets.set(await count_under_old_keys(connection, secret_box))
