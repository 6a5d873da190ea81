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

_PATIENCE: Final = 60.0

Take = Callable[[KafkaRecord, float], None]
"""Is given a record and when it could be read (`time.perf_counter`)."""


@dataclass(frozen=True)
class Seen:
    """One event: when it could be read here (`time.perf_counter`), and when its service says that it happened."""

    at: float
    happened_at: datetime
    subject: bytes


@dataclass
class Watching:
    """`of[package]["PackagePlaced"]` is the first such event of a package."""

    of: dict[str, dict[str, Seen]] = field(default_factory=lambda: defaultdict[str, dict[str, Seen]](dict))
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _given_to: Take | None = None

    @contextmanager
    def giving_to(self, take: Take) -> Generator[None]:
        """What comes meanwhile is not noted here: tens of thousands of records are somebody else's business."""
        self._given_to = take
        try:
            yield
        finally:
            self._given_to = None

    async def follow(self, bootstrap: str) -> None:
        """Until cancelled; begins anew when Kafka was away, and notes nothing twice."""
        while True:
            consumer = Consumer(bootstrap, group=None, client_id="bench-watch")
            try:
                await consumer.start([PACKAGES])
                while True:
                    records = await consumer.read(timeout_ms=500, most=500)
                    take, at = self._given_to or self._note, time.perf_counter()
                    for record in records:
                        take(record, at)
                    self._moved.set()
            except KafkaFailure:
                await asyncio.sleep(0.2)
            finally:
                await consumer.stop(within=2)

    def _note(self, record: KafkaRecord, at: float) -> None:
        headers = dict(record.headers)
        kind = headers["ce_type"].decode().split(".")[1]
        happened_at = datetime.fromisoformat(headers["ce_time"].decode())
        events = self.of[(record.key or b"").decode()]
        events.setdefault(kind, Seen(at, happened_at, record.value or b""))

    async def until(self, so: Callable[[], bool], *, within: float = _PATIENCE) -> bool:
        """Whether it came to be so in time."""
        give_up = time.perf_counter() + within
        while not so():
            if time.perf_counter() > give_up:
                return False
            self._moved.clear()
            try:
                async with asyncio.timeout(0.5):
                    await self._moved.wait()
            except TimeoutError:
                continue
        return True
