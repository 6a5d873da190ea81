"""The executor hands over what it commits: nothing is lost, and each key stays in order, whoever commits to it."""

import asyncio
import random
from collections.abc import Callable
from uuid import uuid4

import pytest

from service_runtime.outbox import relay, row_source
from service_runtime.postgres.database import Database
from testkit.chain_checker import find_chain_faults
from testkit.databases import fetch_number
from testkit.fake_kafka import BreakingKafka, UnreliableKafka
from testkit.sample_service import NO_KAFKA, SampleService, cancel_tasks, run_tasks
from testkit.waiting import wait_until

UseKafka = Callable[[UnreliableKafka], UnreliableKafka]


@pytest.fixture
def use_kafka(monkeypatch: pytest.MonkeyPatch) -> UseKafka:
    """Replaces Kafka by a fake."""

    def use(kafka: UnreliableKafka) -> UnreliableKafka:
        monkeypatch.setattr(relay, "Producer", kafka)
        monkeypatch.setattr(relay, "PAUSE", 0.01)
        return kafka

    return use


async def count_outbox(database: Database) -> int:
    return await fetch_number(database, "SELECT count(*) FROM outbox")


async def is_emptied(database: Database) -> bool:
    return not await count_outbox(database)


def count_events(kafka: UnreliableKafka) -> int:
    return len({record.get_header("ce_id") for record in kafka.records})


async def test_acknowledged_rows_are_deleted_by_the_next_commit_or_after_a_moment(
    database: Database, use_kafka: UseKafka
) -> None:
    use_kafka(UnreliableKafka(losses=0))
    sample = SampleService("sample", database, NO_KAFKA)
    async with run_tasks(sample.build_relay().run()):
        for _ in range(30):
            await sample.request_withdrawal(uuid4(), count=3)
        await wait_until(lambda: is_emptied(database))


async def test_a_key_stays_in_order_though_another_process_commits_to_it(
    database: Database, use_kafka: UseKafka
) -> None:
    """The other process has no relay: this one finds its rows in the outbox, before it sends its own of the key."""
    kafka = use_kafka(UnreliableKafka(losses=0.05))
    sample, other = (SampleService("sample", database, NO_KAFKA) for _ in range(2))
    packages = [uuid4() for _ in range(6)]

    async def request(each: SampleService) -> None:
        for _ in range(40):
            await each.request_withdrawal(random.choice(packages), count=random.randint(1, 3))
            await asyncio.sleep(random.uniform(0, 0.01))

    async with run_tasks(sample.build_relay().run()):
        await asyncio.gather(*(request(each) for each in (sample, sample, other)))
        await wait_until(lambda: is_emptied(database), within=60)
    assert find_chain_faults(kafka.records) == []
    assert count_events(kafka) == await fetch_number(database, "SELECT count(*) FROM journal")
    assert kafka.max_in_flight == 1


async def test_rows_that_are_committed_while_the_relay_starts_are_sent(
    database: Database, use_kafka: UseKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No poll helps: each row is read at the start or handed over."""
    kafka = use_kafka(UnreliableKafka(losses=0))
    monkeypatch.setattr(row_source, "POLL", 3_600)
    sample = SampleService("sample", database, NO_KAFKA)
    for turn in range(1, 41):
        async with run_tasks(sample.build_relay().run()):
            await asyncio.sleep(random.uniform(0, 0.01))
            await sample.request_withdrawal(uuid4())
            await wait_until(lambda: count_events(kafka) == turn)  # noqa: B023  waited for in this turn
    assert find_chain_faults(kafka.records) == []


async def test_rows_of_a_relay_that_died_are_sent_by_the_next(database: Database, use_kafka: UseKafka) -> None:
    kafka = use_kafka(UnreliableKafka(losses=0.2))
    sample = SampleService("sample", database, NO_KAFKA)
    packages = [uuid4() for _ in range(4)]
    for _ in range(10):
        async with run_tasks(sample.build_relay().run()) as (running,):
            for package in packages:
                await sample.request_withdrawal(package, count=2)
            await cancel_tasks([running])
    async with run_tasks(sample.build_relay().run()):
        await wait_until(lambda: is_emptied(database), within=60)
    assert find_chain_faults(kafka.records) == []
    assert count_events(kafka) == 80


async def test_a_relay_whose_send_fails_while_it_is_stopped_ends(database: Database, use_kafka: UseKafka) -> None:
    kafka = BreakingKafka()
    use_kafka(kafka)
    sample = SampleService("sample", database, NO_KAFKA)
    stopping = asyncio.create_task(sample.build_relay().run())
    await sample.request_withdrawal(uuid4(), count=1)
    await wait_until(lambda: kafka.sends > 0, within=60)
    stopping.cancel()
    done, _ = await asyncio.wait({stopping}, timeout=60)
    assert done, "the relay runs on"
    assert stopping.cancelled()
