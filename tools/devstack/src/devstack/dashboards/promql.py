"""Expressions in PromQL that add what replicas share out and do not add what each of them reads from the database.

Counters and histograms belong to one process: they are summed. A gauge of the database has the same value in every
process of a service: its maximum is taken. Prometheus' label `job` is `calloff/<service>`, and `instance` the process.
"""

from typing import Final

from devstack.dashboards.panels import Query

SERVICE: Final = 'job=~"calloff/($service)"'
PROCESS: Final = f'{SERVICE},instance=~"$instance"'
COUNCIL: Final = 'council=~"$council"'
QUANTILES: Final = (0.5, 0.95, 0.99)


def select_events(kinds: str, *more: str) -> str:
    """Returns the matchers of `calloff_published_events_total` for kinds of events, separated by `|`."""
    return ",".join((f'type=~"calloff[.]({kinds})[.]v.*"', *more))


def sum_rate(counter: str, where: str, by: str) -> str:
    return f"sum by ({by}) (rate({counter}{{{where}}}[$__rate_interval]))"


def sum_increase(counter: str, where: str, by: str = "") -> str:
    """Returns how much a counter has grown over the time that the dashboard shows."""
    return f"sum by ({by}) (increase({counter}{{{where}}}[$__range]))"


def take_max(gauge: str, where: str, by: str) -> str:
    return f"max by ({by}) ({gauge}{{{where}}})"


def sum_of_max(gauge: str, where: str, each: str, by: str) -> str:
    """Returns the sum over `by` of a gauge of the database, whose series differ in `each`."""
    return f"sum by ({by}) (max by ({each}) ({gauge}{{{where}}}))"


def take_quantile(quantile: float, histogram: str, where: str, by: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    rate = f"sum by ({labels}) (rate({histogram}_bucket{{{where}}}[$__rate_interval]))"
    return f"histogram_quantile({quantile}, {rate})"


def list_quantiles(histogram: str, where: str, by: str = "", name: str = "") -> tuple[Query, ...]:
    """Returns the median, the 95th and the 99th percentile; `name` is the part of the legend after them."""
    return tuple(
        Query(take_quantile(quantile, histogram, where, by), f"p{quantile * 100:.0f} {name}".strip())
        for quantile in QUANTILES
    )


def take_mean(histogram: str, where: str, by: str) -> str:
    return f"{sum_rate(f'{histogram}_sum', where, by)} / {sum_rate(f'{histogram}_count', where, by)}"
