"""Outages and rebalances: after Kafka, PostgreSQL or a relay fails, every event is handled once and in order."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES
from contracts.ids import PackageId
from service_runtime.kafka.client import Consumer, get_committed_offsets, get_end_offsets
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.consumer import GroupMember
from service_runtime.observability.metrics import Metrics
from service_runtime.outbox.outbox_table import is_outbox_empty
from service_runtime.postgres.database import Database
from testkit import sample_service
from testkit.chain_checker import find_chain_faults, remove_repeats
from testkit.databases import a_database, fetch_number, fetch_rows
from testkit.sample_service import SampleService, SampleUnitOfWork, run_tasks
from testkit.servers import TestKafka, TestPostgres
from testkit.topics import move_group_to_end, read_topic
from testkit.waiting import wait_until

pytestmark = [pytest.mark.usefixtures("short_sessions"), pytest.mark.timeout(900)]

OUTAGE_SECONDS = 8.0
"""Seconds: much longer than a member's session, so that every member has to join its group again."""


async def check_all_handled(sample: SampleService, *, times: int, within: float = 300) -> None:
    """Waits until every request is answered and on Kafka, then checks the records and the effects."""

    async def is_everything_answered() -> bool:
        answered = await fetch_number(
            sample.database, "SELECT count(*) FROM journal WHERE type LIKE '%PackageWithdrawn%'"
        )
        return answered >= times and await is_outbox_empty(sample.database)

    await wait_until(is_everything_answered, within=within)
    keys = {row.key for row in await fetch_rows(sample.database, "SELECT DISTINCT key FROM journal")}
    records = await read_topic(sample.kafka, PACKAGES, keys=keys)
    assert find_chain_faults(records) == []
    assert len(remove_repeats(records)) == 2 * times
    handled = await fetch_rows(sample.database, "SELECT event_id FROM handled_events")
    assert len({row.event_id for row in handled}) == len(handled) == times, "every effect occurs once"


async def count_requests(sample: SampleService) -> int:
    """Returns how many requests are committed. The last may be committed although its sender got no response."""
    return await fetch_number(sample.database, "SELECT count(*) FROM journal WHERE type LIKE '%WithdrawalRequested%'")


@asynccontextmanager
async def sending_requests(sample: SampleService, packages: list[UUID]) -> AsyncGenerator[list[UUID]]:
    """Sends requests for the packages in turn until the block ends; yields the list of the packages requested."""
    requested: list[UUID] = []

    async def send_requests() -> None:
        while True:
            for package in packages:
                await sample.request_withdrawal(package)
                requested.append(package)
                await asyncio.sleep(0.04)

    async with run_tasks(send_requests()):
        yield requested


async def test_two_relays_at_once_relay_every_event_in_order(sample: SampleService) -> None:
    for package in [uuid4() for _ in range(5)]:
        await sample.request_withdrawal(package, count=20)
    async with run_tasks(sample.build_relay().run(), sample.build_relay().run(), sample.build_consumer().run()):
        await check_all_handled(sample, times=100)


async def test_a_relay_whose_lock_connection_is_cut_hands_over_in_order(sample: SampleService) -> None:
    packages = [uuid4() for _ in range(5)]
    async with run_tasks(sample.build_relay().run(), sample.build_relay().run(), sample.build_consumer().run()):
        async with sending_requests(sample, packages) as requested:
            for _ in range(3):
                await wait_until(lambda: terminate_relay_connection(sample.database))
                before = len(requested)
                await wait_until(lambda before=before: len(requested) > before + 20)
        await check_all_handled(sample, times=await count_requests(sample))
    assert sample.logs.find_entries("relay interrupted")


async def terminate_relay_connection(database: Database) -> bool:
    """Terminates the connection that holds the relay's lock; returns False if none does."""
    rows = await fetch_rows(
        database,
        """
        SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """,
    )
    return bool(rows)


async def test_a_member_that_joins_while_handlers_run_causes_no_loss_and_no_duplicate(sample: SampleService) -> None:
    packages = [uuid4() for _ in range(12)]
    slow = SampleService(sample.name, sample.database, sample.kafka, unit_of_work=SlowWork)
    async with (
        run_tasks(sample.build_relay().run(), slow.build_consumer().run()),
        sending_requests(sample, packages) as requested,
    ):
        await wait_until(lambda: fetch_number(sample.database, "SELECT count(*) FROM handled_events"), within=120)
        async with run_tasks(
            SampleService(sample.name, sample.database, sample.kafka, unit_of_work=SlowWork).build_consumer().run()
        ):
            before = len(requested)
            await wait_until(lambda: len(requested) > before + 60, within=120)
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await check_all_handled(sample, times=await count_requests(sample))
    await check_order(sample)


