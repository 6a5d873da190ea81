"""Searches in a stage that asks all providers at once, for tests: each provider has a rate of its own."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from contracts.events.offers import AcceptancesOrdered
from contracts.events.packages import PackageRequested
from contracts.example_words import Tiers
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import RatesSetBy
from contracts.framework.stages import Stage
from contracts.ids import ProviderId, TierKey
from contracts.values import Channel
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from testkit.sourcing.builders import a_known_provider, a_market, a_ranked_list, a_rate_selection, add_list
from testkit.sourcing.definitions import a_definition, a_stage, a_stage_for_all
from testkit.sourcing.search_driver import SearchDriver

RATES: Final[Mapping[str, str]] = {"Alder": "26.00", "Birch": "25.00", "Cedar": "27.00"}
"""Of the providers that are asked; Birch is the cheapest, Cedar the dearest."""


def a_definition_for_all(*stages: Stage) -> FrameworkDefinition:
    """All of tier 1 are asked at once, then tier 2 in sequence, unless other `stages` are given."""
    stages = stages or (a_stage_for_all(), a_stage(Tiers.TWO))
    return a_definition(*Tiers.ALL, rates_set_by=RatesSetBy.SELECTION, sourcing=stages)


def a_rated_provider(
    name: str,
    rate: str | None = None,
    *,
    tiers: Iterable[TierKey] = (Tiers.ONE,),
    channels: tuple[Channel, ...] | None = (Channel.WEBHOOK,),
    embargoed: bool = False,
    free_hours: Decimal | None = None,
) -> ProviderFacts:
    """A provider of tier 1 with a rate of its own, by default that of RATES."""
    rates = a_rate_selection(name, rate or RATES[name])
    return a_known_provider(
        name, tiers=tiers, channels=channels, embargoed=embargoed, free_hours=free_hours, rates=rates
    )


def a_market_for_all(
    *overrides: ProviderFacts,
    names: Iterable[str] = RATES,
    definition: FrameworkDefinition | None = None,
    last_awards: Mapping[str, datetime] | None = None,
) -> MarketSnapshot:
    """A market with `names` in tier 1, and Elm in tier 2."""
    elm = a_rated_provider("Elm", "30.00", tiers=(Tiers.TWO,))
    known = [*(a_rated_provider(name) for name in names), elm, *overrides]
    market = a_market(overrides=known, definition=definition or a_definition_for_all(), last_awards=last_awards)
    return add_list(market, a_ranked_list("Elm", tier=Tiers.TWO))


def ask_all(
    *overrides: ProviderFacts,
    definition: FrameworkDefinition | None = None,
    last_awards: Mapping[str, datetime] | None = None,
    request: PackageRequested | None = None,
    at: datetime | None = None,
    handle_own_events: bool = True,
) -> SearchDriver:
    """A package that was put to Alder, Birch and Cedar at once, with `overrides` in place of their usual facts."""
    market = a_market_for_all(*overrides, definition=definition, last_awards=last_awards)
    return SearchDriver(market, at=at, handle_own_events=handle_own_events).request(request)


def get_placed_provider(driver: SearchDriver) -> ProviderId | None:
    placement = driver.current.placement
    return placement.provider_id if placement is not None else None


def find_award_order(driver: SearchDriver) -> list[ProviderId]:
    """Returns the providers that accepted, in the order in which they were considered last."""
    ordered = [event for event in driver.events if isinstance(event, AcceptancesOrdered)]
    return [candidate.provider_id for candidate in ordered[-1].candidates]
