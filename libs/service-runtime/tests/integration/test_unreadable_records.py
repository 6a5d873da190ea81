"""Foreign records in Kafka: each consumer passes what it cannot read, keeps its bytes, and handles all others."""

import hashlib
import secrets
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES, encode
from contracts.events.packages import WithdrawalRequested
from contracts.examples import an_envelope_of, an_example_of
from contracts.ids import uuid7
from service_runtime.clock import SystemClock
from service_runtime.kafka.batch_consumer import BatchConsumer
from service_runtime.kafka.client import Partition, get_committed_offsets
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.records import UnreadableCause
from service_runtime.projections.consumer import build_projection_subscription
from service_runtime.projections.projections import Projection
from service_runtime.unit_of_work.wakeups import Wakeup
from testkit.databases import a_database, fetch_rows
from testkit.foreign_records import PLACEHOLDER, ForeignRecord, send_foreign_records
from testkit.sample_service import TABLES, SampleService, run_tasks
from testkit.servers import TestPostgres
from testkit.topics import move_group_to_end
from testkit.waiting import wait_until

REQUESTS: Final = Projection("requests", (WithdrawalRequested,), lambda event: str(event.package_id))
PARTITION: Final = Partition(PACKAGES, 5)


def a_record(package: UUID, payload: bytes | None = None, **attributes: bytes | None) -> ForeignRecord:
    """A record that the sample service subscribes to; `attributes` replace headers after the hash was computed."""
    event = an_example_of(WithdrawalRequested, package_id=package)
    envelope = an_envelope_of(event).model_copy(update={"id": uuid7(SystemClock().now())})
    value = encode(event) if payload is None else payload
    named = {f"ce_{name}": header for name, header in attributes.items()}
    headers = [(name, named.get(name, header)) for name, header in envelope.seal(value).to_headers()]
    return ForeignRecord(str(package).encode(), value, headers)


def a_changed_record(**changes: Any) -> ForeignRecord:  # Any: any field of the record
    return replace(a_record(uuid4()), **changes)


def a_record_with(*headers: tuple[str, bytes | None], package: UUID | None = None) -> ForeignRecord:
    record = a_record(package or uuid4())
    return replace(record, headers=[*headers, *record.headers])


UNREADABLE: Final[Mapping[str, tuple[ForeignRecord, UnreadableCause]]] = {
    "type null": (a_record(uuid4(), type=None), UnreadableCause.NO_TYPE),
    "no headers": (a_changed_record(headers=[]), UnreadableCause.NO_TYPE),
    "council null": (a_record(uuid4(), council=None), UnreadableCause.INVALID_ENVELOPE),
    "only a type": (
        a_changed_record(headers=[("ce_type", WithdrawalRequested.get_type_name().encode())]),
        UnreadableCause.INVALID_ENVELOPE,
    ),
    "actor with NUL": (a_record(uuid4(), actor=b"system:\0"), UnreadableCause.INVALID_ENVELOPE),
    "sequence above 2^63": (a_record(uuid4(), sequence=b"9223372036854775808"), UnreadableCause.INVALID_ENVELOPE),
    "sequence negative": (a_record(uuid4(), sequence=b"-7"), UnreadableCause.INVALID_ENVELOPE),
    "sequence no number": (a_record(uuid4(), sequence=b"seven"), UnreadableCause.INVALID_ENVELOPE),
    "time in year 1": (a_record(uuid4(), time=b"0001-01-01T00:00:00+14:00"), UnreadableCause.INVALID_ENVELOPE),
    "time no instant": (a_record(uuid4(), time=b"yesterday"), UnreadableCause.INVALID_ENVELOPE),
    "key null": (a_changed_record(key=None), UnreadableCause.NO_KEY),
    "key empty": (a_changed_record(key=b""), UnreadableCause.NO_KEY),
    "key with NUL": (a_changed_record(key=b"a\0b"), UnreadableCause.INVALID_KEY),
    "key in binary": (a_changed_record(key=b"\xff\xfe"), UnreadableCause.INVALID_KEY),
    "key of 100 kB": (a_changed_record(key=b"k" * 100_000), UnreadableCause.INVALID_KEY),
    "tombstone": (a_changed_record(value=None), UnreadableCause.NO_PAYLOAD),
    "payload no JSON": (a_changed_record(value=b"\xff{"), UnreadableCause.WRONG_HASH),
    "payload of another type": (a_changed_record(value=b'{"so": "what"}'), UnreadableCause.WRONG_HASH),
    "no type, and a header name in binary": (
        a_changed_record(headers=[(PLACEHOLDER, None), (PLACEHOLDER, b"2")]),
        UnreadableCause.NO_TYPE,
    ),
}
FITTING: Final[Mapping[str, tuple[UUID, ForeignRecord]]] = {
    "first": (first := uuid4(), a_record(first)),
    "trace context null": (traced := uuid4(), a_record_with(("traceparent", None), package=traced)),
    "trace context in binary": (odd := uuid4(), a_record_with(("traceparent", b"\xff"), package=odd)),
    "type twice": (twice := uuid4(), a_record_with(("ce_type", b"calloff.Foreign.v1"), package=twice)),
    "foreign header null": (b3 := uuid4(), a_record_with(("b3", None), package=b3)),
    "header name in binary": (binary := uuid4(), a_record_with((PLACEHOLDER, b"1"), package=binary)),
    "last": (last := uuid4(), a_record(last)),
}
POISON: Final = uuid4()
OWN_WITH_OTHER_PAYLOAD: Final = a_record(POISON, b'{"so": "what"}')
UNKNOWN: Final = a_record(uuid4(), type=b"calloff.Foreign.v1")


