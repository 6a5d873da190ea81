"""Grafana's dashboards of Call-off: the definitions from which deploy/observability/grafana/dashboards is written."""
