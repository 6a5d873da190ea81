"""Gauges say what database and Kafka say at the moment; what is measured counts with its commit, and not before."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from service_runtime.clock import SystemClock
from service_runtime.observability.gauges import GaugeRefresher
from service_runtime.observability.instruments import GaugeSample, GaugeSpec, HistogramSpec
from service_runtime.observability.metrics import Metrics
from service_runtime.postgres.database import Connection, Database
from service_runtime.unit_of_work.executor import Executor
from testkit.captured_logs import Logbook
from testkit.databases import rows
from testkit.sample_service import Turnstile, TurnstileWork

pytestmark = pytest.mark.servers

NOWHERE = "127.0.0.1:1"
LENGTH = HistogramSpec("calloff_length", "How long something is", (1, 10))


async def count_streams(connection: Connection, _: datetime) -> Sequence[GaugeSample]:
    return [GaugeSample((await connection.execute(text("SELECT count(*) FROM streams"))).scalar_one())]


STREAMS = GaugeSpec("calloff_streams", "Streams that were worked on", count_streams)


class Lagging:
    group = "calloff.turnstile"

    async def get_lag(self) -> dict[str, int]:
        return {"homecare.packages.v1": 7}


def readings_of(database: Database, metrics: Metrics) -> GaugeRefresher:
    return GaugeRefresher(database, SystemClock(), [Lagging()], log=Logbook(), metrics=metrics)


async def test_a_reading_tells_what_is_parked_overdue_behind_and_what_the_service_declares(database: Database) -> None:
    metrics = Metrics((STREAMS,))
    gate = Turnstile("turnstile", database, NOWHERE)
    await gate.ask(uuid4(), close_at=SystemClock().now() - timedelta(seconds=90))
    await rows(database, "INSERT INTO streams (topic, key, parked_because, parked_at) VALUES ('t', 'k', 'x', now())")
    await readings_of(database, metrics).refresh()
    value = metrics.registry.get_sample_value
    assert value("calloff_parked_keys") == 1
    assert value("calloff_streams") == 2
    assert value("calloff_outbox_rows") == 1
    overdue = value("calloff_timer_overdue_seconds")
    assert overdue is not None
    assert 90 <= overdue < 150
    lag = {"group": "calloff.turnstile", "topic": "homecare.packages.v1"}
    assert value("calloff_consumer_lag", lag) == 7
    assert value("calloff_gauges_fresh") == 1


async def test_while_the_database_is_away_the_other_numbers_are_told_and_these_are_marked() -> None:
    away = Database("postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nothing")
    metrics = Metrics()
    metrics.relay.relayed.inc(3)
    await readings_of(away, metrics).refresh()
    assert metrics.registry.get_sample_value("calloff_gauges_fresh") == 0
    assert metrics.registry.get_sample_value("calloff_outbox_relayed_events_total") == 3
    await away.close()


async def test_what_is_measured_counts_when_it_is_committed(database: Database) -> None:
    metrics = Metrics((LENGTH,))
    gate = Turnstile("turnstile", database, NOWHERE)
    gate.performer = Executor[TurnstileWork](
        service="turnstile",
        database=database,
        clock=gate.clock,
        unit_of_work=gate.work,
        wakeups=gate.wakes,
        observe=metrics.business.observe,
    )

    async def measure(work: TurnstileWork) -> None:
        work.observe(LENGTH, 3)

    async def measure_and_fail(work: TurnstileWork) -> None:
        work.observe(LENGTH, 3)
        raise ValueError

    await gate.do(uuid4(), measure)
    with pytest.raises(ValueError, match=r"^$"):
        await gate.do(uuid4(), measure_and_fail)
    assert metrics.registry.get_sample_value("calloff_length_count") == 1
