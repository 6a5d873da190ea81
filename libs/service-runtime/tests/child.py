"""A turnstile in a process of its own that kills itself at the point it is told: `child.py <point>`.

The points are seams of the runtime, wrapped here and nowhere else; production code knows nothing of them.
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
from service_runtime.kafka.consumer import EventHandler
from service_runtime.outbox import relay
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.wakeups import Wakeup
from testkit.sample_service import Turnstile, TurnstileWork


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


class DiesBeforeTheRelay(Wakeup):
    """The commit is done and the relay is about to be told."""

    def notify(self) -> None:
        die()


class DiesAfterTheAcknowledgement(Producer):
    """Kafka has acknowledged and the outbox does not know yet."""

    async def send(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        await super().send(partition, records)
        die()


class DiesWhileSending(Producer):
    """The batch is on its way and nobody will read the acknowledgement."""

    async def send(self, partition: Partition, records: Sequence[OutgoingRecord]) -> int:
        asyncio.get_running_loop().call_later(0.001, die)
        return await super().send(partition, records)


class DiesInTheMiddle(TurnstileWork):
    """The effect is written and not committed."""

    async def note_passage(self, package: PackageId) -> None:
        await super().note_passage(package)
        die()


class Committed(Wakeup):
    """Notes that effects are committed: it is rung after that, and not before."""

    def __init__(self) -> None:
        super().__init__()
        self.effects = asyncio.Event()

    def notify(self) -> None:
        self.effects.set()
        super().notify()


def die_before_the_offsets(effects: asyncio.Event) -> None:
    """The effects are committed and the offsets are not."""

    async def commit(self: Consumer, offsets: dict[Partition, int]) -> None:
        await effects.wait()
        die()

    Consumer.commit = commit


def die_after_the_first_effects(effects: asyncio.Event) -> None:
    """One handful is committed; others may be in hand."""
    handle = EventHandler[TurnstileWork].handle

    async def handled(self: EventHandler[TurnstileWork], raw: Sequence[KafkaRecord]) -> None:
        await handle(self, raw)
        if effects.is_set():
            die()

    EventHandler.handle = handled


async def ask_and_die(gate: Turnstile) -> None:
    gate.wakes.relay = DiesBeforeTheRelay()
    await gate.ask(uuid4(), times=3)


async def relay_and_die(gate: Turnstile, producer: type[Producer]) -> None:
    with patch.object(relay, "Producer", producer):
        await gate.relay().run()


async def consume_and_die(gate: Turnstile, prepare: Callable[[asyncio.Event], None]) -> None:
    gate.wakes.relay = committed = Committed()
    prepare(committed.effects)
    await asyncio.gather(gate.consumer().run(), gate.relay().run())


async def consume_and_die_in_the_middle(gate: Turnstile) -> None:
    dying = Turnstile(gate.name, gate.database, gate.bootstrap, work=DiesInTheMiddle)
    await dying.consumer().run()


POINTS: dict[str, Callable[[Turnstile], Awaitable[None]]] = {
    "between commit and relay": ask_and_die,
    "between acknowledgement and outbox delete": lambda gate: relay_and_die(gate, DiesAfterTheAcknowledgement),
    "while a batch is on its way": lambda gate: relay_and_die(gate, DiesWhileSending),
    "in the middle of a handler": consume_and_die_in_the_middle,
    "between effect and offset commit": lambda gate: consume_and_die(gate, die_before_the_offsets),
    "after the first of several handfuls": lambda gate: consume_and_die(gate, die_after_the_first_effects),
}


async def main() -> None:
    kafka.SESSION_TIMEOUT_MS = 2_000
    gate = Turnstile(
        os.environ["TURNSTILE_NAME"],
        Database(os.environ["TURNSTILE_DATABASE"], name="turnstile-child"),
        os.environ["TURNSTILE_KAFKA"],
    )
    await POINTS[sys.argv[1]](gate)


if __name__ == "__main__":
    uvloop.run(main())
