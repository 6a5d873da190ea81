"""Reads the topics from their beginning and updates the status of every package from the events."""

import logging
from typing import Final

from contracts.catalogue import BY_TYPE, PACKAGES, PROVIDERS, decode
from devstack.package_status import PackageTracker
from service_runtime.kafka.client import Consumer, KafkaFailure, KafkaRecord
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.records import Record

_MAX_RECORDS: Final = 500


async def follow_events(kafka: KafkaConnection, tracker: PackageTracker) -> None:
    """Follow the topics until cancelled. After a Kafka failure, clear the tracker and read from the beginning."""
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # its lines would break the display
    while True:
        consumer = Consumer(kafka, group=None, client_id="calloff-watch")
        try:
            await consumer.start((PACKAGES, PROVIDERS))
            while True:
                for record in await consumer.read(timeout_ms=300, max_records=_MAX_RECORDS):
                    _apply_record(record, tracker)
        except KafkaFailure:
            tracker.clear()
        finally:
            await consumer.stop(within=2)


def _apply_record(record: KafkaRecord, tracker: PackageTracker) -> None:
    try:
        event = Record.from_kafka(record)
        entry = BY_TYPE.get(event.envelope.type)
        if entry is not None:
            tracker.apply(decode(entry.event, event.payload), event.envelope.time)
    except ValueError:
        return  # the consuming services report unreadable records; the display ignores them
