"""Message spans by OpenTelemetry's messaging conventions: `send {topic}` and `process {topic}`.

The span in which an event was published is its creation context: the parent of the span that sends it and of the spans
that process it. If that span is not sampled, neither are these.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from contracts.telemetry import ATTRIBUTE_BY_TOPIC, build_subject_attributes
from contracts.trace_context import keep_valid_traceparent
from service_runtime.observability.guard import TRACING
from service_runtime.observability.tracing import (
    SpanAttributes,
    is_sampled,
    record_finished_span,
)

EVENT: Final = "calloff.event"
"""Span attribute: the type of the event."""


@dataclass(frozen=True)
class Message:
    """The data of a Kafka record that spans show; partition and offset are unknown before it is sent."""

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
    """A Kafka record to be sent (offset None) or received."""

    topic: str
    partition: int
    offset: int | None
    key: bytes
    headers: Sequence[tuple[str, bytes | None]]

    @property
    def traceparent(self) -> str:
        # The outbox relay writes traceparent as the last header. Other tools write null, other bytes, or nothing.
        return keep_valid_traceparent(
            next((value for name, value in reversed(self.headers) if name == "traceparent"), None)
        )

    @property
    def message(self) -> Message:
        named = {name: (value or b"").decode(errors="replace") for name, value in self.headers}
        key = self.key.decode(errors="replace")
        attributes = (named.get("ce_id", ""), named.get("ce_type", ""))
        return Message(self.topic, key, *attributes, partition=self.partition, offset=self.offset)


@TRACING
def record_send_spans(batch: Iterable[KafkaMessage], *, begun: int, error: str | None = None) -> None:
    """Records a send span for each sampled message of a batch, with `error` if sending failed.

    `begun` is in nanoseconds since 1970.
    """
    ended = time.time_ns()
    for record in batch:
        if is_sampled(cause := record.traceparent):
            name, attributes = f"send {record.topic}", record.message.build_send_attributes()
            record_finished_span(cause, name, SpanKind.PRODUCER, attributes, begun=begun, ended=ended, error=error)


@TRACING
def record_receive_spans(batch: Iterable[KafkaMessage], *, group: str, begun: int) -> None:
    """Records a process span for each sampled message of a batch that one transaction handled.

    Topics outside ATTRIBUTE_BY_TOPIC get none: provider events arrive by the thousand. `begun` is in nanoseconds since
    1970.
    """
    ended = time.time_ns()
    for record in batch:
        if record.topic in ATTRIBUTE_BY_TOPIC and is_sampled(cause := record.traceparent):
            name, attributes = f"process {record.topic}", record.message.build_process_attributes(group=group)
            record_finished_span(cause, name, SpanKind.CONSUMER, attributes, begun=begun, ended=ended)
