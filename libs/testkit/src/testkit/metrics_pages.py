"""Compares the dashboards' and alerts' expressions with the /metrics pages of a running stack, names and labels."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from testkit.observability_files import OUTSIDE, list_expressions

MAY_HAVE_NO_SERIES: Final = frozenset(
    {
        "calloff_calendar_days_left",
        "calloff_consumer_rebuilds_total",
        "calloff_event_retries_total",
        "calloff_telemetry_failures_total",
        "calloff_unreadable_records_total",
        "calloff_work_list_entries",
    }
)
"""Metrics that a healthy stack declares and may have no series of, so that their labels cannot be seen."""


async def fetch_metrics_pages(urls: Iterable[str]) -> list[str]:
    """Fetches /metrics of the services at `urls`."""
    async with aiohttp.ClientSession() as session:
        pages: list[str] = []
        for url in urls:
            async with session.get(f"{url}/metrics") as response:
                assert response.status == 200
                pages.append(await response.text())
        return pages


def find_missing(pages: Iterable[str]) -> list[str]:
    """Lists each metric, and each label of it, that an expression uses and no page shows."""
    declared, labels = _read_pages(pages)
    missing: set[str] = set()
    for expression in list_expressions():
        for selector in expression.selectors:
            name = selector.metric
            if name in OUTSIDE or (name in MAY_HAVE_NO_SERIES and name in declared):
                continue
            absent = selector.labels - labels[name] if name in labels else {"series"}
            missing |= {f"{expression.place}: {name} has no {label}" for label in absent}
    return sorted(missing)


def _read_pages(pages: Iterable[str]) -> tuple[set[str], Mapping[str, set[str]]]:
    """Returns the names of counters that are declared, and the labels of every series by its name."""
    declared: set[str] = set()
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for page in pages:
        for family in text_string_to_metric_families(page):
            declared |= {family.name, f"{family.name}_total"}
            for sample in family.samples:
                labels[sample.name] |= set(sample.labels)
    return declared, dict(labels)
