"""Dashboard: a council's day, for the brokerage team and those who answer for it."""

from typing import Final

from devstack.dashboards.panels import Dashboard, Kind, Panel, Query, Row, Unit, Variable
from devstack.dashboards.promql import (
    COUNCIL,
    list_quantiles,
    select_events,
    sum_increase,
    sum_of_max,
    sum_rate,
    take_mean,
)

PUBLISHED: Final = "calloff_published_events_total"
OUTCOMES: Final = "OfferAccepted|OfferDeclined|OfferExpired|OfferWithdrawn|OfferUndeliverable"
CHANGES: Final = "WithdrawalRequested|PackageWithdrawn|PlacementVoided|SourcingStopped"
MONEY: Final = "PurchaseOrderIssued|SpotPriceApproved|SpotPriceRefused"


def _count_by_type(title: str, kinds: str, meaning: str) -> Panel:
    query = Query(sum_increase(PUBLISHED, select_events(kinds, COUNCIL), "type"), "{{type}}")
    return Panel(title, Unit.COUNT, (query,), meaning, kind=Kind.NUMBER, width=12)


DAY: Final = (
    _count_by_type(
        "Referrals, placements and searches without a provider",
        "PackageRequested|PackagePlaced|SourcingExhausted",
        "Events in the time shown. What was requested and neither placed nor exhausted is still open.",
    ),
    _count_by_type(
        "How offers ended",
        OUTCOMES,
        "Ends of offers in the time shown. Many that expire or are undeliverable: look at the providers' channels.",
    ),
)
OFFERS: Final = (
    Panel(
        "Offers by channel",
        Unit.PER_MINUTE,
        (Query("60 * " + sum_rate("calloff_offers_total", COUNCIL, "channel"), "{{channel}}"),),
        "Offers a minute by the channel that was tried first. Telephone offers need an officer.",
        kind=Kind.STACKED,
    ),
    Panel(
        "Offers by stage",
        Unit.PER_MINUTE,
        (Query("60 * " + sum_rate("calloff_offers_total", COUNCIL, "stage"), "{{stage}}"),),
        "Offers a minute by stage of sourcing. A growing share of late stages means that early ones have no capacity.",
        kind=Kind.STACKED,
    ),
    Panel(
        "Providers asked for one placement",
        Unit.COUNT,
        (Query(take_mean("calloff_offers_per_placement", COUNCIL, "stage"), "{{stage}}"),),
        "Mean number of offers that a placement took, by the stage in which it was placed.",
    ),
    Panel(
        "Time to first offer by stage",
        Unit.SECONDS,
        list_quantiles("calloff_time_to_first_offer_seconds", COUNCIL, "stage", "{{stage}}"),
        "From the request to the first offer, with the nights and weekends in between for routine packages.",
        "a-package-is-held",
        width=12,
    ),
    Panel(
        "Time to placement by stage",
        Unit.SECONDS,
        list_quantiles("calloff_time_to_place_seconds", COUNCIL, "stage", "{{stage}}"),
        "From the request to the placement, by the stage in which it was placed.",
        width=12,
    ),
)
WAITING: Final = (
    Panel(
        "Work list",
        Unit.COUNT,
        (Query(sum_of_max("calloff_work_list_entries", COUNCIL, "council, reason", "reason"), "{{reason}}"),),
        "Packages that wait for an officer: a call to make, a search that is exhausted, held or on an open list. "
        "`calloff work-list` lists them.",
        "a-package-is-held",
        Kind.STACKED,
    ),
    Panel(
        "Open packages by council",
        Unit.COUNT,
        (Query(sum_of_max("calloff_open_packages", COUNCIL, "council, status, stage, age", "council"), "{{council}}"),),
        "Packages without a provider, by council.",
        "a-package-is-held",
        Kind.STACKED,
    ),
    Panel(
        "Open packages by status",
        Unit.COUNT,
        (Query(sum_of_max("calloff_open_packages", COUNCIL, "council, status, stage, age", "status"), "{{status}}"),),
        "running: an offer is out or follows; listed: open to all providers; held: something was not published; "
        "exhausted: an officer decides.",
        "a-package-is-held",
        Kind.STACKED,
    ),
    _count_by_type("Withdrawals", CHANGES, "Events in the time shown."),
    _count_by_type(
        "Orders and spot prices", MONEY, "Events in the time shown. Each placement leads to one purchase order."
    ),
)

COUNCIL_DAY: Final = Dashboard(
    uid="calloff-council",
    title="Call-off: a council's day",
    about="Referrals, offers, placements and what waits for an officer, for one council or several.",
    variables=(Variable.COUNCIL, Variable.PACKAGE),
    rows=(Row("The day", DAY), Row("Offers", OFFERS), Row("What waits", WAITING)),
)
