"""Registry of a process's metrics: a metric that fails is left out, and the others are served."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from service_runtime.observability.guard import METRICS


class GuardedRegistry(CollectorRegistry):
    """Collects from every metric that can be read."""

    def register(self, collector: Collector) -> None:
        super().register(_GuardedCollector(collector))


class _GuardedCollector(Collector):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def collect(self) -> Iterable[Metric]:
        with METRICS:
            return list(self._collector.collect())
        return ()

    def describe(self) -> Iterable[Metric]:
        """Returns the names that the registry compares with those of other metrics."""
        describe: Callable[[], Iterable[Metric]] = getattr(self._collector, "describe", tuple)
        return describe()


class _OneFamily(Collector):
    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterator[Metric]:
        yield self._family


def render_registry(registry: CollectorRegistry) -> bytes:
    """Renders all metrics in Prometheus' text format; a metric that cannot be rendered is left out."""
    rendered = bytearray()
    for family in registry.collect():
        with METRICS:
            rendered += generate_latest(_OneFamily(family))
    return bytes(rendered)
