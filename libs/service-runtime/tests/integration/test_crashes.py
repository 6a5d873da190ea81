"""Real processes are killed with SIGKILL at exact points: nothing is lost, doubled or out of order."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES
from service_runtime.kafka.client import get_committed_offsets, get_end_offsets
from service_runtime.kafka.consumer import build_group_id
from service_runtime.outbox.relay import is_outbox_empty
from testkit.chain_checker import faults_in, first_occurrences
from testkit.databases import number, rows
from testkit.sample_service import Turnstile, running
from testkit.topics import everything_in
from testkit.waiting import until

Crash = Callable[[str, Turnstile], Awaitable[None]]


async def all_let_through(gate: Turnstile, *, times: int) -> None:
    """Waits until every request is answered and everything is on Kafka, then looks at all of it."""
    await until(lambda: everything_answered(gate, times), within=30)
    await until(lambda: everything_heard_again(gate), within=30)
    kept = await everything_in(gate.bootstrap, PACKAGES, keys=await packages_of(gate))
    assert faults_in(kept) == []
    assert len(first_occurrences(kept)) == 2 * times
    noted = await rows(gate.database, "SELECT package_id, event_id FROM passages ORDER BY position")
    assert len({row.event_id for row in noted}) == len(noted) == times, "every effect once"
    asked = await rows(
        gate.database, "SELECT id::text, key FROM journal WHERE type LIKE '%WithdrawalRequested%' ORDER BY position"
    )
    for package in {row.key for row in asked}:
        in_order = [row.id for row in asked if row.key == package]
        assert [row.event_id for row in noted if str(row.package_id) == package] == in_order, "effects in order"


async def everything_answered(gate: Turnstile, times: int) -> bool:
    answered = await number(gate.database, "SELECT count(*) FROM journal WHERE type LIKE '%PackageWithdrawn%'")
    return answered >= times and await is_outbox_empty(gate.database)


async def everything_heard_again(gate: Turnstile) -> bool:
    """Whether the group's new member is through with all that it was given anew."""
    ends = await get_end_offsets(gate.bootstrap, [PACKAGES], client_id="test")
    done = await get_committed_offsets(gate.bootstrap, build_group_id(gate.name), list(ends), client_id="test")
    return all(done[partition] >= end for partition, end in ends.items())


async def packages_of(gate: Turnstile) -> set[str]:
    return {row.key for row in await rows(gate.database, "SELECT DISTINCT key FROM journal")}


async def some_requests(gate: Turnstile, *, packages: int = 4, times: int = 5) -> list[UUID]:
    asking = [uuid4() for _ in range(packages)]
    for package in asking:
        await gate.ask(package, times=times)
    return asking


async def test_what_was_committed_is_relayed_though_the_process_died_before(gate: Turnstile, crash: Crash) -> None:
    await crash("between commit and relay", gate)
    assert await number(gate.database, "SELECT count(*) FROM outbox") == 3
    async with running(gate.relay().run(), gate.consumer().run()):
        await all_let_through(gate, times=3)


@pytest.mark.parametrize("point", ["between acknowledgement and outbox delete", "while a batch is on its way"])
async def test_a_relay_that_dies_with_a_batch_in_flight_at_most_repeats_it(
    gate: Turnstile, crash: Crash, point: str
) -> None:
    await some_requests(gate)
    await crash(point, gate)
    assert await number(gate.database, "SELECT count(*) FROM outbox") == 20
    async with running(gate.relay().run(), gate.consumer().run()):
        await all_let_through(gate, times=20)


@pytest.mark.parametrize(
    "point",
    ["in the middle of a handler", "between effect and offset commit", "after the first of several handfuls"],
)
async def test_an_event_counts_once_though_its_process_died(gate: Turnstile, crash: Crash, point: str) -> None:
    await some_requests(gate)
    async with running(gate.relay().run()):
        await until(lambda: is_outbox_empty(gate.database))
    await crash(point, gate)
    async with running(gate.relay().run(), gate.consumer().run()):
        await all_let_through(gate, times=20)
