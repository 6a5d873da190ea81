"""The metrics of a service's connections to its database, read from the pool when metrics are collected."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service_runtime.postgres.availability import DISK_FULL_MEMORY
from service_runtime.postgres.database import Database


class DatabaseCollector(Collector):
    """Collects the use of one pool, and whether the server has refused a statement because its disk is full."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[Metric]:
        database = self._database
        opened, idle = database.pool_usage
        connections = GaugeMetricFamily(
            "calloff_database_connections", "Connections of the pool, by state", labels=["state"]
        )
        connections.add_metric(["used"], opened - idle)
        connections.add_metric(["idle"], idle)
        yield connections
        yield GaugeMetricFamily(
            "calloff_database_pool_size", "Connections that the pool may open", value=database.pool_size
        )
        yield CounterMetricFamily(
            "calloff_database_pool_waits",
            "How often no connection of the pool was idle",
            value=database.pool_waits.count,
        )
        yield CounterMetricFamily(
            "calloff_database_pool_wait_seconds",
            "Time spent on waiting for a connection of the pool, or on opening one",
            value=database.pool_waits.seconds,
        )
        yield GaugeMetricFamily(
            "calloff_database_disk_full",
            "1 if the database refused a statement a short time ago because its disk was full",
            value=float(database.seconds_since_disk_full < DISK_FULL_MEMORY),
        )
