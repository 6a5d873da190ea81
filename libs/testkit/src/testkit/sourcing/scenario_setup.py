"""The Given sentences of the scenario tables: the market and the wishes that a search is decided on."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from contracts.events.providers import EligibilityChanged
from contracts.framework import FrameworkDefinition, OpenList
from contracts.values import Channel, PassOverReason, Rating, ServiceType, Tier
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from sourcing.domain.triggers import ProjectionUpdated
from testkit.sourcing.builders import (
    a_definition,
    a_known_provider,
    a_ranked_list,
    a_rate_selection,
    an_open_list,
)
from testkit.sourcing.scenario_search import ScenarioSearch

CHANNELS: Final = {"telephone": Channel.PHONE, "email": Channel.EMAIL, "webhook": Channel.WEBHOOK}


@dataclass
class ScenarioSetup(ScenarioSearch):
    """The facts of a scenario. The package needs ten hours of personal care a week.

    Every ranked provider is eligible and reached by webhook until a sentence changes that. A change after the request
    makes the search look at the market again.
    """

    lists: dict[Tier, tuple[str, ...] | None] = field(default_factory=dict[Tier, tuple[str, ...] | None])
    known: dict[str, ProviderFacts] = field(default_factory=dict[str, ProviderFacts])
    refused: tuple[str, ...] = ()
    preferred: tuple[str, ...] = ()
    open_list: OpenList | None = None
    rates_are_selected: bool = False
    definition_is_known: bool = True

    def rank_providers(self, tier: Decimal, names: tuple[str, ...]) -> None:
        self.lists[Tier(int(tier))] = names
        for name in names:
            self.known.setdefault(name, a_known_provider(name))
        self._apply_market_change()

    def remove_list(self, tier: Decimal) -> None:
        self.lists[Tier(int(tier))] = None

    def add_open_list(self, ceiling: Decimal) -> None:
        self.open_list = an_open_list(ceiling=ceiling)

    def add_framework_open_list(self) -> None:
        self.open_list = an_open_list(spot=False)

    def add_spot_providers(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.known[name] = a_known_provider(name, tiers=(), spot=True)

    def enable_rate_selection(self) -> None:
        self.rates_are_selected = True

    def select_rate(self, name: str, rate: Decimal) -> None:
        self._update_facts(name, rates=a_rate_selection(name, str(rate)))

    def select_live_in_rate(self, name: str) -> None:
        rates = a_rate_selection(name, "25.00")
        (selection,) = rates.selections
        (line,) = selection.rates
        other = line.model_copy(update={"service_type": ServiceType.LIVE_IN})
        selections = (selection.model_copy(update={"rates": (other,)}),)
        self._update_facts(name, rates=rates.model_copy(update={"selections": selections}))

    def set_channels(self, name: str, channels: str) -> None:
        self._update_facts(name, channels=tuple(CHANNELS[channel] for channel in channels.split(", then ")))

    def remove_provider(self, name: str) -> None:
        self.known.pop(name, None)

    def drop_below_floor(self, name: str) -> None:
        self._update_eligibility(name, eligible=False, reasons=(PassOverReason.RATING_BELOW_FLOOR,))

    def set_membership(self, name: str, tier: Decimal) -> None:
        self.known[name] = a_known_provider(name, tiers=(Tier(int(tier)),))

    def introduce_provider(self, name: str) -> None:
        self._update_facts(name)

    def embargo(self, name: str) -> None:
        self._update_facts(name, embargoed=True)

    def lift_embargo(self, name: str) -> None:
        self._update_facts(name, embargoed=False)

    def declare_capacity(self, name: str, hours: Decimal) -> None:
        self._update_facts(name, free_hours=hours)

    def fail_requirement(self, name: str) -> None:
        self._update_eligibility(name, eligible=False)

    def remove_service_types(self, name: str) -> None:
        self._update_eligibility(name, service_types=())

    def set_rating(self, name: str, rating: str) -> None:
        self._update_eligibility(name, rating=Rating(rating))

    def refuse_providers(self, names: tuple[str, ...]) -> None:
        self.refused = names

    def prefer_providers(self, names: tuple[str, ...]) -> None:
        self.preferred = names

    def remove_definition(self) -> None:
        self.definition_is_known = False
        self._apply_market_change()

    def publish_definition(self) -> None:
        self.definition_is_known = True
        self._apply_market_change()

    def _update_facts(self, name: str, **changed: object) -> None:
        facts = self.known.get(name, a_known_provider(name))
        self.known[name] = replace(facts, **changed)  # pyright: ignore[reportArgumentType]  fields by their names
        self._apply_market_change()

    def _update_eligibility(
        self, name: str, *, eligible: bool = True, reasons: tuple[PassOverReason, ...] = (), **changed: object
    ) -> None:
        """Changes a provider's EligibilityChanged event: the eligibility of its memberships, and the fields `changed`.

        `reasons` are given only with `eligible=False`.
        """
        known = self.known.get(name, a_known_provider(name)).eligibility
        assert known is not None, f"{name} has no eligibility to change"
        if not eligible:
            ineligible = {"eligible": False, "reasons": reasons}
            changed["memberships"] = tuple(each.model_copy(update=ineligible) for each in known.memberships)
        eligibility: EligibilityChanged = known.model_copy(update=changed)
        self._update_facts(name, eligibility=eligibility)

    def _apply_market_change(self) -> None:
        """Gives the changed market to the search, if there is one, as an update of a projection does."""
        if self._driver is not None:
            self.driver.market = self._build_market()
            self._run_step(lambda: self.driver.handle(ProjectionUpdated()))

    def _build_market(self) -> MarketSnapshot:
        lists = {tier: a_ranked_list(*names, tier=tier) for tier, names in self.lists.items() if names is not None}
        facts = {known.provider_id: known for known in self.known.values()}
        return MarketSnapshot(self._build_definition() if self.definition_is_known else None, lists, facts)

    def _build_definition(self) -> FrameworkDefinition:
        return a_definition(
            *sorted(self.lists), open_list=self.open_list, selected_by_providers=self.rates_are_selected
        )
