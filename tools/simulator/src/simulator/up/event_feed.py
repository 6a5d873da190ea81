"""Reads the topics from their beginning, so that what stands where is told by the record and by nothing else."""

from typing import Final

from pydantic import ValidationError

from contracts.catalogue import BY_TYPE, PACKAGES, PROVIDERS, decode
from contracts.envelope import Envelope
from devstack.package_status import PackageTracker
from service_runtime.kafka.client import Consumer, KafkaFailure, KafkaRecord

_MOST: Final = 500


async def follow(bootstrap: str, standing: PackageTracker) -> None:
    """Until cancelled; begins anew, with all packages forgotten, when Kafka was away."""
    while True:
        consumer = Consumer(bootstrap, group=None, client_id="calloff-watch")
        try:
            await consumer.start((PACKAGES, PROVIDERS))
            while True:
                for record in await consumer.read(timeout_ms=300, max_records=_MOST):
                    _take_in(record, standing)
        except KafkaFailure:
            standing.clear()
        finally:
            await consumer.stop(within=2)


def _take_in(record: KafkaRecord, standing: PackageTracker) -> None:
    try:
        envelope = Envelope.from_headers(record.headers)
        entry = BY_TYPE.get(envelope.type)
        if entry is not None:
            standing.apply(decode(entry.event, record.value or b""), envelope.time)
    except ValidationError:
        return  # whoever owns the topic parks what cannot be read; a display has nothing to add
