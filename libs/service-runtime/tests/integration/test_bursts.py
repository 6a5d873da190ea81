"""One causal burst is one trace: from the unit of work through outbox and Kafka to the handler, and no further."""

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
from service_runtime.clock import SystemClock
from service_runtime.idempotency import CommandClaim
from service_runtime.kafka.batch_consumer import BatchConsumer
from service_runtime.kafka.consumer import MAX_ATTEMPTS
from service_runtime.observability import tracing as traces
from service_runtime.observability.tracing import build_subject_attributes, start_linked_span
from service_runtime.projections.consumer import build_projection_subscription
from service_runtime.projections.projections import PROJECTION_UPDATED, Projection
from service_runtime.subscriptions import on_timer
from service_runtime.timers.worker import TimerWorker
from service_runtime.unit_of_work.streams import Cause
from testkit.databases import number, rows
from testkit.sample_service import Ask, Turnstile, TurnstileWork, answer_nothing, ask, running, stream_of
from testkit.waiting import until

pytestmark = pytest.mark.servers


class Traced:
    """Every span that has ended, by its name."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def spans(self, name: str, package: UUID) -> Sequence[ReadableSpan]:
        found = [span for span in self._exporter.get_finished_spans() if span.name == name]
        return [span for span in found if (span.attributes or {}).get("calloff.package_id") == str(package)]

    def one(self, name: str, package: UUID) -> ReadableSpan:
        (span,) = self.spans(name, package)
        return span


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(traces, "get_tracer", lambda: provider.get_tracer("test"))
    yield Traced(exporter)
    provider.shutdown()


async def ask_in_a_request(gate: Turnstile, package: UUID, *, close_in: timedelta | None = None) -> None:
    """Carries the command out, in a span as a request's."""
    close_at = None if close_in is None else SystemClock().now() + close_in
    command = Ask(PackageId(package), close_at=close_at)
    claim = CommandClaim[None](
        on=stream_of(package),
        why=Cause("command:ask", "system:test", "essex"),
        caller="essex/system:test",
        idempotency_key=None,
        fingerprint="",
        answer=answer_nothing,
    )
    with start_linked_span(
        "", "POST /v1/asks", SpanKind.SERVER, build_subject_attributes(PACKAGES, str(package))
    ) as span:
        await gate.performer.execute(claim, lambda work: ask(command, work), span=span)


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent is not None else None


def id_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


def trace_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.trace_id


async def test_what_is_sent_and_what_is_processed_follow_from_the_request(gate: Turnstile, traced: Traced) -> None:
    package = uuid4()
    async with running(gate.relay().run(), gate.consumer().run()):
        await ask_in_a_request(gate, package)
        await until(lambda: traced.spans(f"process {PACKAGES}", package), within=40)
        await until(lambda: len(traced.spans(f"send {PACKAGES}", package)) == 2, within=20)
    request, processed = traced.one("POST /v1/asks", package), traced.one(f"process {PACKAGES}", package)
    asked, passed = sorted(traced.spans(f"send {PACKAGES}", package), key=lambda span: span.start_time or 0)
    assert {trace_of(span) for span in (request, processed, asked, passed)} == {trace_of(request)}
    assert (parent_of(asked), parent_of(processed)) == (id_of(request), id_of(request))
    assert parent_of(passed) == id_of(processed), "what the handler published follows from the handler"
    assert [link.context.span_id for link in processed.links] == [id_of(request)]


