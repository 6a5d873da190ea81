"""Kafka and PostgreSQL go away and come back, relays meet, members join: it goes on, once and in order."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES
from contracts.ids import PackageId
from service_runtime.kafka.client import Consumer, get_committed_offsets, get_end_offsets
from service_runtime.kafka.consumer import GroupMember
from service_runtime.observability.metrics import Metrics
from service_runtime.outbox.relay import is_outbox_empty
from service_runtime.postgres.database import Database
from testkit import sample_service as turnstile
from testkit.chain_checker import faults_in, first_occurrences
from testkit.databases import a_database, number, rows
from testkit.sample_service import Turnstile, TurnstileWork, running
from testkit.servers import TestKafka, TestPostgres
from testkit.topics import begin_at_the_end, everything_in
from testkit.waiting import until

pytestmark = pytest.mark.usefixtures("short_sessions")

AWAY = 8.0
"""Seconds: much longer than a member's session, so that the group has to be joined anew."""


async def check(gate: Turnstile, *, times: int, within: float = 30) -> None:
    """Waits until every request is answered and on Kafka, then looks at all of it with the independent checker."""

    async def everything_answered() -> bool:
        answered = await number(gate.database, "SELECT count(*) FROM journal WHERE type LIKE '%PackageWithdrawn%'")
        return answered >= times and await is_outbox_empty(gate.database)

    await until(everything_answered, within=within)
    keys = {row.key for row in await rows(gate.database, "SELECT DISTINCT key FROM journal")}
    kept = await everything_in(gate.bootstrap, PACKAGES, keys=keys)
    assert faults_in(kept) == []
    assert len(first_occurrences(kept)) == 2 * times
    noted = await rows(gate.database, "SELECT event_id FROM passages")
    assert len({row.event_id for row in noted}) == len(noted) == times, "every effect once"


async def requests(gate: Turnstile) -> int:
    """How many requests were committed; the last one may have been, though nobody was told."""
    return await number(gate.database, "SELECT count(*) FROM journal WHERE type LIKE '%WithdrawalRequested%'")


@asynccontextmanager
async def asking(gate: Turnstile, packages: list[UUID]) -> AsyncGenerator[list[UUID]]:
    """Asks for one package after the other, all the while; gives the list of what was asked for."""
    asked: list[UUID] = []

    async def ask_on() -> None:
        while True:
            for package in packages:
                await gate.ask(package)
                asked.append(package)
                await asyncio.sleep(0.04)

    async with running(ask_on()):
        yield asked


async def test_two_relays_at_once_relay_everything_in_order(gate: Turnstile) -> None:
    for package in [uuid4() for _ in range(5)]:
        await gate.ask(package, times=20)
    async with running(gate.relay().run(), gate.relay().run(), gate.consumer().run()):
        await check(gate, times=100)


async def test_a_relay_whose_lock_connection_is_cut_hands_over_in_order(gate: Turnstile) -> None:
    packages = [uuid4() for _ in range(5)]
    async with running(gate.relay().run(), gate.relay().run(), gate.consumer().run()):
        async with asking(gate, packages) as asked:
            for _ in range(3):
                await until(lambda: cut_the_relay(gate.database))
                before = len(asked)
                await until(lambda before=before: len(asked) > before + 20)
        await check(gate, times=await requests(gate))
    assert gate.log.said("relay interrupted")


async def cut_the_relay(database: Database) -> bool:
    """Ends the connection that holds the relay's lock; False while none does."""
    cut = await rows(
        database,
        """
        SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """,
    )
    return bool(cut)


async def test_a_member_that_joins_while_handlers_run_doubles_and_loses_nothing(gate: Turnstile) -> None:
    packages = [uuid4() for _ in range(12)]
    slow = Turnstile(gate.name, gate.database, gate.bootstrap, work=SlowWork)
    async with running(gate.relay().run(), slow.consumer().run()), asking(gate, packages) as asked:
        await until(lambda: number(gate.database, "SELECT count(*) FROM passages"), within=20)
        async with running(Turnstile(gate.name, gate.database, gate.bootstrap, work=SlowWork).consumer().run()):
            before = len(asked)
            await until(lambda: len(asked) > before + 60, within=20)
    async with running(gate.relay().run(), gate.consumer().run()):
        await check(gate, times=await requests(gate))
    await in_order(gate)


