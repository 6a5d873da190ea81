"""The simulated councils: the invented market of each, and what it refers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from contracts.ids import LotKey, RouteKey, ServiceTypeKey
from devstack.councils import DEFAULT_COUNCIL
from simulator import leicestershire, oxfordshire
from simulator.essex import build_essex_market
from simulator.leicestershire import build_leicestershire_market
from simulator.market import InventedMarket
from simulator.oxfordshire import build_oxfordshire_market

ROUTINE, URGENT = RouteKey("community"), RouteKey("hospital-discharge")


@dataclass(frozen=True)
class FollowUp:
    """The care that may follow a package of a service type, for the same person."""

    follows: ServiceTypeKey
    lot: LotKey
    service_type: ServiceTypeKey
    route: RouteKey


@dataclass(frozen=True)
class ReferredLot:
    """What a council refers to one lot: its share of the referrals, and its service types with their shares."""

    lot: LotKey
    share: int
    service_types: Mapping[ServiceTypeKey, int]
    routine_route: RouteKey = ROUTINE
    urgent_route: RouteKey = URGENT
    follow_up: FollowUp | None = None


class MarketBuilder(Protocol):
    """Builds the invented market of a council."""

    def __call__(self, *, seed: int) -> InventedMarket: ...


MARKET_BUILDERS: Final[Mapping[str, MarketBuilder]] = {
    DEFAULT_COUNCIL: build_essex_market,
    oxfordshire.COUNCIL: build_oxfordshire_market,
    leicestershire.COUNCIL: build_leicestershire_market,
}
REFERRED_LOTS: Final[Mapping[str, tuple[ReferredLot, ...]]] = {
    oxfordshire.COUNCIL: (
        ReferredLot(
            oxfordshire.REABLEMENT,
            share=4,
            service_types={ServiceTypeKey("reablement"): 4, ServiceTypeKey("home-care"): 1},
            routine_route=URGENT,
            follow_up=FollowUp(
                follows=ServiceTypeKey("reablement"),
                lot=oxfordshire.LONG_TERM,
                service_type=ServiceTypeKey("home-care"),
                route=RouteKey("after-reablement"),
            ),
        ),
        ReferredLot(
            oxfordshire.LONG_TERM,
            share=4,
            service_types={
                ServiceTypeKey("home-care"): 12,
                ServiceTypeKey("live-in-with-break"): 1,
                ServiceTypeKey("live-in-without-break"): 1,
                ServiceTypeKey("waking-night"): 1,
                ServiceTypeKey("sleeping-night"): 1,
            },
            urgent_route=RouteKey("crisis"),
        ),
        ReferredLot(
            oxfordshire.EXTRA_CARE,
            share=2,
            service_types={ServiceTypeKey("extra-care"): 1},
            routine_route=RouteKey("extra-care-nomination"),
            urgent_route=RouteKey("extra-care-nomination"),
        ),
    ),
    leicestershire.COUNCIL: (
        ReferredLot(leicestershire.HOME_CARE, share=1, service_types={ServiceTypeKey("home-care"): 1}),
    ),
}
"""What the councils besides the default one refer."""
