"""Refreshes gauges from PostgreSQL and Kafka at each scrape and export."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from service_runtime.clock import Clock
from service_runtime.dead_letters import parked_keys
from service_runtime.dead_letters.unreadable_records import count_unreadable_records
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import Metrics
from service_runtime.outbox.outbox_table import measure_outbox
from service_runtime.postgres.database import Connection, Database
from service_runtime.timers import timers
from service_runtime.webhooks.endpoint_queries import count_failing_endpoints
from service_runtime.webhooks.reencryption import count_under_old_keys
from service_runtime.webhooks.secret_box import SecretBox

READ_TIMEOUT: Final = 2.0
"""Seconds. A scrape times out soon, and counters are worth serving while database or Kafka do not answer."""


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
        """Reads all gauges; never raises.

        If PostgreSQL or Kafka do not answer, gauges keep their values and `gauges_fresh` becomes 0.
        """
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                await self._read()
        except Exception as error:  # noqa: BLE001  other metrics must be served without these gauges
            self._log.warning("gauges not refreshed", error=type(error).__name__)
            self._metrics.gauges_fresh.set(0)
        else:
            self._metrics.gauges_fresh.set(1)

    async def _read(self) -> None:
        rows, age = await measure_outbox(self._database, self._clock)
        self._metrics.relay.depth.set(rows)
        self._metrics.relay.age.set(age)
        async with self._database.begin_transaction() as connection:
            await self._read_runtime(connection)
            for gauge in self._metrics.business.gauges:
                self._metrics.business.set_gauge(gauge, await gauge.read(connection, self._clock.now()))
        self._metrics.consumer.set_lag({reader.group: await reader.get_lag() for reader in self._readers})

    async def _read_runtime(self, connection: Connection) -> None:
        self._metrics.consumer.parked_keys.set(await parked_keys.count_parked_keys(connection))
        self._metrics.consumer.listed_unreadable.set(await count_unreadable_records(connection))
        earliest = await timers.find_next_due(connection)
        overdue = (self._clock.now() - earliest).total_seconds() if earliest is not None else 0.0
        self._metrics.timers.overdue.set(max(0.0, overdue))
        if self._secret_box is not None:
            self._metrics.webhooks.failing_endpoints.set(await count_failing_endpoints(connection))
            self._metrics.webhooks.old_key_secrets.set(await count_under_old_keys(connection, self._secret_box))
