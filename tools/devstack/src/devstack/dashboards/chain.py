"""Dashboard: the chain from a referral over its offers to the placement, over all services."""

from typing import Final

from devstack.dashboards.panels import Dashboard, Kind, Panel, Query, Row, Traces, Unit, Variable
from devstack.dashboards.promql import (
    COUNCIL,
    list_quantiles,
    select_events,
    sum_increase,
    sum_of_max,
    sum_rate,
    take_max,
    take_quantile,
)

PUBLISHED: Final = "calloff_published_events_total"
OPEN: Final = "calloff_open_packages"
OPEN_LABELS: Final = "council, status, stage, age"


def _count_events(title: str, kind: str, meaning: str, section: str = "what-is-measured") -> Panel:
    query = Query(sum_increase(PUBLISHED, select_events(kind, COUNCIL)), title)
    return Panel(title, Unit.COUNT, (query,), meaning, section, Kind.NUMBER, width=4)


NUMBERS: Final = (
    _count_events(
        "Referrals", "PackageRequested", "Packages requested in the time shown. None on a working day: ask the council."
    ),
    _count_events(
        "Offers",
        "OfferMade",
        "Offers made in the time shown. Referrals and no offers: see held packages and consumer lag.",
        "a-package-is-held",
    ),
    _count_events("Placed", "PackagePlaced", "Packages placed in the time shown."),
    _count_events(
        "Exhausted", "SourcingExhausted", "Searches that ended without a provider. Each is on the officers' work list."
    ),
    Panel(
        "Open now",
        Unit.COUNT,
        (Query(f"sum({take_max(OPEN, COUNCIL, OPEN_LABELS)})", "open"),),
        "Packages without a provider at this moment. `calloff work-list` shows those that wait for an officer.",
        "a-package-is-held",
        Kind.NUMBER,
        width=4,
    ),
    Panel(
        "Parked keys",
        Unit.COUNT,
        (Query(f"sum({take_max('calloff_parked_keys', '', 'job')})", "parked"),),
        "Keys whose events wait for an operator; always 0 in a healthy installation. Remove the cause, then release.",
        "a-key-is-parked",
        Kind.NUMBER,
        width=4,
    ),
)
PROGRESS: Final = (
    Panel(
        "Events that move a search",
        Unit.PER_MINUTE,
        (
            Query(
                "60 * "
                + sum_rate(
                    PUBLISHED,
                    select_events(
                        "PackageRequested|OfferMade|OfferAccepted|OfferDeclined|OfferExpired|PackagePlaced|SourcingExhausted",
                        COUNCIL,
                    ),
                    "type",
                ),
                "{{type}}",
            ),
        ),
        "Steps of searches a minute. Requests that are not followed by offers point at sourcing, offers that are not "
        "followed by answers at the webhooks.",
        "a-consumer-lags",
    ),
    Panel(
        "Time to first offer",
        Unit.SECONDS,
        list_quantiles("calloff_time_to_first_offer_seconds", COUNCIL),
        "From the request of a package to its first offer. Routine packages wait for the office to open, so nights "
        "are part of it; the median of urgent hours is below a second.",
        "a-package-is-held",
    ),
    Panel(
        "Time to placement",
        Unit.SECONDS,
        list_quantiles("calloff_time_to_place_seconds", COUNCIL),
        "From the request of a package to its placement: how long people wait for care. It depends on providers' "
        "answers more than on this system.",
    ),
    Panel(
        "Where open packages stand",
        Unit.COUNT,
        (Query(sum_of_max(OPEN, COUNCIL, OPEN_LABELS, "stage"), "{{stage}}"),),
        "Open packages by stage of sourcing. A stage that only grows has no provider who accepts, or is held.",
        "a-package-is-held",
        Kind.STACKED,
    ),
    Panel(
        "How long open packages have waited",
        Unit.COUNT,
        (Query(sum_of_max(OPEN, COUNCIL, OPEN_LABELS, "age"), "{{age}}"),),
        "Open packages by time since their request. Any that is older than a day is a person who waits: `calloff "
        "decision PACKAGE` shows why.",
        "a-package-is-held",
        Kind.STACKED,
    ),
    Panel(
        "Held packages",
        Unit.COUNT,
        (Query(take_max("calloff_held_packages", "", "job"), "held"),),
        "Searches that wait for a definition, list, rate or eligibility that was never published. The work list "
        "names what is missing.",
        "a-package-is-held",
    ),
)
TRANSPORT: Final = (
    Panel(
        "Oldest event not yet on Kafka",
        Unit.SECONDS,
        (Query(take_max("calloff_outbox_age_seconds", "", "job"), "{{job}}"),),
        "Age of the oldest row of each outbox; usually 0. While it grows, no other service receives decisions.",
        "the-relay-is-stuck",
    ),
    Panel(
        "Consumer lag",
        Unit.COUNT,
        (Query("sum by (group) (calloff_consumer_lag)", "{{group}}"),),
        "Records that a group has not handled yet, over all replicas. A lag that stays means that handling is slow, "
        "or has stopped.",
        "a-consumer-lags",
    ),
    Panel(
        "Handling of one event, p99",
        Unit.SECONDS,
        (Query(take_quantile(0.99, "calloff_event_handling_seconds", "", "job"), "{{job}}"),),
        "Time to handle one event with its commit. Over a second the database is slow, or keys are contended.",
        "a-consumer-lags",
    ),
    Panel(
        "Webhooks: queued to delivered, p95",
        Unit.SECONDS,
        (Query(take_quantile(0.95, "calloff_webhook_queue_seconds", "", "job"), "{{job}}"),),
        "Time from queueing a webhook to its delivery. provider-registry sends offers to providers, referral news to "
        "councils.",
        "an-endpoint-is-dead",
    ),
    Panel(
        "Timer lag, p99",
        Unit.SECONDS,
        (Query(take_quantile(0.99, "calloff_timer_lag_seconds", "", "job"), "{{job}}"),),
        "Time from when a timer was due to when it fired. Late timers end offers later than they should.",
        "timers-are-late",
    ),
    Panel(
        "Ready processes",
        Unit.COUNT,
        (Query("sum by (job) (calloff_ready)", "{{job}}"),),
        "Replicas of each service that are ready. One that is not ready says why at `/readyz`.",
        "a-service-is-not-ready",
    ),
)

CHAIN: Final = Dashboard(
    uid="calloff-chain",
    title="Call-off: the chain end to end",
    about="From a referral to the placement: how much arrives, how long it takes, and where it stands still.",
    variables=(Variable.COUNCIL, Variable.PACKAGE),
    rows=(
        Row("In the time shown", NUMBERS),
        Row("Searches", PROGRESS),
        Row("What carries them", TRANSPORT),
        Row(
            "One package",
            (
                Traces(
                    "Traces of the package named above",
                    '{ span.calloff.package_id = "${package}" }',
                    "Every span about a package carries its id. Put the id into the field `package`; a trace opens "
                    "with all that followed without a wait, and timers begin traces of their own.",
                ),
            ),
        ),
    ),
)
