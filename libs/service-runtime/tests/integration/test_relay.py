"""Outbox relay: the order of records on a Kafka that acknowledges late, partly, or not at all."""

from uuid import uuid4

import pytest
from aiokafka.errors import InvalidTimestampError, NotEnoughReplicasError, TopicAuthorizationFailedError

from contracts.catalogue import PACKAGES
from service_runtime.kafka.client import KafkaFailure
from service_runtime.outbox import relay, row_source
from service_runtime.outbox.outbox_table import is_outbox_empty
from service_runtime.postgres.database import Database
from testkit.chain_checker import find_chain_faults
from testkit.databases import fetch_rows
from testkit.fake_kafka import DenyingKafka, RefusingKafka, UnreliableKafka
from testkit.sample_service import NO_KAFKA, SampleService, run_tasks
from testkit.waiting import wait_until


async def test_no_row_is_sent_before_an_unacknowledged_earlier_row_of_its_key(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = UnreliableKafka()
    monkeypatch.setattr(relay, "Producer", kafka)
    monkeypatch.setattr(relay, "PAUSE", 0.01)
    sample = SampleService("sample", database, NO_KAFKA)
    for package in [uuid4() for _ in range(8)]:
        await sample.request_withdrawal(package, count=10)
    async with run_tasks(sample.build_relay().run()):
        await wait_until(lambda: is_outbox_empty(database), within=30)
    assert kafka.max_in_flight == 1, "one batch of a partition at a time"
    assert find_chain_faults(kafka.records) == []
    assert len({record.get_header("ce_id") for record in kafka.records}) == 80
    assert len(kafka.records) > 80, "records with lost acknowledgements are repeated"


@pytest.mark.parametrize("breaks_producer", [True, False], ids=["the producer breaks", "the producer continues"])
async def test_rows_before_a_refused_row_are_deleted_and_rows_behind_it_wait(
    database: Database, monkeypatch: pytest.MonkeyPatch, breaks_producer: bool
) -> None:
    kafka = RefusingKafka(breaks_producer=breaks_producer)
    monkeypatch.setattr(relay, "Producer", kafka)
    monkeypatch.setattr(relay, "PAUSE", 0.01)
    sample = SampleService("sample", database, NO_KAFKA)
    refused, another = uuid4(), uuid4()
    await sample.request_withdrawal(refused, count=3)
    await sample.request_withdrawal(another)
    async with run_tasks(sample.build_relay().run()):
        await wait_until(lambda: is_outbox_empty(database))
        rows = await fetch_rows(
            database, "SELECT key, version FROM outbox JOIN journal USING (position) ORDER BY position"
        )
    assert [tuple(row) for row in rows] == [(str(refused), 2), (str(refused), 3)]
    assert find_chain_faults(record for record in kafka.records if record.topic == PACKAGES) == []


@pytest.mark.parametrize("error", [TopicAuthorizationFailedError, InvalidTimestampError, NotEnoughReplicasError])
async def test_rows_that_kafka_refuses_for_its_settings_wait_and_park_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, error: type[KafkaFailure]
) -> None:
    kafka = DenyingKafka(error())
    monkeypatch.setattr(relay, "Producer", kafka)
    monkeypatch.setattr(relay, "PAUSE", 0.01)
    sample = SampleService("sample", database, NO_KAFKA)
    await sample.request_withdrawal(uuid4(), count=3)
    async with run_tasks(sample.build_relay().run()):
        await wait_until(lambda: kafka.denials >= 5)
        kafka.allow()
        await wait_until(lambda: is_outbox_empty(database))
    assert await sample.dead_letters.list_keys() == []
    assert find_chain_faults(kafka.records) == []
    assert len({record.get_header("ce_id") for record in kafka.records}) == 3


async def test_a_commit_notifies_the_relay_which_sends_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = UnreliableKafka(losses=0)
    monkeypatch.setattr(relay, "Producer", kafka)
    monkeypatch.setattr(row_source, "POLL", 30)
    sample = SampleService("sample", database, NO_KAFKA)
    async with run_tasks(sample.build_relay().run()):
        await sample.request_withdrawal(uuid4())
        await wait_until(lambda: kafka.records)
        await sample.request_withdrawal(uuid4())
        await wait_until(lambda: len(kafka.records) == 2, within=5)
