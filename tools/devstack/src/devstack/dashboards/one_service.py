"""Dashboard: one service and its replicas."""

from typing import Final

from devstack.dashboards.panels import Dashboard, Panel, Query, Row, Traces, Unit, Variable
from devstack.dashboards.promql import (
    PROCESS,
    SERVICE,
    list_quantiles,
    sum_rate,
    take_max,
    take_quantile,
)

REQUESTS: Final = "calloff_http_request_seconds"
COUNT: Final = f"{REQUESTS}_count"
NOT_READY: Final = "a-service-is-not-ready"

HTTP: Final = (
    Panel(
        "Requests by route",
        Unit.PER_SECOND,
        (Query(sum_rate(COUNT, PROCESS, "method, route"), "{{method}} {{route}}"),),
        "Requests a second; probes are not counted. `unmatched` are paths that no route has.",
    ),
    Panel(
        "Errors",
        Unit.PER_SECOND,
        (Query(sum_rate(COUNT, f'{PROCESS},status=~"4xx|5xx"', "status, route"), "{{status}} {{route}}"),),
        "4xx are callers' mistakes or refusals, 5xx are the service's. A 503 has a reason in its body, as `/readyz` "
        "has.",
        NOT_READY,
    ),
    Panel(
        "Duration of requests, p99 by route",
        Unit.SECONDS,
        (Query(take_quantile(0.99, REQUESTS, PROCESS, "method, route"), "{{method}} {{route}}"),),
        "Until the response was sent. Commands include their commit.",
        "the-database-is-slow-or-out-of-connections",
    ),
    Panel(
        "Duration of all requests",
        Unit.SECONDS,
        list_quantiles(REQUESTS, PROCESS),
        "Median, 95th and 99th percentile over all routes.",
        "the-database-is-slow-or-out-of-connections",
    ),
    Panel(
        "Events handled by type",
        Unit.PER_SECOND,
        (Query(sum_rate("calloff_handled_events_total", PROCESS, "type"), "{{type}}"),),
        "Events of Kafka that this service handled. None while its lag is above 0: a consumer stands still.",
        "a-consumer-stands-still",
    ),
    Panel(
        "Handling of one event",
        Unit.SECONDS,
        list_quantiles("calloff_event_handling_seconds", PROCESS),
        "Time to handle one event with its commit.",
        "a-consumer-lags",
    ),
    Panel(
        "Timers: due to fired",
        Unit.SECONDS,
        list_quantiles("calloff_timer_lag_seconds", PROCESS),
        "How late timers fire; one process of a service fires each.",
        "timers-are-late",
    ),
    Panel(
        "Earliest timer that is overdue",
        Unit.SECONDS,
        (Query(take_max("calloff_timer_overdue_seconds", SERVICE, "job"), "{{job}}"),),
        "0 unless a timer is due and nobody fires it.",
        "timers-are-late",
    ),
    Panel(
        "Parked and unreadable",
        Unit.COUNT,
        (
            Query(take_max("calloff_parked_keys", SERVICE, "job"), "parked keys, {{job}}"),
            Query(take_max("calloff_unreadable_records_listed", SERVICE, "job"), "unreadable records, {{job}}"),
        ),
        "What waits for an operator. Always 0 in a healthy installation.",
        "a-key-is-parked",
    ),
)
PROCESSES: Final = (
    Panel(
        "Processor time",
        Unit.CORES,
        (Query(sum_rate("process_cpu_seconds_total", PROCESS, "job, instance"), "{{job}} {{instance}}"),),
        "Cores in use. A process uses one core at most: near 1, add a replica.",
    ),
    Panel(
        "Memory",
        Unit.BYTES,
        (Query(take_max("process_resident_memory_bytes", PROCESS, "job, instance"), "{{job}} {{instance}}"),),
        "Resident memory. Projections are held in memory and grow with the market; a steady growth without one is a "
        "fault.",
    ),
    Panel(
        "Open files and sockets",
        Unit.COUNT,
        (Query(take_max("process_open_fds", PROCESS, "job, instance"), "{{job}} {{instance}}"),),
        "Connections of callers, to PostgreSQL, Kafka and endpoints. CALLOFF_MAX_CONNECTIONS limits the callers'.",
    ),
    Panel(
        "Garbage collections",
        Unit.PER_SECOND,
        (
            Query(
                sum_rate("python_gc_collections_total", PROCESS, "job, generation"), "{{job}} generation {{generation}}"
            ),
        ),
        "Python's collections; one of generation 2 stops the process for a moment.",
    ),
    Panel(
        "Ready",
        Unit.COUNT,
        (Query(f"min by (job, instance) (calloff_ready{{{PROCESS}}})", "{{job}} {{instance}}"),),
        "1 if `/readyz` answers 200. At 0 its body names the reason.",
        NOT_READY,
    ),
    Panel(
        "Starts",
        Unit.SECONDS,
        (
            Query(
                f"max by (job, instance) (time() - process_start_time_seconds{{{PROCESS}}}) < 3600",
                "{{job}} {{instance}}",
            ),
        ),
        "Seconds since the start, for processes that started within the last hour: restarts show as teeth.",
        NOT_READY,
    ),
)

ONE_SERVICE: Final = Dashboard(
    uid="calloff-service",
    title="Call-off: one service",
    about="Requests, events, timers and processes of the services chosen.",
    variables=(Variable.SERVICE, Variable.INSTANCE),
    rows=(
        Row("Work", HTTP),
        Row("Processes", PROCESSES),
        Row(
            "Traces",
            (
                Traces(
                    "Spans over half a second",
                    '{ resource.service.name =~ "${service:regex}" && duration > 500ms }',
                    "The slowest work of the services chosen; a span names its package.",
                ),
            ),
        ),
    ),
)
