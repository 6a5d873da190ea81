"""Outbox relay: commits at exact points of a read of the outbox, between its snapshot and its result."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from service_runtime.outbox import relay, row_source
from service_runtime.outbox.outbox_table import OutboxSnapshot, is_outbox_empty, read_outbox
from service_runtime.outbox.relay import Relay
from service_runtime.postgres.database import Connection, Database
from testkit.committed_events import commit_events
from testkit.fake_kafka import UnreliableKafka
from testkit.sample_service import NO_KAFKA, SampleService, run_tasks
from testkit.waiting import wait_until

NEVER = 60.0
"""Seconds; longer than any test here takes."""


class InterruptedReads:
    """Reads of the outbox that call `between` once, after the snapshot and before the result is returned."""

    def __init__(self) -> None:
        self.between: Callable[[], Awaitable[None]] | None = None
        self.before: Callable[[], Awaitable[None]] | None = None

    async def read(
        self, connection: Connection, *, acknowledged: list[int], known: list[int], taken: list[int]
    ) -> OutboxSnapshot:
        before, self.before = self.before, None
        if before is not None:
            await before()
        snapshot = await read_outbox(connection, acknowledged=acknowledged, known=known, taken=taken)
        between, self.between = self.between, None
        if between is not None:
            await between()
        return snapshot


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> UnreliableKafka:
    kafka = UnreliableKafka(losses=0)
    monkeypatch.setattr(relay, "Producer", kafka)
    monkeypatch.setattr(row_source, "QUIET", NEVER)
    monkeypatch.setattr(row_source, "POLL", NEVER)
    return kafka


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> InterruptedReads:
    reads = InterruptedReads()
    monkeypatch.setattr(row_source, "read_outbox", reads.read)
    return reads


@asynccontextmanager
async def running(relay: Relay) -> AsyncGenerator[None]:
    async with run_tasks(relay.run()):
        yield


def list_versions(kafka: UnreliableKafka) -> list[int]:
    return [int(record.get_header("ce_sequence")) for record in kafka.records]


async def test_a_row_handed_over_between_the_last_read_and_direct_mode_is_sent(
    database: Database, kafka: UnreliableKafka, reads: InterruptedReads
) -> None:
    relay, package = SampleService("sample", database, NO_KAFKA).build_relay(), uuid4()

    async def hand_over() -> None:
        relay.hand_over(await commit_events(database, package, count=2))

    await commit_events(database, package)
    reads.between = hand_over
    async with running(relay):
        await wait_until(lambda: len(kafka.records) == 3)
    assert list_versions(kafka) == [1, 2, 3]


async def test_a_read_that_is_requested_during_a_read_follows_it(
    database: Database, kafka: UnreliableKafka, reads: InterruptedReads
) -> None:
    relay, package = SampleService("sample", database, NO_KAFKA).build_relay(), uuid4()

    async def hand_over_after_another_process() -> None:
        await commit_events(database, package)
        relay.hand_over(await commit_events(database, package), may_have_earlier=True)
        relay.hand_over(await commit_events(database, package))

    reads.between = hand_over_after_another_process
    async with running(relay):
        await wait_until(lambda: len(kafka.records) == 3)
    assert list_versions(kafka) == [1, 2, 3]


async def test_a_row_that_is_sent_during_a_poll_which_also_returns_it_is_sent_once(
    database: Database, kafka: UnreliableKafka, reads: InterruptedReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_source, "POLL", 0.05)
    relay, package = SampleService("sample", database, NO_KAFKA).build_relay(), uuid4()

    async def commit_and_hand_over_later() -> None:
        rows = await commit_events(database, package, count=2)

        async def hand_over() -> None:
            relay.hand_over(rows)
            await wait_until(lambda: len(kafka.records) == 2)

        reads.between = hand_over

    async with running(relay):
        await wait_until(lambda: relay.is_direct)
        reads.before = commit_and_hand_over_later
        await wait_until(lambda: len(kafka.records) == 2)
        await wait_until(lambda: is_outbox_empty(database))
    assert list_versions(kafka) == [1, 2]


@pytest.mark.usefixtures("reads")
async def test_a_backlog_is_read_to_its_end_before_rows_handed_over_are_sent(
    database: Database, kafka: UnreliableKafka
) -> None:
    relay, package = SampleService("sample", database, NO_KAFKA).build_relay(), uuid4()
    await commit_events(database, package, count=2_500)
    async with running(relay):
        await wait_until(lambda: kafka.records)
        relay.hand_over(await commit_events(database, package))
        await wait_until(lambda: len(kafka.records) == 2_501)
    assert list_versions(kafka) == list(range(1, 2_502))