class SlowWork(SampleUnitOfWork):
    """A unit of work with slow handlers, so that a rebalance occurs while some of them run."""

    async def record_event(self, package: PackageId) -> None:
        await super().record_event(package)
        await asyncio.sleep(0.02)


async def check_order(sample: SampleService) -> None:
    """Checks that the effects of each package are in the order of its events."""
    handled = await fetch_rows(
        sample.database, "SELECT package_id::text, event_id FROM handled_events ORDER BY position"
    )
    requested = await fetch_rows(
        sample.database, "SELECT id::text, key FROM journal WHERE type LIKE '%WithdrawalRequested%' ORDER BY position"
    )
    for package in {row.key for row in requested}:
        assert [row.event_id for row in handled if row.package_id == package] == [
            row.id for row in requested if row.key == package
        ]


@pytest.mark.parametrize("outage", ["killed", "frozen"])
async def test_an_outage_of_kafka_delays_events_and_loses_none(
    sample: SampleService, own_kafka: TestKafka, outage: str
) -> None:
    server = own_kafka.server
    assert server is not None
    packages = [uuid4() for _ in range(5)]
    async with (
        run_tasks(sample.build_relay().run(), sample.build_consumer().run()),
        sending_requests(sample, packages) as requested,
    ):
        await wait_until(lambda: fetch_number(sample.database, "SELECT count(*) FROM handled_events"), within=120)
        await asyncio.to_thread(server.kill if outage == "killed" else server.pause)
        try:
            before = len(requested)
            await asyncio.sleep(OUTAGE_SECONDS)  # the duration of the outage: there is no condition to wait for
            assert len(requested) > before, "commands are executed during the outage of Kafka"
        finally:
            await asyncio.to_thread(server.start if outage == "killed" else server.resume)
        before = len(requested)
        await wait_until(lambda: len(requested) > before + 20)
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await check_all_handled(sample, times=await count_requests(sample), within=300)
    await check_order(sample)


async def test_a_restart_of_postgresql_loses_nothing(
    own_postgres: TestPostgres, kafka_connection: KafkaConnection
) -> None:
    server = own_postgres.server
    assert server is not None
    async with a_database(own_postgres, sample_service.TABLES) as database:
        sample = SampleService(f"sample-{uuid4().hex[:8]}", database, kafka_connection)
        await move_group_to_end(kafka_connection, sample.build_consumer().group, [PACKAGES])
        packages = [uuid4() for _ in range(20)]
        for package in packages:
            await sample.request_withdrawal(package, count=8)
        async with run_tasks(
            sample.build_relay().run(), sample.build_consumer().run(), sample.build_timer_worker().run()
        ):
            await wait_until(lambda: fetch_number(database, "SELECT count(*) FROM handled_events"), within=120)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            await check_all_handled(sample, times=160)
        assert sample.logs.find_entries("key parked") == []
        await check_order(sample)


async def test_offsets_are_committed_up_to_the_last_finished_event(sample: SampleService) -> None:
    for package in [uuid4() for _ in range(4)]:
        await sample.request_withdrawal(package)
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await check_all_handled(sample, times=4)

        async def is_committed() -> bool:
            ends = await get_end_offsets(sample.kafka, [PACKAGES], client_id="test")
            group = sample.build_consumer().group
            return await get_committed_offsets(sample.kafka, group, list(ends), client_id="test") == ends

        await wait_until(is_committed)


async def test_leaving_the_group_takes_bounded_time_during_an_outage_of_kafka(
    sample: SampleService, own_kafka: TestKafka
) -> None:
    server = own_kafka.server
    assert server is not None
    member = GroupMember(
        Consumer(sample.kafka, group=sample.build_consumer().group, client_id="test"),
        sample.event_handler,
        Metrics().consumer,
    )
    await sample.request_withdrawal(uuid4())
    async with run_tasks(sample.build_relay().run(), member.run([PACKAGES])):
        await wait_until(lambda: fetch_number(sample.database, "SELECT count(*) FROM handled_events"), within=120)
        await asyncio.to_thread(server.pause)
        try:
            async with asyncio.timeout(10):
                await member.leave(within=3)
        finally:
            await asyncio.to_thread(server.resume)
