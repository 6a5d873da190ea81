"""Dashboard: Kafka and PostgreSQL as the services see them."""

from typing import Final

from devstack.dashboards.panels import Dashboard, Kind, Panel, Query, Row, Unit, Variable
from devstack.dashboards.promql import PROCESS, SERVICE, sum_rate, take_max

CONFLICTS: Final = "calloff_decision_conflicts_total"
COMMITS: Final = "calloff_commits_total"
POOL_WAITS: Final = "calloff_database_pool_waits_total"
POOL_WAITED: Final = "calloff_database_pool_wait_seconds_total"

KAFKA: Final = (
    Panel(
        "Lag by group and topic",
        Unit.COUNT,
        (Query(f"sum by (group, topic) (calloff_consumer_lag{{{PROCESS}}})", "{{group}} {{topic}}"),),
        "Records not handled yet, over all replicas; each counts its own partitions. Add workers, up to twelve a "
        "service, if handling is slow.",
        "a-consumer-lags",
    ),
    Panel(
        "Events relayed",
        Unit.PER_SECOND,
        (Query(sum_rate("calloff_outbox_relayed_events_total", PROCESS, "job"), "{{job}}"),),
        "Events that Kafka acknowledged. One relay a database works at a time; a rate of 0 with rows in the outbox "
        "is a fault.",
        "the-relay-is-stuck",
    ),
    Panel(
        "Rows in the outbox",
        Unit.COUNT,
        (Query(take_max("calloff_outbox_rows", SERVICE, "job"), "{{job}}"),),
        "Committed events without acknowledgement. A figure that stays the same belongs to a parked key.",
        "the-relay-is-stuck",
    ),
    Panel(
        "Oldest row of the outbox",
        Unit.SECONDS,
        (Query(take_max("calloff_outbox_age_seconds", SERVICE, "job"), "{{job}}"),),
        "How long the oldest event has waited for Kafka.",
        "the-relay-is-stuck",
    ),
    Panel(
        "Consumers that stand still",
        Unit.SECONDS,
        (Query(take_max("calloff_consumer_stalled_seconds", PROCESS, "job, group"), "{{job}} {{group}}"),),
        "For how long a consumer has handled nothing although records wait and Kafka answers. A watchdog replaces it "
        "after 20 seconds.",
        "a-consumer-stands-still",
    ),
    Panel(
        "Consumers replaced, unreadable records",
        Unit.PER_MINUTE,
        (
            Query("60 * " + sum_rate("calloff_consumer_rebuilds_total", PROCESS, "job"), "replaced, {{job}}"),
            Query("60 * " + sum_rate("calloff_unreadable_records_total", PROCESS, "job"), "unreadable, {{job}}"),
        ),
        "Both are 0 in a healthy installation. Unreadable records come from another program that writes to the topics.",
        "a-record-cannot-be-read",
    ),
)
DATABASE: Final = (
    Panel(
        "Commits",
        Unit.PER_SECOND,
        (Query(sum_rate(COMMITS, PROCESS, "job"), "{{job}}"),),
        "Units of work that were committed; several share one statement.",
    ),
    Panel(
        "Decisions made again",
        Unit.SHARE,
        (Query(f"{sum_rate(CONFLICTS, PROCESS, 'job')} / {sum_rate(COMMITS, PROCESS, 'job')}", "{{job}}"),),
        "Conflicts for each commit. Above a tenth, several processes work on the same keys, or an old process still "
        "runs.",
    ),
    Panel(
        "Attempts that failed, by error",
        Unit.PER_SECOND,
        (Query(sum_rate("calloff_event_retries_total", PROCESS, "job, error"), "{{job}} {{error}}"),),
        "Attempts to handle an event that are repeated. The error tells whether the database or an event is the cause.",
        "a-consumer-lags",
    ),
    Panel(
        "Connections in use",
        Unit.SHARE,
        (
            Query(
                f'sum by (job) (calloff_database_connections{{{PROCESS},state="used"}})'
                f" / sum by (job) (calloff_database_pool_size{{{PROCESS}}})",
                "{{job}}",
            ),
        ),
        "Share of the pools that is in use. Near 1 together with waits: raise CALLOFF_POOL_SIZE, if PostgreSQL has "
        "room.",
        "the-database-is-slow-or-out-of-connections",
    ),
    Panel(
        "Wait for a connection",
        Unit.SECONDS,
        (Query(f"{sum_rate(POOL_WAITED, PROCESS, 'job')} / {sum_rate(POOL_WAITS, PROCESS, 'job')}", "{{job}}"),),
        "Mean duration of the waits; most requests wait for none. Opening a connection after a start or a fail-over "
        "counts too.",
        "the-database-is-slow-or-out-of-connections",
    ),
    Panel(
        "Database answers, disk has room",
        Unit.COUNT,
        (
            Query(f"min by (job) (calloff_gauges_fresh{{{PROCESS}}})", "gauges fresh, {{job}}"),
            Query(take_max("calloff_database_disk_full", PROCESS, "job"), "disk full, {{job}}"),
        ),
        "Gauges are fresh at 1; at 0 database or Kafka do not answer, and other gauges show old values. Disk full is "
        "0.",
        "the-database-is-away-read-only-or-full",
    ),
    Panel(
        "Clock against PostgreSQL's",
        Unit.SECONDS,
        (Query(take_max("calloff_clock_difference_seconds", PROCESS, "job, instance"), "{{job}} {{instance}}"),),
        "Beyond 5 seconds either way timers rest and commands are refused. Set the machine's clock.",
        "timers-are-late",
    ),
    Panel(
        "Age of the identity provider's keys",
        Unit.SECONDS,
        (Query(take_max("calloff_signing_keys_age_seconds", PROCESS, "job"), "{{job}}"),),
        "Keys are fetched every ten minutes. Older ones are used while the identity provider does not answer.",
        "tokens-are-refused",
    ),
    Panel(
        "Failures of telemetry",
        Unit.PER_MINUTE,
        (Query("60 * " + sum_rate("calloff_telemetry_failures_total", PROCESS, "job, part"), "{{job}} {{part}}"),),
        "Failures of spans, metrics, logs or their export. The work that they describe is not affected.",
        kind=Kind.STACKED,
    ),
)

PLATFORM: Final = Dashboard(
    uid="calloff-platform",
    title="Call-off: Kafka and database",
    about="Whether events flow, and whether PostgreSQL keeps up.",
    variables=(Variable.SERVICE, Variable.INSTANCE),
    rows=(Row("Kafka", KAFKA), Row("PostgreSQL and others", DATABASE)),
)
