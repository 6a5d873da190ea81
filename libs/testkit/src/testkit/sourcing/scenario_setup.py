"""The Given sentences of the scenario tables: the market and the wishes that a search is decided on."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from contracts.events.providers import EligibilityChanged
from contracts.example_words import ServiceTypes
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.list_times import ReturnDay, ReturnedBy
from contracts.framework.prices import RatesSetBy
from contracts.framework.stages import BatchingList, Exhausted, OpenList, Stage
from contracts.ids import ItemKey, TierKey
from contracts.values import Channel, PassOverReason, Rating
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from sourcing.domain.triggers import ProjectionUpdated
from testkit.sourcing.builders import (
    a_known_provider,
    a_ranked_list,
    a_rate_selection,
    list_holders,
)
from testkit.sourcing.definitions import (
    AREA,
    MONDAYS_AND_THURSDAYS,
    a_batching_list,
    a_definition,
    a_stage,
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

    lists: dict[TierKey, tuple[str, ...] | None] = field(default_factory=dict[TierKey, tuple[str, ...] | None])
    known: dict[str, ProviderFacts] = field(default_factory=dict[str, ProviderFacts])
    refused: tuple[str, ...] = ()
    preferred: tuple[str, ...] = ()
    open_list: OpenList | None = None
    batching_list: BatchingList | None = None
    rates_are_selected: bool = False
    definition_is_known: bool = True

    def rank_providers(self, tier: Decimal, names: tuple[str, ...]) -> None:
        self.lists[_to_tier(tier)] = names
        for name in names:
            self.known.setdefault(name, a_known_provider(name))
        self._apply_market_change()

    def remove_list(self, tier: Decimal) -> None:
        self.lists[_to_tier(tier)] = None

    def add_open_list(self, ceiling: Decimal) -> None:
        self.open_list = an_open_list(ceiling=ceiling)

    def add_batching_list(self) -> None:
        self.batching_list = a_batching_list()

    def add_batching_list_by_calendar_day(self) -> None:
        self.batching_list = a_batching_list(returned_by=ReturnedBy(day=ReturnDay.NEXT_CALENDAR_DAY))

    def add_dated_open_list(self) -> None:
        self.open_list = an_open_list(issued=MONDAYS_AND_THURSDAYS)

    def add_framework_open_list(self) -> None:
        self.open_list = an_open_list(spot=False)

    def add_spot_providers(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.known[name] = a_known_provider(name, tiers=(), spot=True)

    def enable_rate_selection(self) -> None:
        self.rates_are_selected = True

    def select_rate(self, name: str, rate: Decimal) -> None:
        self._update_facts(name, rates={AREA: a_rate_selection(name, str(rate))})

    def select_live_in_rate(self, name: str) -> None:
        rates = a_rate_selection(name, "25.00")
        (selection,) = rates.selections
        (line,) = selection.rates
        other = line.model_copy(update={"service_type": ServiceTypes.LIVE_IN, "item": ItemKey(ServiceTypes.LIVE_IN)})
        selections = (selection.model_copy(update={"rates": (other,)}),)
        self._update_facts(name, rates={AREA: rates.model_copy(update={"selections": selections})})

    def set_channels(self, name: str, channels: str) -> None:
        self._update_facts(name, channels=tuple(CHANNELS[channel] for channel in channels.split(", then ")))

    def remove_provider(self, name: str) -> None:
        self.known.pop(name, None)

    def drop_below_floor(self, name: str) -> None:
        self._update_places(name, eligible=False, reasons=(PassOverReason.RATING_BELOW_FLOOR,))

    def set_membership(self, name: str, tier: Decimal) -> None:
        self.known[name] = a_known_provider(name, tiers=(_to_tier(tier),))

    def introduce_provider(self, name: str) -> None:
        self._update_facts(name)

    def embargo(self, name: str) -> None:
        self._update_facts(name, embargoed=True)

    def lift_embargo(self, name: str) -> None:
        self._update_facts(name, embargoed=False)

    def declare_capacity(self, name: str, hours: Decimal) -> None:
        self._update_facts(name, free_hours=hours)

    def fail_requirement(self, name: str) -> None:
        self._update_places(name, eligible=False)

    def remove_service_types(self, name: str) -> None:
        self._update_places(name, service_types=())

    def set_rating(self, name: str, rating: str) -> None:
        self._update_rating(name, Rating(rating))

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

    def _update_rating(self, name: str, rating: Rating) -> None:
        eligibility = self._get_eligibility(name)
        self._update_facts(name, eligibility=eligibility.model_copy(update={"rating": rating}))

    def _update_places(self, name: str, **changed: object) -> None:
        """Changes these fields of all the provider's places."""
        eligibility = self._get_eligibility(name)
        places = tuple(place.model_copy(update=changed) for place in eligibility.places)
        self._update_facts(name, eligibility=eligibility.model_copy(update={"places": places}))

    def _get_eligibility(self, name: str) -> EligibilityChanged:
        known = self.known.get(name, a_known_provider(name)).eligibility
        assert known is not None, f"{name} has no eligibility to change"
        return known

    def _apply_market_change(self) -> None:
        """Gives the changed market to the search, if there is one, as an update of a projection does."""
        if self._driver is not None:
            self.driver.market = self._build_market()
            self._run_step(lambda: self.driver.handle(ProjectionUpdated()))

    def _build_market(self) -> MarketSnapshot:
        lists = {tier: a_ranked_list(*names, tier=tier) for tier, names in self.lists.items() if names is not None}
        facts = {known.provider_id: known for known in self.known.values()}
        definition = self._build_definition() if self.definition_is_known else None
        return MarketSnapshot(definition, lists, facts, list_holders(facts.values()))

    def _build_definition(self) -> FrameworkDefinition:
        rates_set_by = RatesSetBy.SELECTION if self.rates_are_selected else RatesSetBy.FRAMEWORK
        tiers = sorted(self.lists)
        stages: list[Stage] = [a_stage(tier) for tier in tiers]
        if self.batching_list is not None:
            waiting = a_stage(TierKey(self.batching_list.cut_off.while_in), exhausted=Exhausted.WAIT_FOR_LIST)
            stages[:1] = [waiting, self.batching_list]
        return a_definition(*tiers, sourcing=stages, open_list=self.open_list, rates_set_by=rates_set_by)


def _to_tier(number: Decimal) -> TierKey:
    return TierKey(f"tier-{number}")
