"""Several processes of one service: each wakes the workers of the others, and none keeps what it locked for long.

Polls are switched off, so that only a notification can be the reason for what a worker does.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

import pytest

from service_runtime.clock import SystemClock
from service_runtime.heartbeat import Heartbeat
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.outbox import relay, row_source
from service_runtime.outbox.outbox_table import find_last_position, is_outbox_empty
from service_runtime.postgres import database as database_module
from service_runtime.postgres.database import Database
from service_runtime.postgres.errors import ConnectionBroken, StatementRefused
from service_runtime.postgres.notifications import RELAY, WEBHOOKS, PeerListener, PeerNotifier
from service_runtime.webhooks import engine as engine_module
from service_runtime.webhooks.engine import WebhookEngine
from testkit.captured_logs import CapturedLogs
from testkit.committed_events import commit_events
from testkit.databases import fetch_rows
from testkit.fake_kafka import UnreliableKafka
from testkit.sample_service import SAMPLE_TIMER, SampleService, run_tasks
from testkit.waiting import wait_until
from testkit.webhook_receiver import HeldAnswers
from testkit.webhooks import WebhookHarness

NEVER = 600.0
"""Seconds; longer than any test here takes."""
LONG = 60.0
"""Seconds; what is waited for takes less than one on a machine at rest."""


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> UnreliableKafka:
    kafka = UnreliableKafka(losses=0)
    monkeypatch.setattr(relay, "Producer", kafka)
    monkeypatch.setattr(row_source, "POLL", NEVER)
    return kafka


@asynccontextmanager
async def listen(database: Database, handlers: Mapping[str, Callable[[str], None]]) -> AsyncGenerator[PeerNotifier]:
    """Runs the listener of one process until the context ends, and yields the notifier of another process."""
    logs = CapturedLogs()
    notifier = PeerNotifier(database, log=logs)
    listener = PeerListener(database, "this process", handlers, log=logs)
    async with run_tasks(listener.run()):
        await wait_until(lambda: listener.is_listening, within=LONG)
        yield notifier
        await notifier.finish()


async def test_the_relay_sends_what_another_process_has_committed_without_waiting_for_its_poll(
    database: Database, kafka: UnreliableKafka
) -> None:
    active = SampleService("sample", database, KafkaConnection("127.0.0.1:1")).build_relay()
    other = SampleService("sample", database, KafkaConnection("127.0.0.1:1"))
    async with (
        run_tasks(active.run()),
        listen(database, {RELAY: lambda _: active.read_for_peer()}) as peers,
    ):
        await wait_until(lambda: active.is_direct, within=LONG)
        other.build_relay(notify_peers=partial(peers.notify, RELAY))
        await other.request_withdrawal(uuid4(), count=3)
        await wait_until(lambda: len(kafka.records) == 3, within=LONG)


async def test_a_relay_that_stands_still_loses_its_lock_to_another_process(
    database: Database, kafka: UnreliableKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_source, "KEEP_ALIVE", NEVER)
    frozen = SampleService("sample", database, KafkaConnection("127.0.0.1:1")).build_relay()
    other = SampleService("sample", database, KafkaConnection("127.0.0.1:1")).build_relay()
    async with run_tasks(frozen.run()):
        await wait_until(lambda: frozen.is_direct, within=LONG)
        await commit_events(database, uuid4(), count=2)
        async with run_tasks(other.run()):
            await wait_until(lambda: len(kafka.records) == 2, within=LONG)
            await wait_until(lambda: other.is_direct, within=LONG)


@pytest.mark.usefixtures("kafka")
async def test_a_relay_that_reads_nothing_while_kafka_is_behind_keeps_its_lock(database: Database) -> None:
    service = SampleService("sample", database, KafkaConnection("127.0.0.1:1"))
    active = service.build_relay()
    async with run_tasks(active.run()):
        await wait_until(lambda: active.is_direct, within=LONG)
        keep_alive = (
            "SELECT count(*) AS n FROM pg_stat_activity WHERE query = 'SELECT 1' AND datname = current_database()"
        )

        async def is_kept_alive() -> bool:
            return bool((await fetch_rows(database, keep_alive))[0].n)

        await wait_until(is_kept_alive, within=LONG)
        assert active.is_direct
        assert service.logs.find_entries("relay interrupted") == []


async def test_a_notification_is_for_other_processes_only(database: Database) -> None:
    heard: list[str] = []
    logs = CapturedLogs()
    notifier = PeerNotifier(database, log=logs)
    listener = PeerListener(database, notifier.process, {WEBHOOKS: heard.append}, log=logs)
    async with run_tasks(listener.run()), listen(database, {}) as other:
        await wait_until(lambda: listener.is_listening, within=LONG)
        notifier.notify(WEBHOOKS, "Alder")
        await notifier.finish()
        other.notify(WEBHOOKS, "Birch")
        other.notify("unknown worker", "of a later release")
        other.notify(WEBHOOKS, "Cedar")
        await wait_until(lambda: "Cedar" in heard, within=LONG)
    assert heard == ["Birch", "Cedar"]


async def test_a_listener_whose_connection_is_cut_listens_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service_runtime.postgres.notifications.CHECK_EVERY", 0.05)
    heard: list[str] = []
    cut = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND (query LIKE 'LISTEN%' OR query = 'SELECT 1')
    """
    async with listen(database, {WEBHOOKS: heard.append}) as peers:
        await fetch_rows(database, cut)

        async def is_heard() -> bool:
            peers.notify(WEBHOOKS, "Alder")
            await peers.finish()
            return bool(heard)

        await wait_until(is_heard, within=LONG)