async def test_messages_are_told_by_the_conventions(gate: Turnstile, traced: Traced) -> None:
    package, before = uuid4(), time.time_ns()
    async with running(gate.relay().run(), gate.consumer().run()):
        await ask_in_a_request(gate, package)
        await until(lambda: traced.spans(f"process {PACKAGES}", package), within=40)
        await until(lambda: len(traced.spans(f"send {PACKAGES}", package)) == 2, within=20)
    processed = traced.one(f"process {PACKAGES}", package)
    sent = min(traced.spans(f"send {PACKAGES}", package), key=lambda span: span.start_time or 0)
    assert (sent.kind, processed.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    said, heard = dict(sent.attributes or {}), dict(processed.attributes or {})
    (event,) = await rows(gate.database, "SELECT id FROM journal WHERE key = :key AND version = 1", key=str(package))
    alike = {
        "messaging.system": "kafka",
        "messaging.destination.name": PACKAGES,
        "messaging.message.id": str(event.id),
        "messaging.kafka.message.key": str(package),
        "calloff.event": "calloff.WithdrawalRequested.v1",
        "calloff.package_id": str(package),
        "messaging.destination.partition.id": said["messaging.destination.partition.id"],
        "messaging.kafka.offset": said["messaging.kafka.offset"],
    }
    assert said == {**alike, "messaging.operation.name": "send", "messaging.operation.type": "send"}
    assert heard == {
        **alike,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": gate.consumer().group,
    }
    assert before < (sent.start_time or 0) <= (sent.end_time or 0)


async def test_a_timer_begins_a_trace_of_its_own_linked_to_what_armed_it(gate: Turnstile, traced: Traced) -> None:
    package = uuid4()
    async with running(gate.sleeper().run()):
        await ask_in_a_request(gate, package, close_in=timedelta(milliseconds=50))
        await until(lambda: number(gate.database, "SELECT count(*) FROM closings"), within=20)
        await until(lambda: traced.spans("timer close", package), within=5)
    request, timer = traced.one("POST /v1/asks", package), traced.one("timer close", package)
    assert timer.parent is None
    assert trace_of(timer) != trace_of(request)
    assert [(link.context.trace_id, link.context.span_id) for link in timer.links] == [
        (trace_of(request), id_of(request))
    ]


REQUESTS = Projection("requests", event_types=(WithdrawalRequested,), key=lambda event: str(event.package_id))


async def test_a_timer_that_a_view_armed_is_linked_to_what_moved_the_view(gate: Turnstile, traced: Traced) -> None:
    held, missing = uuid4(), uuid4()

    async def hold(work: TurnstileWork) -> None:
        assert await work.hold([(REQUESTS.name, str(missing))])

    async def look_again(*_: object) -> None:
        """What is missing no more is no matter here."""

    await gate.do(held, hold)
    timers = [on_timer(PROJECTION_UPDATED, look_again)]
    sleeper = TimerWorker(gate.performer, timers, wakeup=gate.wakes.timers, log=gate.log, metrics=gate.metrics.timers)
    feed = BatchConsumer(
        build_projection_subscription((REQUESTS,), timer_wakeup=gate.wakes.timers, log=gate.log),
        service=gate.name,
        database=gate.database,
        bootstrap=gate.bootstrap,
        clock=gate.clock,
        log=gate.log,
    )
    async with running(gate.relay().run(), feed.run(), sleeper.run()):
        await ask_in_a_request(gate, missing)
        await until(lambda: traced.spans(f"timer {PROJECTION_UPDATED}", held), within=40)
    request, woken = traced.one("POST /v1/asks", missing), traced.one(f"timer {PROJECTION_UPDATED}", held)
    assert woken.parent is None
    assert trace_of(woken) != trace_of(request)
    assert [link.context.span_id for link in woken.links] == [id_of(request)]


async def test_a_parked_event_that_is_released_begins_a_trace_of_its_own(gate: Turnstile, traced: Traced) -> None:
    package = uuid4()
    await rows(gate.database, "INSERT INTO blocked (what) VALUES (:what)", what=str(package))
    async with running(gate.relay().run(), gate.consumer().run()):
        await ask_in_a_request(gate, package)
        await until(gate.parking.list_keys, within=40)
    failed = traced.spans(f"process {PACKAGES}", package)
    assert [str((span.attributes or {})["error.type"]) for span in failed] == ["TurnstileBlocked"] * MAX_ATTEMPTS
    assert all(not span.events and span.status.description is None for span in failed), "no words of the error"
    await rows(gate.database, "DELETE FROM blocked")
    await gate.parking.release(stream_of(package))
    released, request = traced.spans(f"process {PACKAGES}", package)[-1], traced.one("POST /v1/asks", package)
    assert trace_of(released) != trace_of(request)
    assert [link.context.span_id for link in released.links] == [id_of(request)]
