"""Dashboards and alerts are up to date, refer to what exists, and count replicas correctly."""

import re
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from contracts.catalogue import CATALOGUE
from contracts.telemetry import PACKAGE_ATTRIBUTE
from devstack.dashboards.__main__ import find_outdated, render_files
from devstack.docs.openapi import build_services
from service_runtime.observability.database_metrics import DatabaseCollector
from service_runtime.observability.metrics import Metrics
from service_runtime.postgres.database import Database
from testkit.observability_files import FOLDER, OUTSIDE, list_expressions, list_panels, load_alerts, load_dashboards

ROOT: Final = Path(__file__).parents[2]
DASHBOARDS: Final = load_dashboards()
PANELS: Final = [(dashboard["uid"], panel) for dashboard in DASHBOARDS for panel in list_panels(dashboard)]
OF_A_PROCESS: Final = frozenset(
    {
        "calloff_clock_difference_seconds",
        "calloff_consumer_lag",
        "calloff_consumer_stalled_seconds",
        "calloff_database_connections",
        "calloff_database_disk_full",
        "calloff_database_pool_size",
        "calloff_gauges_fresh",
        "calloff_ready",
        "calloff_signing_keys_age_seconds",
        "calloff_signing_keys_ignored",
    }
)
"""Gauges that differ between replicas; all others are read from the database and are the same in each."""


def _list_metrics() -> dict[str, str]:
    """Returns the type of every metric of any service, by its name in /metrics."""
    types: dict[str, str] = {}
    for service in build_services():
        metrics = Metrics(service.metrics)
        metrics.registry.register(DatabaseCollector(Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")))
        for family in metrics.registry.collect():
            types |= {f"{family.name}{suffix}": family.type for suffix in _SUFFIXES.get(family.type, ("",))}
    return types


_SUFFIXES: Final = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
METRICS: Final = _list_metrics()
SERVICES: Final = [service.name for service in build_services()]


def _has_section(anchor: str) -> bool:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    return anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_dashboards_are_what_their_definitions_say() -> None:
    assert find_outdated(render_files()) == [], "run `calloff docs` and commit the result"


def test_every_metric_of_a_dashboard_or_alert_exists() -> None:
    used = {(each.place, selector.metric) for each in list_expressions() for selector in each.selectors}
    assert len(used) > 80
    assert [each for each in sorted(used) if each[1] not in METRICS and each[1] not in OUTSIDE] == []


def test_what_every_replica_reads_from_the_database_is_never_summed_over_replicas() -> None:
    shared = {name for name, kind in METRICS.items() if kind == "gauge" and name.startswith("calloff_")} - OF_A_PROCESS
    assert len(shared) > 10
    selectors = [(each.place, selector) for each in list_expressions() for selector in each.selectors]
    assert [each for each in selectors if each[1].metric in shared and each[1].aggregation not in {"max", "min"}] == []


def test_every_panel_has_a_unit_and_says_what_it_means_and_where_to_read_on() -> None:
    assert [
        (uid, panel["title"])
        for uid, panel in PANELS
        if not (panel["type"] == "table" or panel["fieldConfig"]["defaults"]["unit"]) or len(panel["description"]) < 60
    ] == []
    sections = [
        (panel["title"], re.search(r"docs/operations\.md#([\w-]+)$", panel["description"])) for _, panel in PANELS
    ]
    assert [title for title, section in sections if section is None or not _has_section(section[1])] == []


def test_every_kind_of_event_in_a_dashboard_is_in_the_catalogue() -> None:
    named = [re.search(r"calloff\[\.\]\(([\w|]+)\)\[\.\]v", each.text) for each in list_expressions()]
    kinds = set(chain.from_iterable(match[1].split("|") for match in named if match is not None))
    assert len(kinds) > 10
    assert sorted(kinds - {entry.event.__name__ for entry in CATALOGUE}) == []


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard["uid"])
def test_a_dashboard_declares_the_variables_that_it_uses(dashboard: dict[str, Any]) -> None:
    declared = {variable["name"] for variable in dashboard["templating"]["list"]}
    text = str([[panel["targets"], panel.get("datasource")] for panel in list_panels(dashboard)])
    used = set(re.findall(r"\$\{?([a-z]+)", text))
    assert used <= declared
    assert declared <= used | {"tempo", "package"}
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def test_a_link_leads_from_a_panel_to_the_traces_of_a_package() -> None:
    shown = [panel for _, panel in PANELS if "fieldConfig" in panel]
    links = [link["url"] for panel in shown for link in panel["fieldConfig"]["defaults"].get("links", ())]
    named = [url for url in links if f"span.{PACKAGE_ATTRIBUTE}%20%3D%20%5C%22${{package}}%5C%22" in url]
    assert len(named) > 10
    tables = [panel["targets"][0]["query"] for _, panel in PANELS if panel["type"] == "table"]
    assert f'{{ span.{PACKAGE_ATTRIBUTE} = "${{package}}" }}' in tables


def test_prometheus_scrapes_every_service_under_the_job_that_otlp_gives_it() -> None:
    jobs = [job["job_name"] for job in yaml.safe_load((FOLDER / "prometheus.yaml").read_text())["scrape_configs"]]
    assert sorted(jobs) == sorted(f"calloff/{service}" for service in SERVICES)
    (absent,) = [rule["expr"] for rule in load_alerts() if rule["alert"] == "ServiceAbsent"]
    assert sorted(re.findall(r'job="([\w/-]+)"', absent)) == sorted(jobs)
