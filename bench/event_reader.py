"""Follows the topic of packages from outside, and notes when each event of each package could be read."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from contracts.catalogue import PACKAGES
from service_runtime.kafka.client import Consumer, KafkaFailure, KafkaRecord

_WAIT_TIMEOUT: Final = 60.0

RecordHandler = Callable[[KafkaRecord, float], None]
"""Is given a record and when it could be read (`time.perf_counter`)."""


@dataclass(frozen=True)
class ReadEvent:
    """One event: when it could be read here (`time.perf_counter`), and when its service says that it happened."""

    at: float
    happened_at: datetime
    subject: bytes


@dataclass
class EventReader:
    """`of[package]["PackagePlaced"]` is the first such event of a package."""

    events: dict[str, dict[str, ReadEvent]] = field(
        default_factory=lambda: defaultdict[str, dict[str, ReadEvent]](dict)
    )
    _has_new_records: asyncio.Event = field(default_factory=asyncio.Event)
    _redirected_to: RecordHandler | None = None

    @contextmanager
    def redirect(self, handler: RecordHandler) -> Generator[None]:
        """What comes meanwhile is not noted here: tens of thousands of records are somebody else's business."""
        self._redirected_to = handler
        try:
            yield
        finally:
            self._redirected_to = None

    async def follow(self, bootstrap: str) -> None:
        """Until cancelled; begins anew when Kafka was away, and notes nothing twice."""
        while True:
            consumer = Consumer(bootstrap, group=None, client_id="bench-watch")
            try:
                await consumer.start([PACKAGES])
                while True:
                    records = await consumer.read(timeout_ms=500, max_records=500)
                    take, at = self._redirected_to or self._record, time.perf_counter()
                    for record in records:
                        take(record, at)
                    self._has_new_records.set()
            except KafkaFailure:
                await asyncio.sleep(0.2)
            finally:
                await consumer.stop(within=2)

    def _record(self, record: KafkaRecord, at: float) -> None:
        headers = dict(record.headers)
        kind = headers["ce_type"].decode().split(".")[1]
        happened_at = datetime.fromisoformat(headers["ce_time"].decode())
        events = self.events[(record.key or b"").decode()]
        events.setdefault(kind, ReadEvent(at, happened_at, record.value or b""))

    async def wait_until(self, condition: Callable[[], bool], *, within: float = _WAIT_TIMEOUT) -> bool:
        """Whether it came to be so in time."""
        give_up = time.perf_counter() + within
        while not condition():
            if time.perf_counter() > give_up:
                return False
            self._has_new_records.clear()
            try:
                async with asyncio.timeout(0.5):
                    await self._has_new_records.wait()
            except TimeoutError:
                continue
        return True