@asynccontextmanager
async def run_engine_for_peer(harness: WebhookHarness) -> AsyncGenerator[None]:
    """Runs an engine; the harness becomes a process without one, like one with the role api."""
    async with (
        harness.run_engine(in_other_process=True) as engine,
        listen(harness.database, {WEBHOOKS: engine.claim_for_peer}) as peers,
    ):
        harness.executor.commits.deliveries = WebhookEngine(
            harness.executor,
            harness.build_config(),
            wakeup=harness.wakeups.webhooks,
            log=CapturedLogs(),
            metrics=harness.metrics.webhooks,
            notify_peers=partial(peers.notify, WEBHOOKS),
        )
        yield


async def test_a_webhook_that_a_process_without_an_engine_queues_is_sent_at_once(
    harness: WebhookHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "POLL", NEVER)
    await harness.put_endpoint("Alder")
    async with run_engine_for_peer(harness):
        await harness.queue_webhooks("O-1")
        await wait_until(lambda: len(harness.receiver.accepted) == 1, within=LONG)


async def test_a_webhook_of_another_process_follows_the_request_that_it_waits_for(
    harness: WebhookHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "POLL", NEVER)
    gate = harness.receiver.answers["/slow"] = HeldAnswers()
    await harness.put_endpoint("Alder", "/slow")
    async with run_engine_for_peer(harness):
        await harness.queue_webhooks("O-1")
        await wait_until(lambda: gate.waiting == 1, within=LONG)
        await harness.queue_webhooks("O-2")
        gate.opened.set()
        await wait_until(lambda: len(harness.receiver.accepted) == 2, within=LONG)
    assert [each.about for each in harness.receiver.accepted] == ["O-1", "O-2"]


async def test_rows_that_other_processes_add_do_not_delay_a_shutdown(
    database: Database, kafka: UnreliableKafka
) -> None:
    await commit_events(database, uuid4(), count=2)
    last = await find_last_position(database)
    assert not await is_outbox_empty(database, up_to=last)
    async with run_tasks(SampleService("sample", database, KafkaConnection("127.0.0.1:1")).build_relay().run()):
        await wait_until(lambda: is_outbox_empty(database, up_to=last), within=LONG)
    assert len(kafka.records) == 2
    await commit_events(database, uuid4())
    assert await is_outbox_empty(database, up_to=last)
    assert not await is_outbox_empty(database)


async def test_what_a_process_locked_that_stands_still_in_a_transaction_is_free_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**database_module.SERVER_SETTINGS, "idle_in_transaction_session_timeout": "500ms"}
    monkeypatch.setattr(database_module, "SERVER_SETTINGS", settings)
    frozen = Database(database.url)
    heartbeat = Heartbeat(database, SystemClock(), paused=[SAMPLE_TIMER], log=CapturedLogs())
    await heartbeat.renew()
    with pytest.raises((ConnectionBroken, StatementRefused)):  # noqa: PT012  its transaction was ended meanwhile
        async with frozen.begin_transaction() as connection:
            await connection.run("SELECT seen_at FROM heartbeat FOR UPDATE")
            await heartbeat.renew()
            await connection.run("SELECT 1")
    await frozen.close()
