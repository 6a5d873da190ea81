"""Outages of this service, as its heartbeat recorded them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service_runtime.heartbeat import find_outages_since
from service_runtime.postgres.database import Connection
from sourcing.domain.triggers import Outage


@dataclass(frozen=True)
class PostgresOutages:
    connection: Connection
    now: datetime

    async def list_since(self, at: datetime) -> Sequence[Outage]:
        gaps = await find_outages_since(self.connection, at, now=self.now)
        return [Outage(gap.down_from, gap.up_at) for gap in gaps]
