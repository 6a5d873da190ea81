"""The journal: versions without gaps, a hash chain per stream, and rows that never change."""

import asyncio
from uuid import uuid4

import pytest

from contracts.catalogue import PACKAGES, PROVIDERS
from contracts.envelope import GENESIS
from contracts.events.packages import PackageWithdrawn, WithdrawalRequested
from contracts.events.providers import ProviderRegistered
from contracts.examples import an_example_of
from service_runtime.outbox.journal import decode_headers
from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import StatementRefused
from testkit.chain_checker import find_chain_faults
from testkit.databases import fetch_rows
from testkit.sample_service import NO_KAFKA, SampleService, SampleUnitOfWork
from testkit.topics import TopicRecord


@pytest.fixture
def sample(database: Database) -> SampleService:
    """A sample service without Kafka."""
    return SampleService("sample", database, NO_KAFKA)


async def read_journal(database: Database) -> list[TopicRecord]:
    """Returns the journal's rows as records of a topic."""
    rows = await fetch_rows(database, "SELECT topic, key, version, headers, payload FROM journal ORDER BY position")
    return [TopicRecord(row.topic, 0, row.version, row.key, decode_headers(row.headers), row.payload) for row in rows]


async def test_two_hundred_concurrent_commands_on_five_keys_leave_no_gap_in_the_versions(sample: SampleService) -> None:
    packages = [uuid4() for _ in range(5)]
    await asyncio.gather(*(sample.request_withdrawal(packages[turn % 5]) for turn in range(200)))
    assert find_chain_faults(await read_journal(sample.database)) == []
    for package in packages:
        rows = await fetch_rows(
            sample.database, "SELECT version FROM journal WHERE key = :key ORDER BY position", key=str(package)
        )
        assert [row.version for row in rows] == list(range(1, 41))


async def test_positions_follow_versions_on_every_key(sample: SampleService) -> None:
    package = uuid4()
    await asyncio.gather(*(sample.request_withdrawal(package, count=5) for _ in range(20)))
    rows = await fetch_rows(sample.database, "SELECT version FROM journal ORDER BY position")
    assert [row.version for row in rows] == list(range(1, 101))


async def test_the_first_event_of_a_stream_starts_its_hash_chain(sample: SampleService) -> None:
    await sample.request_withdrawal(uuid4())
    (first,) = await read_journal(sample.database)
    assert first.get_header("ce_prevhash") == GENESIS
    assert first.get_header("ce_sequence") == "1"


async def test_a_second_stream_of_a_unit_of_work_is_locked_versioned_and_chained_too(sample: SampleService) -> None:
    package, provider = uuid4(), uuid4()

    async def publish_to_both(work: SampleUnitOfWork) -> None:
        work.publish(
            an_example_of(ProviderRegistered, provider_id=provider),
            an_example_of(WithdrawalRequested, package_id=package),
            an_example_of(PackageWithdrawn, package_id=package),
        )

    await asyncio.gather(*(sample.execute(package, publish_to_both) for _ in range(10)))
    assert find_chain_faults(await read_journal(sample.database)) == []
    versions = await fetch_rows(sample.database, "SELECT topic, version FROM streams ORDER BY topic")
    assert [(row.topic, row.version) for row in versions] == [(PACKAGES, 20), (PROVIDERS, 10)]


@pytest.mark.parametrize(
    "statement", ["UPDATE journal SET actor = 'x'", "DELETE FROM journal", "TRUNCATE journal CASCADE"]
)
async def test_the_journal_is_append_only(sample: SampleService, statement: str) -> None:
    await sample.request_withdrawal(uuid4())
    with pytest.raises(StatementRefused, match="append-only"):
        await fetch_rows(sample.database, statement)
