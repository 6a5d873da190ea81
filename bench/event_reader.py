"""Reads the package topic and records when each event became readable."""

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
from service_runtime.kafka.connection import KafkaConnection

_WAIT_TIMEOUT: Final = 60.0

RecordHandler = Callable[[KafkaRecord, float], None]
"""Called with a record and the time at which it was read (`time.perf_counter`)."""


@dataclass(frozen=True)
class ReadEvent:
    """One event: when it was read (`time.perf_counter`), and its own timestamp."""

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
        """Pass records to `handler` instead of recording them, for measurements with tens of thousands of records."""
        self._redirected_to = handler
        try:
            yield
        finally:
            self._redirected_to = None

    async def follow(self, kafka: KafkaConnection) -> None:
        """Read until cancelled. After a Kafka failure, start again from the beginning without duplicates."""
        while True:
            consumer = Consumer(kafka, group=None, client_id="bench-watch")
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
        """Return whether the condition became true in time."""
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
