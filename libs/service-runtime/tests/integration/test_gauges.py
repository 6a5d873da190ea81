"""Gauges show the state of the database and of Kafka; observations count when their unit of work commits."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from contracts.ids import PackageId
from service_runtime.clock import SystemClock
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.observability.gauges import GaugeRefresher
from service_runtime.observability.instruments import GaugeSample, GaugeSpec, HistogramSpec
from service_runtime.observability.metrics import Metrics
from service_runtime.postgres.database import Connection, Database
from service_runtime.unit_of_work.claims import Executed
from service_runtime.unit_of_work.executor import Executor
from testkit.captured_logs import CapturedLogs
from testkit.databases import fetch_number, fetch_rows
from testkit.sample_service import NO_KAFKA, RequestWithdrawal, SampleService, SampleUnitOfWork, publish_requests

pytestmark = pytest.mark.servers

LENGTH = HistogramSpec("calloff_length", "Length of an item", (1, 10))


async def count_streams(connection: Connection, _: datetime) -> Sequence[GaugeSample]:
    return [GaugeSample((await connection.execute(text("SELECT count(*) FROM streams"))).scalar_one())]


async def read_missing_table(connection: Connection, _: datetime) -> Sequence[GaugeSample]:
    return [GaugeSample((await connection.execute(text("SELECT count(*) FROM no_such_table"))).scalar_one())]


STREAMS = GaugeSpec("calloff_streams", "Streams that exist", count_streams)


class LaggingConsumer:
    group = "calloff.sample"

    async def get_lag(self) -> dict[str, int]:
        return {"homecare.packages.v1": 7}


def build_refresher(database: Database, metrics: Metrics) -> GaugeRefresher:
    return GaugeRefresher(database, SystemClock(), [LaggingConsumer()], log=CapturedLogs(), metrics=metrics)


async def test_a_refresh_sets_the_gauges_of_the_runtime_and_of_the_service(database: Database) -> None:
    metrics = Metrics((STREAMS,))
    sample = SampleService("sample", database, NO_KAFKA)
    await sample.request_withdrawal(uuid4(), close_at=SystemClock().now() - timedelta(seconds=90))
    await fetch_rows(
        database, "INSERT INTO streams (topic, key, parked_because, parked_at) VALUES ('t', 'k', 'x', now())"
    )
    await build_refresher(database, metrics).refresh()
    value = metrics.registry.get_sample_value
    assert value("calloff_parked_keys") == 1
    assert value("calloff_streams") == 2
    assert value("calloff_outbox_rows") == 1
    overdue = value("calloff_timer_overdue_seconds")
    assert overdue is not None
    assert 90 <= overdue < 150
    lag = {"group": "calloff.sample", "topic": "homecare.packages.v1"}
    assert value("calloff_consumer_lag", lag) == 7
    assert value("calloff_gauges_fresh") == 1


async def test_without_the_database_gauges_are_marked_stale_and_counters_stay() -> None:
    unreachable = Database("postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nothing")
    metrics = Metrics()
    metrics.relay.relayed.inc(3)
    await build_refresher(unreachable, metrics).refresh()
    assert metrics.registry.get_sample_value("calloff_gauges_fresh") == 0
    assert metrics.registry.get_sample_value("calloff_outbox_relayed_events_total") == 3
    await unreachable.close()


async def test_a_gauge_that_cannot_be_read_leaves_the_others(database: Database) -> None:
    failing = GaugeSpec("calloff_failing", "Fails", read_missing_table)
    metrics = Metrics((failing, STREAMS))
    await SampleService("sample", database, NO_KAFKA).request_withdrawal(uuid4())
    await build_refresher(database, metrics).refresh()
    value = metrics.registry.get_sample_value
    assert (value("calloff_streams"), value("calloff_outbox_rows")) == (1, 1)
    assert value("calloff_gauges_fresh") == 0
    assert value("calloff_telemetry_failures_total", {"part": "gauges", "error": "StatementRefused"})


async def test_an_observation_that_fails_changes_nothing_about_its_unit_of_work(database: Database) -> None:
    sample = SampleService("sample", database, NO_KAFKA)
    sample.executor = Executor[SampleUnitOfWork](
        service="sample",
        database=database,
        clock=sample.clock,
        unit_of_work=sample.unit_of_work,
        wakeups=sample.wakeups,
        observe=Metrics().business.observe,
    )

    async def measure(work: SampleUnitOfWork) -> None:
        work.observe(LENGTH, 3)
        await publish_requests(RequestWithdrawal(PackageId(package)), work)

    package = uuid4()
    assert isinstance(await sample.execute(package, measure), Executed)
    assert await fetch_number(database, "SELECT count(*) FROM journal") == 1


async def test_commits_and_their_events_are_counted_by_type_and_council(database: Database) -> None:
    metrics = Metrics()
    sample = SampleService("sample", database, KafkaConnection("127.0.0.1:1"))
    sample.executor = Executor[SampleUnitOfWork](
        service="sample",
        database=database,
        clock=sample.clock,
        unit_of_work=sample.unit_of_work,
        wakeups=sample.wakeups,
        note_commit=metrics.commits.note_commit,
    )
    await sample.request_withdrawal(uuid4())
    value = metrics.registry.get_sample_value
    assert value("calloff_commits_total") == 1
    published = {"type": "calloff.WithdrawalRequested.v1", "council": "amberside"}
    assert value("calloff_published_events_total", published) == 1


async def test_waits_for_a_connection_are_counted(database: Database) -> None:
    await database.fetch("SELECT 1")
    waits = database.pool_waits.count
    await database.fetch("SELECT 1")
    assert (database.pool_waits.count, database.pool_usage) == (waits, (1, 1))
    async with database.open_read_connection(), database.open_read_connection():
        assert database.pool_usage == (2, 0)
    assert database.pool_waits.count == waits + 1
    assert database.pool_waits.seconds > 0


async def test_observations_count_when_their_unit_of_work_commits(database: Database) -> None:
    metrics = Metrics((LENGTH,))
    sample = SampleService("sample", database, NO_KAFKA)
    sample.executor = Executor[SampleUnitOfWork](
        service="sample",
        database=database,
        clock=sample.clock,
        unit_of_work=sample.unit_of_work,
        wakeups=sample.wakeups,
        observe=metrics.business.observe,
    )

    async def measure(work: SampleUnitOfWork) -> None:
        work.observe(LENGTH, 3)

    async def measure_and_fail(work: SampleUnitOfWork) -> None:
        work.observe(LENGTH, 3)
        raise ValueError

    await sample.execute(uuid4(), measure)
    with pytest.raises(ValueError, match=r"^$"):
        await sample.execute(uuid4(), measure_and_fail)
    assert metrics.registry.get_sample_value("calloff_length_count") == 1
