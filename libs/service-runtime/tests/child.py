"""Sample service in a separate process that kills itself at the point its argument names: `child.py <point>`.

Each point wraps a class or a function of the runtime. Production code does not contain these points.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn
from unittest.mock import patch
from uuid import uuid4

import uvloop

from contracts.ids import PackageId
from service_runtime.kafka import client as kafka
from service_runtime.kafka.client import Consumer, KafkaRecord, OutgoingRecord, Partition, Producer
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.event_handler import EventHandler
from service_runtime.outbox import relay
from service_runtime.outbox.outbox_table import OutboxRow
from service_runtime.outbox.relay import Relay
from service_runtime.postgres.database import Database
from testkit.sample_service import SampleService, SampleUnitOfWork


def kill_process() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


class CommittedRows:
    """Is told of committed rows as a relay is."""

    def take_acknowledged(self) -> list[int]:
        return []

    def return_acknowledged(self, positions: Sequence[int]) -> None: ...

    def notify(self) -> None: ...


class KillBeforeRelay(CommittedRows):
    """Kills the process after the commit and before the relay has what was committed."""

    def hand_over(self, rows: Sequence[OutboxRow], *, may_have_earlier: bool = False) -> None:
        kill_process()


class KillAfterAcknowledgement(Producer):
    """Kills the process after Kafka's acknowledgement and before the outbox rows are deleted."""

    async def send(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        await super().send(partition, records)
        kill_process()


class KillWhileSending(Producer):
    """Kills the process while a batch is in flight, before its acknowledgement is read."""

    async def send(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        asyncio.get_running_loop().call_later(0.001, kill_process)
        return await super().send(partition, records)


class KillInHandler(SampleUnitOfWork):
    """Kills the process after the effect is written and before it is committed."""

    async def record_event(self, package: PackageId) -> None:
        await super().record_event(package)
        kill_process()


class CommitSignal(CommittedRows):
    """Sets `effects` when effects are committed, and hands them over to the relay."""

    def __init__(self, relay: Relay) -> None:
        super().__init__()
        self._relay = relay
        self.effects = asyncio.Event()

    def hand_over(self, rows: Sequence[OutboxRow], *, may_have_earlier: bool = False) -> None:
        self.effects.set()
        self._relay.hand_over(rows, may_have_earlier=may_have_earlier)


def kill_before_offset_commit(effects: asyncio.Event) -> None:
    """Kills the process when effects are committed and their offsets are not."""

    async def commit(self: Consumer, offsets: dict[Partition, int]) -> None:
        await effects.wait()
        kill_process()

    Consumer.commit = commit


def kill_after_first_batch(effects: asyncio.Event) -> None:
    """Kills the process when one batch is committed. Other batches may still run."""
    handle = EventHandler[SampleUnitOfWork].handle

    async def handle_and_kill(self: EventHandler[SampleUnitOfWork], raw: Sequence[KafkaRecord]) -> None:
        await handle(self, raw)
        if effects.is_set():
            kill_process()

    EventHandler.handle = handle_and_kill


async def request_and_kill(sample: SampleService) -> None:
    sample.executor.commits.outbox = KillBeforeRelay()
    await sample.request_withdrawal(uuid4(), count=3)


async def relay_and_kill(sample: SampleService, producer: type[Producer]) -> None:
    with patch.object(relay, "Producer", producer):
        await sample.build_relay().run()


async def consume_and_kill(sample: SampleService, prepare: Callable[[asyncio.Event], None]) -> None:
    relay = sample.build_relay()
    sample.executor.commits.outbox = on_commit = CommitSignal(relay)
    prepare(on_commit.effects)
    await asyncio.gather(sample.build_consumer().run(), relay.run())


async def handle_event_and_kill(sample: SampleService) -> None:
    dying = SampleService(sample.name, sample.database, sample.kafka, unit_of_work=KillInHandler)
    await dying.build_consumer().run()


POINTS: dict[str, Callable[[SampleService], Awaitable[None]]] = {
    "between commit and relay": request_and_kill,
    "between acknowledgement and outbox delete": lambda sample: relay_and_kill(sample, KillAfterAcknowledgement),
    "while a batch is on its way": lambda sample: relay_and_kill(sample, KillWhileSending),
    "in the middle of a handler": handle_event_and_kill,
    "between effect and offset commit": lambda sample: consume_and_kill(sample, kill_before_offset_commit),
    "after the first of several batches": lambda sample: consume_and_kill(sample, kill_after_first_batch),
}


async def main() -> None:
    kafka.SESSION_TIMEOUT_MS = 2_000
    sample = SampleService(
        os.environ["SAMPLE_NAME"],
        Database(os.environ["SAMPLE_DATABASE"], name="sample-child"),
        KafkaConnection(os.environ["SAMPLE_KAFKA"]),
    )
    await POINTS[sys.argv[1]](sample)


if __name__ == "__main__":
    uvloop.run(main())
