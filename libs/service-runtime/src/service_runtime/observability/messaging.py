"""Spans of messages by OpenTelemetry's messaging conventions: `send {topic}` and `process {topic}`.

The span in which an event was published is its creation context: the parent of the span that sends it, and of those
that process it. Where nobody keeps that one, these are not made.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from contracts.catalogue import PACKAGES
from service_runtime.observability.tracing import (
    SpanAttributes,
    build_subject_attributes,
    is_sampled,
    record_finished_span,
)

EVENT: Final = "calloff.event"
"""Which type of event a message says."""


@dataclass(frozen=True)
class Message:
    """A record, as far as a span tells of it; where it lies is not known before Kafka has it."""

    topic: str
    key: str
    id: str
    type: str
    partition: int | None = None
    offset: int | None = None

    def build_send_attributes(self) -> SpanAttributes:
        return self._build_attributes("send")

    def build_process_attributes(self, *, group: str) -> SpanAttributes:
        return {**self._build_attributes("process"), "messaging.consumer.group.name": group}

    def _build_attributes(self, operation: Literal["send", "process"]) -> dict[str, AttributeValue]:
        attributes: dict[str, AttributeValue] = {
            "messaging.system": "kafka",
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
            "messaging.destination.name": self.topic,
            "messaging.message.id": self.id,
            "messaging.kafka.message.key": self.key,
            EVENT: self.type,
            **build_subject_attributes(self.topic, self.key),
        }
        if self.partition is not None:
            attributes["messaging.destination.partition.id"] = str(self.partition)
        if self.offset is not None:
            attributes["messaging.kafka.offset"] = self.offset
        return attributes


class KafkaMessage(NamedTuple):
    """A record on its way through a batch, as Kafka has it or is given it."""

    topic: str
    partition: int
    offset: int | None
    key: bytes
    headers: Sequence[tuple[str, bytes]]

    @property
    def traceparent(self) -> str:
        # It is the last header that we write.
        return next((value.decode() for name, value in reversed(self.headers) if name == "traceparent"), "")

    @property
    def message(self) -> Message:
        named = {name: value.decode(errors="replace") for name, value in self.headers}
        key = self.key.decode(errors="replace")
        attributes = (named.get("ce_id", ""), named.get("ce_type", ""))
        return Message(self.topic, key, *attributes, partition=self.partition, offset=self.offset)


def record_send_spans(batch: Iterable[KafkaMessage], *, begun: int, error: str | None = None) -> None:
    """A batch was sent, or could not be; `begun` in nanoseconds since 1970."""
    ended = time.time_ns()
    for each in batch:
        if is_sampled(cause := each.traceparent):
            name, attributes = f"send {each.topic}", each.message.build_send_attributes()
            record_finished_span(cause, name, SpanKind.PRODUCER, attributes, begun=begun, ended=ended, error=error)


def record_receive_spans(batch: Iterable[KafkaMessage], *, group: str, begun: int) -> None:
    """A batch was taken in, all of it in one transaction; of thousands of providers nobody wants to read that."""
    ended = time.time_ns()
    for each in batch:
        if each.topic == PACKAGES and is_sampled(cause := each.traceparent):
            name, attributes = f"process {each.topic}", each.message.build_process_attributes(group=group)
            record_finished_span(cause, name, SpanKind.CONSUMER, attributes, begun=begun, ended=ended)
