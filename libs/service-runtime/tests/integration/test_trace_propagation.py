"""Trace propagation: a request, its records and their handlers are one trace; a timer starts a new one."""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from contracts.catalogue import PACKAGES
from contracts.events.packages import WithdrawalRequested
from contracts.ids import PackageId
from contracts.telemetry import build_subject_attributes
from service_runtime.clock import SystemClock
from service_runtime.idempotency import CommandClaim
from service_runtime.kafka.batch_consumer import BatchConsumer
from service_runtime.kafka.event_handler import MAX_ATTEMPTS
from service_runtime.observability import tracing as tracing
from service_runtime.observability.tracing import start_linked_span
from service_runtime.projections.consumer import build_projection_subscription
from service_runtime.projections.projections import PROJECTION_UPDATED, Projection
from service_runtime.subscriptions import on_timer
from service_runtime.timers.worker import TimerWorker
from service_runtime.unit_of_work.streams import Cause
from testkit.databases import fetch_number, fetch_rows
from testkit.sample_service import (
    RequestWithdrawal,
    SampleService,
    SampleUnitOfWork,
    build_empty_response,
    publish_requests,
    run_tasks,
    to_stream_key,
)
from testkit.waiting import wait_until

pytestmark = pytest.mark.servers


class FinishedSpans:
    """Finds finished spans by name and package."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def find_spans(self, name: str, package: UUID) -> Sequence[ReadableSpan]:
        found = [span for span in self._exporter.get_finished_spans() if span.name == name]
        return [span for span in found if (span.attributes or {}).get("calloff.package_id") == str(package)]

    def find_span(self, name: str, package: UUID) -> ReadableSpan:
        (span,) = self.find_spans(name, package)
        return span


@pytest.fixture
def finished(monkeypatch: pytest.MonkeyPatch) -> Iterator[FinishedSpans]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "get_tracer", lambda: provider.get_tracer("test"))
    yield FinishedSpans(exporter)
    provider.shutdown()


async def request_in_span(sample: SampleService, package: UUID, *, close_in: timedelta | None = None) -> None:
    """Executes the command in a span like that of a request."""
    close_at = None if close_in is None else SystemClock().now() + close_in
    command = RequestWithdrawal(PackageId(package), close_at=close_at)
    claim = CommandClaim[None](
        on=to_stream_key(package),
        why=Cause("command:ask", "system:test", "amberside"),
        caller="amberside/system:test",
        idempotency_key=None,
        fingerprint="",
        answer=build_empty_response,
    )
    with start_linked_span(
        "", "POST /v1/asks", SpanKind.SERVER, build_subject_attributes(PACKAGES, str(package))
    ) as span:
        await sample.executor.execute(claim, lambda work: publish_requests(command, work), span=span)


def get_parent_id(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent is not None else None


def get_span_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


def get_trace_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.trace_id


async def test_sends_and_handlers_belong_to_the_trace_of_the_request(
    sample: SampleService, finished: FinishedSpans
) -> None:
    package = uuid4()
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await request_in_span(sample, package)
        await wait_until(lambda: finished.find_spans(f"process {PACKAGES}", package), within=40)
        await wait_until(lambda: len(finished.find_spans(f"send {PACKAGES}", package)) == 2, within=20)
    request, processed = (
        finished.find_span("POST /v1/asks", package),
        finished.find_span(f"process {PACKAGES}", package),
    )
    first_send, second_send = sorted(
        finished.find_spans(f"send {PACKAGES}", package), key=lambda span: span.start_time or 0
    )
    assert {get_trace_id(span) for span in (request, processed, first_send, second_send)} == {get_trace_id(request)}
    assert (get_parent_id(first_send), get_parent_id(processed)) == (get_span_id(request), get_span_id(request))
    assert get_parent_id(second_send) == get_span_id(processed), "the handler's event follows from the handler"
    assert [link.context.span_id for link in processed.links] == [get_span_id(request)]


async def test_spans_of_messages_follow_the_semantic_conventions(
    sample: SampleService, finished: FinishedSpans
) -> None:
    package, before = uuid4(), time.time_ns()
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await request_in_span(sample, package)
        await wait_until(lambda: finished.find_spans(f"process {PACKAGES}", package), within=40)
        await wait_until(lambda: len(finished.find_spans(f"send {PACKAGES}", package)) == 2, within=20)
    processed = finished.find_span(f"process {PACKAGES}", package)
    sent = min(finished.find_spans(f"send {PACKAGES}", package), key=lambda span: span.start_time or 0)
    assert (sent.kind, processed.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    sent_attributes, processed_attributes = dict(sent.attributes or {}), dict(processed.attributes or {})
    (event,) = await fetch_rows(
        sample.database, "SELECT id FROM journal WHERE key = :key AND version = 1", key=str(package)
    )
    shared = {
        "messaging.system": "kafka",
        "messaging.destination.name": PACKAGES,
        "messaging.message.id": str(event.id),
        "messaging.kafka.message.key": str(package),
        "calloff.event": "calloff.WithdrawalRequested.v1",
        "calloff.package_id": str(package),
        "messaging.destination.partition.id": sent_attributes["messaging.destination.partition.id"],
        "messaging.kafka.offset": sent_attributes["messaging.kafka.offset"],
    }
    assert sent_attributes == {**shared, "messaging.operation.name": "send", "messaging.operation.type": "send"}
    assert processed_attributes == {
        **shared,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": sample.build_consumer().group,
    }
    assert before < (sent.start_time or 0) <= (sent.end_time or 0)


async def test_a_timer_starts_a_new_trace_linked_to_the_span_that_scheduled_it(
    sample: SampleService, finished: FinishedSpans
) -> None:
    package = uuid4()
    async with run_tasks(sample.build_timer_worker().run()):
        await request_in_span(sample, package, close_in=timedelta(milliseconds=50))
        await wait_until(lambda: fetch_number(sample.database, "SELECT count(*) FROM fired_timers"), within=20)
        await wait_until(lambda: finished.find_spans("timer close", package), within=5)
    request, timer = finished.find_span("POST /v1/asks", package), finished.find_span("timer close", package)
    assert timer.parent is None
    assert get_trace_id(timer) != get_trace_id(request)
    assert [(link.context.trace_id, link.context.span_id) for link in timer.links] == [
        (get_trace_id(request), get_span_id(request))
    ]


REQUESTS = Projection("requests", event_types=(WithdrawalRequested,), key=lambda event: str(event.package_id))


async def test_a_timer_from_a_projection_is_linked_to_the_event_that_updated_it(
    sample: SampleService, finished: FinishedSpans
) -> None:
    held_package, missing_package = uuid4(), uuid4()

    async def hold(work: SampleUnitOfWork) -> None:
        assert await work.hold([(REQUESTS.name, str(missing_package))])

    async def ignore_timer(*_: object) -> None:
        """Does nothing: the test looks at the timer's span."""

    await sample.execute(held_package, hold)
    timers = [on_timer(PROJECTION_UPDATED, ignore_timer)]
    worker = TimerWorker(
        sample.executor, timers, wakeup=sample.wakeups.timers, log=sample.logs, metrics=sample.metrics.timers
    )
    consumer = BatchConsumer(
        build_projection_subscription(
            (REQUESTS,), memory=sample.executor.projections, timer_wakeup=sample.wakeups.timers
        ),
        service=sample.name,
        database=sample.database,
        kafka=sample.kafka,
        clock=sample.clock,
        log=sample.logs,
    )
    async with run_tasks(sample.build_relay().run(), consumer.run(), worker.run()):
        await request_in_span(sample, missing_package)
        await wait_until(lambda: finished.find_spans(f"timer {PROJECTION_UPDATED}", held_package), within=40)
    request, timer = (
        finished.find_span("POST /v1/asks", missing_package),
        finished.find_span(f"timer {PROJECTION_UPDATED}", held_package),
    )
    assert timer.parent is None
    assert get_trace_id(timer) != get_trace_id(request)
    assert [link.context.span_id for link in timer.links] == [get_span_id(request)]


async def test_a_released_dead_letter_starts_a_new_trace(sample: SampleService, finished: FinishedSpans) -> None:
    package = uuid4()
    await fetch_rows(sample.database, "INSERT INTO blocked (what) VALUES (:what)", what=str(package))
    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await request_in_span(sample, package)
        await wait_until(sample.dead_letters.list_keys, within=40)
    failed = finished.find_spans(f"process {PACKAGES}", package)
    assert [str((span.attributes or {})["error.type"]) for span in failed] == ["SampleServiceBlocked"] * MAX_ATTEMPTS
    assert all(not span.events and span.status.description is None for span in failed), (
        "the text of the error is not exported"
    )
    await fetch_rows(sample.database, "DELETE FROM blocked")
    await sample.dead_letters.release(to_stream_key(package))
    released, request = (
        finished.find_spans(f"process {PACKAGES}", package)[-1],
        finished.find_span("POST /v1/asks", package),
    )
    assert get_trace_id(released) != get_trace_id(request)
    assert [link.context.span_id for link in released.links] == [get_span_id(request)]
