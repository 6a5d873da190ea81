"""Dashboard: webhooks to providers (sent by provider-registry) and to councils (sent by referral)."""

from typing import Final

from devstack.dashboards.panels import Dashboard, Kind, Panel, Query, Row, Unit, Variable
from devstack.dashboards.promql import (
    COUNCIL,
    PROCESS,
    SERVICE,
    list_quantiles,
    select_events,
    sum_increase,
    sum_rate,
    take_max,
)

ATTEMPTS: Final = "calloff_webhook_attempts_total"
DEAD: Final = "an-endpoint-is-dead"
FAILED: Final = f'{PROCESS},outcome!="delivered"'

SENDING: Final = (
    Panel(
        "Attempts by outcome",
        Unit.PER_SECOND,
        (Query(sum_rate(ATTEMPTS, PROCESS, "outcome"), "{{outcome}}"),),
        "delivered; failed, which is tried again; undeliverable, after which an offer goes to the provider's next "
        "channel.",
        DEAD,
        Kind.STACKED,
    ),
    Panel(
        "Share of attempts that fail",
        Unit.SHARE,
        (Query(f"{sum_rate(ATTEMPTS, FAILED, 'job')} / {sum_rate(ATTEMPTS, PROCESS, 'job')}", "{{job}}"),),
        "calloff/provider-registry sends to providers' endpoints, calloff/referral to councils'. One dead endpoint "
        "is its owner's; a third of everything is the way out of this installation.",
        DEAD,
    ),
    Panel(
        "Retries",
        Unit.PER_SECOND,
        (Query(sum_rate(ATTEMPTS, f'{PROCESS},outcome="failed"', "job"), "{{job}}"),),
        "Attempts that failed and are followed by another one, with growing delays.",
        DEAD,
    ),
    Panel(
        "Duration of an attempt",
        Unit.SECONDS,
        list_quantiles("calloff_webhook_attempt_seconds", PROCESS, "job", "{{job}}"),
        "From connecting to the response. An endpoint that hangs takes its time limit, and delays only its own "
        "webhooks.",
        DEAD,
        width=12,
    ),
    Panel(
        "Queued to delivered",
        Unit.SECONDS,
        list_quantiles("calloff_webhook_queue_seconds", PROCESS, "job", "{{job}}"),
        "What a receiver feels: from the commit that queued a webhook to its delivery, retries included.",
        DEAD,
        width=12,
    ),
)
WAITING: Final = (
    Panel(
        "Webhooks that wait",
        Unit.COUNT,
        (Query(take_max("calloff_webhook_queue_rows", SERVICE, "job"), "{{job}}"),),
        "Webhooks neither delivered nor given up. A few are normal: those of endpoints that are down.",
        DEAD,
    ),
    Panel(
        "How late the earliest is",
        Unit.SECONDS,
        (Query(take_max("calloff_webhook_overdue_seconds", SERVICE, "job"), "{{job}}"),),
        "How long the earliest webhook that could be sent has been due. Above a minute nobody sends: look at the "
        "service's log.",
        "webhooks-are-not-sent",
    ),
    Panel(
        "Endpoints that accept nothing",
        Unit.COUNT,
        (Query(take_max("calloff_failing_endpoints", SERVICE, "job"), "{{job}}"),),
        "Enabled endpoints whose owners were notified. `GET /v1/failing-endpoints` at provider-registry lists them.",
        DEAD,
    ),
    Panel(
        "Endpoints and offers",
        Unit.COUNT,
        (
            Query(
                sum_increase(
                    "calloff_published_events_total",
                    select_events("OfferDelivered|OfferUndeliverable|EndpointFailing|EndpointDisabled", COUNCIL),
                    "type",
                ),
                "{{type}}",
            ),
        ),
        "Offers that reached a provider or did not, and endpoints that fail or were disabled, in the time shown.",
        DEAD,
        Kind.NUMBER,
        width=12,
    ),
    Panel(
        "Results that parked a key",
        Unit.COUNT,
        (Query(sum_increase("calloff_parked_events_total", f'{PROCESS},by="webhook"', "job"), "{{job}}"),),
        "Results of webhooks that could not be handled. Always 0 in a healthy installation.",
        "a-key-is-parked",
        width=6,
        kind=Kind.NUMBER,
    ),
    Panel(
        "Secrets under old keys",
        Unit.COUNT,
        (Query(take_max("calloff_secrets_under_old_keys", SERVICE, "job"), "{{job}}"),),
        "Endpoints and mailboxes whose secrets another key than the newest encrypts. Above 0 only while a key is "
        "changed.",
        "change-the-key-that-encrypts-secrets",
        width=6,
        kind=Kind.NUMBER,
    ),
)

WEBHOOKS: Final = Dashboard(
    uid="calloff-webhooks",
    title="Call-off: webhooks",
    about="What is sent to providers' and councils' systems, what fails, and what waits.",
    variables=(Variable.SERVICE, Variable.INSTANCE, Variable.COUNCIL),
    rows=(Row("Sending", SENDING), Row("Waiting", WAITING)),
)