class SlowWork(TurnstileWork):
    """Its handlers take their time, so that a rebalance finds some of them at work."""

    async def note_passage(self, package: PackageId) -> None:
        await super().note_passage(package)
        await asyncio.sleep(0.02)


async def in_order(gate: Turnstile) -> None:
    """The effects of each package came in the order of its events."""
    noted = await rows(gate.database, "SELECT package_id::text, event_id FROM passages ORDER BY position")
    asked = await rows(
        gate.database, "SELECT id::text, key FROM journal WHERE type LIKE '%WithdrawalRequested%' ORDER BY position"
    )
    for package in {row.key for row in asked}:
        assert [row.event_id for row in noted if row.package_id == package] == [
            row.id for row in asked if row.key == package
        ]


@pytest.mark.parametrize("outage", ["killed", "frozen"])
async def test_kafka_away_holds_everything_up_and_loses_nothing(
    gate: Turnstile, own_kafka: TestKafka, outage: str
) -> None:
    server = own_kafka.server
    assert server is not None
    packages = [uuid4() for _ in range(5)]
    async with running(gate.relay().run(), gate.consumer().run()), asking(gate, packages) as asked:
        await until(lambda: number(gate.database, "SELECT count(*) FROM passages"), within=20)
        await asyncio.to_thread(server.kill if outage == "killed" else server.pause)
        try:
            before = len(asked)
            await asyncio.sleep(AWAY)  # the outage itself: there is nothing to wait for
            assert len(asked) > before, "commands are carried out while Kafka is away"
        finally:
            await asyncio.to_thread(server.start if outage == "killed" else server.resume)
        before = len(asked)
        await until(lambda: len(asked) > before + 20)
    async with running(gate.relay().run(), gate.consumer().run()):
        await check(gate, times=await requests(gate), within=45)
    await in_order(gate)


async def test_postgres_restarted_loses_nothing(own_postgres: TestPostgres, bootstrap: str) -> None:
    server = own_postgres.server
    assert server is not None
    async with a_database(own_postgres, turnstile.TABLES) as database:
        gate = Turnstile(f"turnstile-{uuid4().hex[:8]}", database, bootstrap)
        await begin_at_the_end(bootstrap, gate.consumer().group, [PACKAGES])
        packages = [uuid4() for _ in range(20)]
        for package in packages:
            await gate.ask(package, times=8)
        async with running(gate.relay().run(), gate.consumer().run(), gate.sleeper().run()):
            await until(lambda: number(database, "SELECT count(*) FROM passages"), within=20)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            await check(gate, times=160)
        assert gate.log.said("key parked") == []
        await in_order(gate)


async def test_offsets_are_committed_up_to_what_is_finished(gate: Turnstile) -> None:
    for package in [uuid4() for _ in range(4)]:
        await gate.ask(package)
    async with running(gate.relay().run(), gate.consumer().run()):
        await check(gate, times=4)

        async def committed() -> bool:
            ends = await get_end_offsets(gate.bootstrap, [PACKAGES], client_id="test")
            group = gate.consumer().group
            return await get_committed_offsets(gate.bootstrap, group, list(ends), client_id="test") == ends

        await until(committed)


async def test_leaving_is_bounded_while_kafka_is_away(gate: Turnstile, own_kafka: TestKafka) -> None:
    server = own_kafka.server
    assert server is not None
    member = GroupMember(
        Consumer(gate.bootstrap, group=gate.consumer().group, client_id="test"), gate.handling, Metrics().consumer
    )
    await gate.ask(uuid4())
    async with running(gate.relay().run(), member.run([PACKAGES])):
        await until(lambda: number(gate.database, "SELECT count(*) FROM passages"), within=20)
        await asyncio.to_thread(server.pause)
        try:
            async with asyncio.timeout(10):
                await member.leave(within=3)
        finally:
            await asyncio.to_thread(server.resume)
