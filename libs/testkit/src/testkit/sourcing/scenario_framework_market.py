"""The market of a scenario under a definition of `frameworks/`: places, lists and rates.

The definition decides what is meant: whether a tier is called off by ranked lists, which lot has a place, which price
band an area is in.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from contracts.events.frameworks import Candidate, RankedListPublished
from contracts.events.providers import EligibilityChanged, Place
from contracts.events.rates import RatesSelected, SelectedRate, Selection
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import RatesSetBy
from contracts.framework.stages import OfferingStage
from contracts.ids import AreaCode, GroupKey, ProviderId, TierKey
from contracts.values import Care, Channel, Order, PlaceState, Rating
from sourcing.domain.market import MarketSnapshot, PlaceHolder, ProviderFacts
from sourcing.domain.market_selection import asks_holders, find_ranked_lists, list_areas
from testkit.sourcing import definition_words
from testkit.sourcing.builders import LONDON, from_london_time, some_care, to_provider_id
from testkit.sourcing.scenario_setup import ScenarioSetup


@dataclass(frozen=True)
class ListKey:
    """Which ranked list of a framework is meant."""

    tier: TierKey
    area: AreaCode
    group: GroupKey | None


@dataclass
class FrameworkMarket(ScenarioSetup):
    """The providers of a scenario under a definition of `frameworks/`, and the lists by which they are asked.

    A provider that holds a place is eligible, rated Good, reached by webhook, and joined when the framework began.
    Where providers select their rates, it has selected rate 1.
    """

    definition: FrameworkDefinition | None = None
    care: Care = field(default_factory=some_care)
    ranked: dict[ListKey, tuple[str, ...]] = field(default_factory=dict[ListKey, tuple[str, ...]])
    last_awards: dict[str, datetime] = field(default_factory=dict[str, datetime])

    @property
    def framework(self) -> FrameworkDefinition:
        assert self.definition is not None, "no framework was named"
        return self.definition

    def _enter_providers(self, tier: TierKey, area: AreaCode, names: tuple[str, ...], group: GroupKey | None) -> None:
        if self._is_ranked(tier):
            self.ranked[ListKey(tier, area, group)] = names
        else:
            self._remove_other_places(names, tier, area)
        for number, name in enumerate(names, start=1):
            self._add_place(name, tier, area, number)
        self._apply_market_change()

    def _is_ranked(self, tier: TierKey) -> bool:
        stages = [each for each in self.framework.sourcing if isinstance(each, OfferingStage)]
        return any(tier in stage.to.tiers and Order.RANKED_LIST in stage.order for stage in stages)

    def _add_place(self, name: str, tier: TierKey, area: AreaCode, number: int) -> None:
        lot = definition_words.find_lot_of_place(self.framework, area, tier).lot
        place = Place(
            framework=self.framework.framework,
            lot=lot,
            area=area,
            tier=tier,
            service_types=self.framework.list_service_types(lot),
            number=number,
            joined_on=self.framework.runs_from,
            state=PlaceState.ACTIVE,
            eligible=True,
        )
        known = self._get_known(name)
        others = tuple(each for each in known.places if (each.lot, each.area, each.tier) != (lot, area, tier))
        self._update_facts(name, eligibility=known.model_copy(update={"places": (*others, place)}))
        if self.framework.prices.rates_set_by is RatesSetBy.SELECTION and area not in self.known[name].rates:
            self._select_rates(name, area, 1, self.framework.runs_from)

    def _remove_other_places(self, names: tuple[str, ...], tier: TierKey, area: AreaCode) -> None:
        """Removes the places of the tier and area that other providers hold."""
        for name in sorted(set(self.known) - set(names)):
            known = self._get_eligibility(name)
            others = tuple(each for each in known.places if (each.area, each.tier) != (area, tier))
            self._update_facts(name, eligibility=known.model_copy(update={"places": others}))

    def _get_known(self, name: str) -> EligibilityChanged:
        """Returns what is known of the provider; without a place yet if it was not named before."""
        if name not in self.known:
            provider = to_provider_id(name)
            eligibility = EligibilityChanged(provider_id=provider, places=(), rating=Rating.GOOD)
            self.known[name] = ProviderFacts(provider, eligibility=eligibility, channels=(Channel.WEBHOOK,))
        return self._get_eligibility(name)

    def _update_places_in(self, name: str, area: AreaCode, **changed: object) -> None:
        eligibility = self._get_eligibility(name)
        assert any(place.area == area for place in eligibility.places), f"{name} has no place in {area}"
        places = tuple(
            place.model_copy(update=changed) if place.area == area else place for place in eligibility.places
        )
        self._update_facts(name, eligibility=eligibility.model_copy(update={"places": places}))

    def _name_rate(self, name: str, area: AreaCode, rate: Decimal) -> None:
        """Gives the provider a rate of its own. Raises AssertionError for a rate outside the area's price band."""
        (line,) = self.framework.find_price_lines(self.care.service_type, area)
        highest = line.highest or max(line.rate, *line.further_rates)
        assert line.rate <= rate <= highest, f"£{rate} is not between £{line.rate} and £{highest} in {area}"
        rates = (
            SelectedRate(service_type=line.service_type, item=line.item_key, unit=line.unit, number=None, rate=rate),
        )
        self._add_selection(name, area, Selection(valid_from=self.framework.runs_from, matrix_version=1, rates=rates))

    def _select_rates(self, name: str, area: AreaCode, number: int, day: date) -> None:
        """Selects one number for every line of the area's price band."""
        rates = tuple(self._list_selected_rates(area, number))
        self._add_selection(name, area, Selection(valid_from=day, matrix_version=1, rates=rates))

    def _list_selected_rates(self, area: AreaCode, number: int) -> Iterator[SelectedRate]:
        for each in self.framework.service_types:
            for line in self.framework.find_price_lines(each.service_type, area):
                rate = line.find_rate(number)
                assert rate is not None, f"there is no rate {number} for {each.title}"
                yield SelectedRate(
                    service_type=line.service_type, item=line.item_key, unit=line.unit, number=number, rate=rate
                )

    def _add_selection(self, name: str, area: AreaCode, selection: Selection) -> None:
        """Adds the selection; it replaces one that is valid from the same day."""
        self._get_known(name)
        before = self.known[name].rates.get(area)
        earlier = [each for each in before.selections if each.valid_from != selection.valid_from] if before else []
        selections = tuple(sorted([*earlier, selection], key=lambda each: each.valid_from))
        rates = RatesSelected(
            provider_id=to_provider_id(name),
            framework=self.framework.framework,
            area=area,
            selections=selections,
        )
        self._update_facts(name, rates={**self.known[name].rates, area: rates})

    def list_ranked_lists(
        self, identify: Callable[[str], ProviderId] = to_provider_id
    ) -> Sequence[RankedListPublished]:
        """Lists all ranked lists, with the provider ids that `identify` returns for the names."""
        return [self._build_list(key, map(identify, names)) for key, names in self.ranked.items()]

    def _build_list(self, key: ListKey, providers: Iterable[ProviderId]) -> RankedListPublished:
        ranking = (Candidate(provider_id=each, rank=rank) for rank, each in enumerate(providers, start=1))
        return RankedListPublished(
            framework=self.framework.framework,
            lot=self.care.lot,
            area=key.area,
            tier=key.tier,
            group=key.group,
            list_version=1,
            issued_on=self.framework.runs_from,
            live_from=self.framework.runs_from,
            ranking=tuple(ranking),
        )

    def _build_definition(self) -> FrameworkDefinition:
        return self.framework

    def _build_market(self) -> MarketSnapshot:
        """Selects what the search can use, by the rules that the service applies to its projections."""
        if not self.definition_is_known:
            return MarketSnapshot()
        at = self.at or from_london_time(self.framework.runs_from, "09:00")
        day, group = at.astimezone(LONDON).date(), self.framework.find_list_group(self.care)
        lists = [each for each in self.list_ranked_lists() if (each.area, each.group) == (self.care.area, group)]
        areas = list_areas(self.framework, self.care)
        return MarketSnapshot(
            self.framework,
            find_ranked_lists(lists, started_on=day, on=day),
            {facts.provider_id: _keep_rates(facts, areas) for facts in self.known.values()},
            tuple(self._list_holders(areas)) if asks_holders(self.framework) else (),
            {to_provider_id(name): at for name, at in self.last_awards.items()},
        )

    def _list_holders(self, areas: Iterable[AreaCode]) -> Iterator[PlaceHolder]:
        known = sorted(self.known.values(), key=lambda facts: facts.provider_id)
        for area in areas:
            for facts in known:
                for place in facts.places:
                    if (place.lot, place.area) == (self.care.lot, area):
                        yield PlaceHolder(facts.provider_id, place)


def _keep_rates(facts: ProviderFacts, areas: Sequence[AreaCode]) -> ProviderFacts:
    return replace(facts, rates={area: rates for area, rates in facts.rates.items() if area in areas})
