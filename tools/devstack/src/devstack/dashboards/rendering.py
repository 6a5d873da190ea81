"""Builds Grafana's JSON from the definitions, with Grafana's own library of types."""

import json
import re
from collections.abc import Mapping
from itertools import count
from typing import Final
from urllib.parse import quote

from grafana_foundation_sdk.builders import common, prometheus, stat, table, tempo, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, StackingMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardLink,
    DashboardLinkType,
    DataSourceRef,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.tempo import SearchTableType

from devstack.dashboards.panels import Dashboard, Kind, Panel, Traces, Variable
from devstack.dashboards.promql import SERVICE

METRICS: Final = DataSourceRef("prometheus", "${datasource}")
SPANS: Final = DataSourceRef("tempo", "${tempo}")
RUNBOOK: Final = "docs/operations.md"
MINIMUM_INTERVAL: Final = "2m"
"""Services export their metrics each minute; a rate needs two values."""
PACKAGE_TRACES: Final = '{ span.calloff.package_id = "${package}" }'
ERRORS: Final = '{ status = error && resource.service.namespace = "calloff" }'
CHOICES: Final[Mapping[Variable, tuple[str, str]]] = {
    Variable.SERVICE: ("label_values(calloff_gauges_fresh, job)", "/calloff[/](.*)/"),
    Variable.INSTANCE: (f"label_values(calloff_gauges_fresh{{{SERVICE}}}, instance)", ""),
    Variable.COUNCIL: ("label_values(calloff_published_events_total, council)", ""),
}
"""The query of a variable's values, and the pattern that takes its value out of a label's."""
_HEIGHT: Final = 8
_WIDEST: Final = 24


def render_dashboard(dashboard: Dashboard) -> str:
    """Renders the file that Grafana loads."""
    built = (
        builders.Dashboard(dashboard.title)
        .uid(dashboard.uid)
        .description(dashboard.about)
        .tags(["calloff"])
        .timezone("Europe/London")
        .time("now-6h", "now")
        .refresh("1m")
        .readonly()
    )
    for variable in _build_variables(dashboard):
        built.with_variable(variable)
    built.link(
        builders.DashboardLink("Call-off")
        .type(DashboardLinkType.DASHBOARDS)
        .tags(["calloff"])
        .keep_time(keep_time=True)
    )
    ids = count(1)
    for row in dashboard.rows:
        built.with_row(builders.Row(row.title).id(next(ids)))
        for panel in row.panels:
            visual = _build_traces(panel) if isinstance(panel, Traces) else _build_panel(panel, dashboard)
            built.with_panel(visual.id(next(ids)))
    return json.dumps(built.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _build_panel(panel: Panel, dashboard: Dashboard) -> "stat.Panel | timeseries.Panel":
    built = stat.Panel() if panel.kind is Kind.NUMBER else _build_lines(panel)
    built.title(panel.title).description(f"{panel.meaning}\n\nRunbook: {RUNBOOK}#{panel.section}")
    built.datasource(METRICS).unit(panel.unit).interval(MINIMUM_INTERVAL)
    built.span(panel.width).height(_HEIGHT // 2 if panel.kind is Kind.NUMBER else _HEIGHT)
    for query, reference in zip(panel.queries, "ABCDEF", strict=False):
        target = prometheus.Dataquery().ref_id(reference).expr(query.expression).legend_format(query.legend)
        built.with_target(target.instant() if panel.kind is Kind.NUMBER else target.range())
    links: list[Builder[DashboardLink]] = [_link_to_traces("Traces with errors", ERRORS)]
    if Variable.PACKAGE in dashboard.variables:
        links.insert(0, _link_to_traces("Traces of the package", PACKAGE_TRACES))
    return built.data_links(links)


def _build_lines(panel: Panel) -> timeseries.Panel:
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    built = timeseries.Panel().axis_soft_min(0).legend(legend.show_legend(show_legend=True))
    if panel.kind is Kind.STACKED:
        built.stacking(common.StackingConfig().mode(StackingMode.NORMAL)).fill_opacity(30)
    return built


def _build_traces(traces: Traces) -> table.Panel:
    query = tempo.TempoQuery().ref_id("A").query_type("traceql").query(traces.traceql).limit(100)
    return (
        table.Panel()
        .title(traces.title)
        .description(f"{traces.meaning}\n\nRunbook: {RUNBOOK}#follow-one-package")
        .datasource(SPANS)
        .span(_WIDEST)
        .height(_HEIGHT)
        .with_target(query.table_type(SearchTableType.TRACES))
    )


def _link_to_traces(title: str, traceql: str) -> builders.DashboardLink:
    """Links to Grafana's Explore with a TraceQL query; Grafana fills in the variables of the address."""
    query = {"refId": "A", "queryType": "traceql", "query": traceql, "limit": 100}
    pane = {
        "datasource": "${tempo}",
        "queries": [query],
        "range": {"from": "${__from}", "to": "${__to}"},
    }
    panes = quote(json.dumps({"traces": pane}), safe="")
    address = re.sub(r"%24%7B(\w+)%7D", r"${\1}", panes)
    return (
        builders.DashboardLink(title).url(f"/explore?schemaVersion=1&panes={address}").target_blank(target_blank=True)
    )


def _build_variables(
    dashboard: Dashboard,
) -> "list[builders.DatasourceVariable | builders.QueryVariable | builders.TextBoxVariable]":
    built: list[builders.DatasourceVariable | builders.QueryVariable | builders.TextBoxVariable] = [
        builders.DatasourceVariable("datasource").label("Metrics").type("prometheus"),
        builders.DatasourceVariable("tempo").label("Traces").type("tempo"),
    ]
    for variable in dashboard.variables:
        if variable is Variable.PACKAGE:
            built.append(builders.TextBoxVariable(variable).label("Package (id)").default_value(""))
        else:
            built.append(_build_choice(variable))
    return built


def _build_choice(variable: Variable) -> builders.QueryVariable:
    """A variable of which several values, or all, can be chosen."""
    query, pattern = CHOICES[variable]
    return (
        builders.QueryVariable(variable)
        .label(variable.capitalize())
        .datasource(METRICS)
        .query(query)
        .regex(pattern)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )
