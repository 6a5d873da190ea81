"""Crashes: processes are killed with SIGKILL at exact points; nothing is lost, doubled or reordered."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES
from service_runtime.kafka.client import get_committed_offsets, get_end_offsets
from service_runtime.kafka.event_handler import build_group_id
from service_runtime.outbox.outbox_table import is_outbox_empty
from testkit.chain_checker import find_chain_faults, remove_repeats
from testkit.databases import fetch_number, fetch_rows
from testkit.sample_service import SampleService, run_tasks
from testkit.topics import read_topic
from testkit.waiting import wait_until

pytestmark = pytest.mark.timeout(900)

Crash = Callable[[str, SampleService], Awaitable[None]]


async def check_all_handled(sample: SampleService, *, times: int) -> None:
    """Waits until every request is answered and on Kafka, then checks the records and the effects."""
    await wait_until(lambda: is_everything_answered(sample, times), within=300)
    await wait_until(lambda: has_group_caught_up(sample), within=300)
    records = await read_topic(sample.kafka, PACKAGES, keys=await list_packages(sample))
    assert find_chain_faults(records) == []
    assert len(remove_repeats(records)) == 2 * times
    handled = await fetch_rows(sample.database, "SELECT package_id, event_id FROM handled_events ORDER BY position")
    assert len({row.event_id for row in handled}) == len(handled) == times, "every effect occurs once"
    requested = await fetch_rows(
        sample.database, "SELECT id::text, key FROM journal WHERE type LIKE '%WithdrawalRequested%' ORDER BY position"
    )
    for package in {row.key for row in requested}:
        expected = [row.id for row in requested if row.key == package]
        assert [row.event_id for row in handled if str(row.package_id) == package] == expected, "effects are in order"


async def is_everything_answered(sample: SampleService, times: int) -> bool:
    answered = await fetch_number(sample.database, "SELECT count(*) FROM journal WHERE type LIKE '%PackageWithdrawn%'")
    return answered >= times and await is_outbox_empty(sample.database)


async def has_group_caught_up(sample: SampleService) -> bool:
    """True when the consumer group has committed the end of every partition."""
    ends = await get_end_offsets(sample.kafka, [PACKAGES], client_id="test")
    done = await get_committed_offsets(sample.kafka, build_group_id(sample.name), list(ends), client_id="test")
    return all(done[partition] >= end for partition, end in ends.items())


async def list_packages(sample: SampleService) -> set[str]:
    return {row.key for row in await fetch_rows(sample.database, "SELECT DISTINCT key FROM journal")}


async def request_withdrawals(sample: SampleService, *, packages: int = 4, times: int = 5) -> list[UUID]:
    ids = [uuid4() for _ in range(packages)]
    for package in ids:
        await sample.request_withdrawal(package, count=times)
    return ids


async def test_committed_events_are_relayed_after_their_process_died(sample: SampleService, crash: Crash) -> None:
    await crash("between commit and relay", sample)
    assert await fetch_number(sample.database, "SELECT count(*) FROM outbox") == 3
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await check_all_handled(sample, times=3)


@pytest.mark.parametrize("point", ["between acknowledgement and outbox delete", "while a batch is on its way"])
async def test_a_relay_that_dies_with_a_batch_in_flight_loses_nothing_and_keeps_the_order(
    sample: SampleService, crash: Crash, point: str
) -> None:
    await request_withdrawals(sample)
    await crash(point, sample)
    assert await fetch_number(sample.database, "SELECT count(*) FROM outbox") == 20
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await check_all_handled(sample, times=20)


@pytest.mark.parametrize(
    "point",
    ["in the middle of a handler", "between effect and offset commit", "after the first of several batches"],
)
async def test_an_event_has_one_effect_after_its_process_died(sample: SampleService, crash: Crash, point: str) -> None:
    await request_withdrawals(sample)
    async with run_tasks(sample.build_relay().run()):
        await wait_until(lambda: is_outbox_empty(sample.database))
    await crash(point, sample)
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await check_all_handled(sample, times=20)
