"""The expressions of the dashboards and the alerts in deploy/observability, as Grafana and Prometheus read them."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from devstack.home import REPOSITORY
from testkit.promql import Selector, list_selectors

FOLDER: Final = REPOSITORY / "deploy" / "observability"
ALERTS: Final = FOLDER / "alerts.yaml"
_PROCESS: Final = frozenset(
    {
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
    }
)
OUTSIDE: Final = frozenset({"up"}) if sys.platform == "linux" else frozenset({"up"}) | _PROCESS
"""Metrics that Prometheus itself makes, and those of the process, which exist on Linux only."""

Json = dict[str, Any]  # files of other programs, of any shape


@dataclass(frozen=True)
class Expression:
    """An expression, and the dashboard or alert that contains it."""

    place: str
    text: str

    @property
    def selectors(self) -> list[Selector]:
        return list_selectors(self.text)


def load_dashboards() -> list[Json]:
    return [json.loads(path.read_bytes()) for path in sorted((FOLDER / "grafana" / "dashboards").glob("*.json"))]


def list_panels(dashboard: Json) -> Iterator[Json]:
    """Yields the panels, without the rows that contain them."""
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            yield panel
        yield from panel.get("panels", ())


def load_alerts() -> list[Json]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def list_expressions() -> list[Expression]:
    """Lists the expressions of all dashboards and alerts in PromQL."""
    found = [Expression(rule["alert"], rule["expr"]) for rule in load_alerts()]
    for dashboard in load_dashboards():
        for panel in list_panels(dashboard):
            queries = [target["expr"] for target in panel["targets"] if "expr" in target]
            found += [Expression(f"{dashboard['uid']}: {panel['title']}", query) for query in queries]
    return found
