"""Outages of this service, as its heartbeat recorded them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service_runtime.heartbeat import OutageLog
from sourcing.domain.triggers import Outage


@dataclass(frozen=True)
class RecordedOutages:
    log: OutageLog
    now: datetime

    async def list_since(self, at: datetime) -> Sequence[Outage]:
        return [Outage(gap.down_from, gap.up_at) for gap in await self.log.list_since(at, now=self.now)]