@dataclass(frozen=True)
class Passed:
    """What the event consumer and the projection consumer have stored about one batch of records."""

    sample: SampleService
    batches: BatchConsumer
    offsets: Mapping[str, int]

    async def find_rows(self, name: str) -> dict[str, Any]:  # Any: a row
        """Returns the unreadable record at the position of a case, by consumer."""
        rows = await fetch_rows(
            self.sample.database,
            'SELECT * FROM unreadable_records WHERE topic = :topic AND partition = :partition AND "offset" = :offset',
            topic=PARTITION.topic,
            partition=PARTITION.partition,
            offset=self.offsets[name],
        )
        return {row.consumer: row for row in rows}


@pytest.fixture(scope="module")
async def passed(postgres: TestPostgres, kafka_connection: KafkaConnection) -> AsyncGenerator[Passed]:
    """Sends all cases as one batch and returns when both consumers have passed it."""
    cases = {
        "first": FITTING["first"][1],
        **{name: record for name, (record, _) in UNREADABLE.items()},
        "own with another payload": OWN_WITH_OTHER_PAYLOAD,
        "unknown type": UNKNOWN,
        **{name: record for name, (_, record) in FITTING.items() if name != "first"},
    }
    async with a_database(postgres, TABLES) as database:
        sample = SampleService(f"unreadable-{secrets.token_hex(4)}", database, kafka_connection)
        subscription = build_projection_subscription(
            (REQUESTS,), memory=sample.executor.projections, timer_wakeup=Wakeup()
        )
        batches = BatchConsumer(
            subscription,
            service=sample.name,
            database=database,
            kafka=kafka_connection,
            clock=SystemClock(),
            log=sample.logs,
            metrics=sample.metrics.consumer,
        )
        consumer = sample.build_consumer()
        for group in (consumer.group, batches.group):
            await move_group_to_end(kafka_connection, group, [PACKAGES])
        offset = await send_foreign_records(kafka_connection, PARTITION, list(cases.values()))
        offsets = {name: offset + number for number, name in enumerate(cases)}

        async def is_passed() -> bool:
            committed = [
                (await get_committed_offsets(kafka_connection, group, [PARTITION], client_id="test"))[PARTITION]
                for group in (consumer.group, batches.group)
            ]
            return min(committed) >= offset + len(cases)

        async with run_tasks(consumer.run(), batches.run()):
            await wait_until(is_passed, within=90)
        yield Passed(sample, batches, offsets)


@pytest.mark.parametrize("name", UNREADABLE)
async def test_a_record_that_cannot_be_read_is_kept_once_by_each_consumer(passed: Passed, name: str) -> None:
    record, cause = UNREADABLE[name]
    rows = await passed.find_rows(name)
    assert set(rows) == {f"calloff.{passed.sample.name}", passed.batches.group}
    for row in rows.values():
        assert (row.cause, row.discarded_at) == (cause.value, None)
        assert len(row.key or b"") + len(row.headers) + len(row.payload or b"") == min(row.size, 65_536)
        assert (record.key or b"").startswith(row.key or b"")
        assert len(row.sha256) == hashlib.sha256().digest_size


@pytest.mark.parametrize("name", FITTING)
async def test_records_before_between_and_after_unreadable_ones_are_handled(passed: Passed, name: str) -> None:
    package = str(FITTING[name][0])
    database = passed.sample.database
    assert await passed.find_rows(name) == {}
    assert await fetch_rows(database, "SELECT 1 FROM handled_events WHERE package_id = CAST(:it AS uuid)", it=package)
    assert await fetch_rows(database, "SELECT 1 FROM projections WHERE key = :key", key=package)


async def test_an_own_event_whose_payload_does_not_fit_parks_its_key(passed: Passed) -> None:
    assert [key.stream.key for key in await passed.sample.dead_letters.list_keys()] == [str(POISON)]
    rows = await passed.find_rows("own with another payload")
    assert {row.cause for row in rows.values()} == {UnreadableCause.INVALID_PAYLOAD.value}
    assert set(rows) == {passed.batches.group}


async def test_a_record_of_a_type_without_a_subscription_is_passed(passed: Passed) -> None:
    assert await passed.find_rows("unknown type") == {}


async def test_unreadable_records_are_counted_and_no_consumer_was_rebuilt(passed: Passed) -> None:
    value = passed.sample.metrics.registry.get_sample_value
    for cause in {cause for _, cause in UNREADABLE.values()}:
        count = sum(each is cause for _, each in UNREADABLE.values())
        labels = {"topic": PACKAGES, "cause": cause.value}
        assert value("calloff_unreadable_records_total", labels) == 2 * count
    for group in (f"calloff.{passed.sample.name}", passed.batches.group):
        assert value("calloff_consumer_rebuilds_total", {"group": group}) == 0
    assert not passed.sample.logs.find_entries("batch handled record by record")
